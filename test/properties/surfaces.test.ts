/**
 * The differential test: every case of every table says the same through `check`, `check --against` a snapshot, the
 * webhook and the audit: rule, object, path, message and mode. Where a surface says something else, it is right by design,
 * and the reason stands here.
 */
import { globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Mode } from '../../src/engine/mode.ts';
import type { Message, Rule } from '../../src/engine/rule.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { formatRef, type Resource, refOf } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { byFiles } from '../support/rule-drivers.ts';
import { canBeFiles, canBeWritten, type RuleCase, readRuleTable } from '../support/rule-table.ts';
import { type Told, toldAgainst, toldByAdmission, toldByAudit } from '../support/surface-drivers.ts';

interface Surface {
  readonly name: string;
  tell(rule: string, one: RuleCase): Promise<Told>;
  /** Why the case cannot come to this surface; undefined if it can. */
  cannot(one: RuleCase, rule: Rule): string | undefined;
}

const surfaces: readonly Surface[] = [
  {
    name: 'check',
    tell: async (rule, one) => (await byFiles(rule, one)).findings.map((finding) => lineOf(finding)).sort(),
    cannot: (one) => (canBeFiles(one) ? undefined : 'files have no before, no removal, no gap in what is known'),
  },
  {
    name: 'check --against',
    tell: toldAgainst,
    cannot: ({ offline, operation, survey }) => {
      if (operation !== undefined) return 'files remove nothing';
      if (survey) return 'it is told of objects as they stand, and of no write';
      return offline === false ? 'a file says of no field that the API server has chosen its value' : undefined;
    },
  },
  {
    name: 'webhook',
    tell: toldByAdmission,
    cannot: (one) =>
      canBeWritten(one)
        ? undefined
        : 'the API server refuses or changes it before any webhook, or it is a gap in what is known, of which the table says what a rule does',
  },
  {
    name: 'audit',
    tell: toldByAudit,
    cannot: ({ offline, operation, before }, { meta }) => {
      if (operation !== undefined) return 'an audit sees no removal';
      if (before !== undefined && meta.orderClass === 'destructive') return 'an audit sees no change';
      return offline === true ? 'no API server stores it' : undefined;
    },
  },
];

const noReader = 'an audit has no reader: what one of the namespace may not know goes to the report of the cluster';
const byItsService = 'in an audit the Service has its own finding, and an Ingress that leads there a note';
const noWrite = 'an audit sees no write: what was so before is told as it is';
const unused = 'an exemption from what is not found is told of objects as they stand, and of no write';

const ofIngress = 'of objects as they stand, the Ingress is told, by ingress-controller-blocked-by-policy';

const ofIsolating = 'an audit sees no write: it is told at the policy that isolates, and not at the one that has let go of the Pods';

/** What the audit says that no write is told, by rule and case. */
const ofAudits: Readonly<Record<string, readonly [why: string, ...told: readonly string[]]>> = {
  'dns-resolver-isolated: an update moves the policy that lets others in away from the resolver': [ofIsolating],
  'dns-resolver-isolated: an update makes of the policy that lets others in one for egress': [ofIsolating],
  'dns-resolver-isolated: an update moves the policy that let the resolver send away from it': [ofIsolating],
  "network-policy-cuts-critical-system: an update moves the policy that opens the Service's port away from its Pods": [ofIsolating],
  "network-policy-cuts-critical-system: an update takes the direction from the policy that opens the Service's port": [ofIsolating],
  'network-policy-cuts-webhook-or-apiservice: an update moves the policy that lets the API server in away from the webhook': [ofIsolating],
  'network-policy-isolates-dns: an update moves the policy that allows DNS away from its Pods': [ofIsolating],
  'network-policy-isolates-dns: an update takes egress from the policy that allows DNS': [ofIsolating],
  'network-policy-cuts-declared-dependency: it was lost before this write': [
    noWrite,
    'network-policy-cuts-declared-dependency NetworkPolicy shop/db-metrics spec connectionsLost warn',
  ],
  'dns-resolver-isolated: nobody reached it before either': [
    noWrite,
    'dns-resolver-isolated NetworkPolicy kube-system/metrics spec.ingress nobodyReachesResolver deny',
  ],
  'dns-resolver-isolated: an update of a policy that isolated it before': [
    noWrite,
    'dns-resolver-isolated NetworkPolicy kube-system/default-deny spec.ingress nobodyReachesResolver deny',
  ],
  'network-policy-isolates-dns: an update of something else in a policy that cut them before': [
    noWrite,
    'network-policy-isolates-dns NetworkPolicy shop/egress spec.egress podsCannotResolve deny',
  ],
  'network-policy-isolates-dns: a further policy for Pods that another one has cut': [
    noWrite,
    'network-policy-isolates-dns NetworkPolicy shop/to-database spec.egress podsCannotResolve deny',
  ],
  'network-policy-cuts-declared-dependency: a label of the policy says nothing of connections': [
    noWrite,
    'network-policy-cuts-declared-dependency NetworkPolicy shop/default-deny spec shutByDefaultDeny warn',
  ],
  'network-policy-cuts-declared-dependency: the Ingress controller is not among those let in': [ofIngress],
  'network-policy-cuts-declared-dependency: who may not know where the controller runs is told what shuts out all other namespaces': [
    ofIngress,
  ],
  "network-policy-cuts-declared-dependency: the controller's own namespace lets nothing out": [ofIngress],
  'service-node-port-policy: writing down what the API server chose is no choice': [
    noWrite,
    'service-node-port-policy Service team-a/web spec.ports[0].nodePort notInRanges deny',
  ],
  'service-node-port-policy: a number that was named once is gone, and the API server has chosen another': [
    noWrite,
    'service-node-port-policy Service team-a/web spec.ports[0].nodePort notInRanges deny',
  ],
  'network-policy-cuts-critical-system: it was as closed before': [
    noWrite,
    'network-policy-cuts-critical-system NetworkPolicy kube-system/default-deny spec.ingress nobodyReaches deny',
  ],
  'network-policy-cuts-webhook-or-apiservice: it was shut out before': [
    noWrite,
    'network-policy-cuts-webhook-or-apiservice NetworkPolicy policies/default-deny spec.ingress webhookFailsClosed warn',
  ],
  'network-policy-host-network-subject-or-peer: who may not list the other namespace is not told what stands there': [
    noReader,
    'network-policy-host-network-subject-or-peer NetworkPolicy shop/web spec.ingress[0].from[0] peerElsewhere warn',
  ],
  'network-policy-protocol-defaulted-on-udp-port: kubectl keeps what was applied': ['what is stored has its protocol'],
  'network-policy-subject-matches-nothing: a changed selector lets go of the Pods': [
    noWrite,
    'network-policy-subject-matches-nothing NetworkPolicy shop/web spec.podSelector selectsNobody audit',
  ],
  'ingress-class-unclaimed-or-eol: who may not read all namespaces is not told that nobody runs there': [
    noReader,
    'ingress-class-unclaimed-or-eol Ingress shop/web spec.ingressClassName nobodyRuns warn',
  ],
  'ingress-backend-unusable: the selector of the Service matches no Pod': [
    byItsService,
    'ingress-backend-unusable Ingress shop/web spec.rules[0].http.paths[0].backend.service.name saidOfService audit',
  ],
  'ingress-backend-unusable: there are no Pods at all, and it is said once': [
    byItsService,
    'ingress-backend-unusable Ingress shop/web spec.defaultBackend.service.name saidOfService audit',
  ],
  'ingress-backend-unusable: no Pod has the port to which the Service sends': [
    byItsService,
    'ingress-backend-unusable Ingress shop/web spec.rules[0].http.paths[0].backend.service.port saidOfService audit',
  ],
  'network-policy-not-enforced: each write is told, whatever stands beside it': [
    'of objects as they stand, the first one of a namespace stands for the others',
  ],
  'exemption-invalid: the exemption has a reason': [unused, unusedLine('Service', 'service-node-port-policy')],
  'exemption-invalid: the exemption has a reason and an end to come': [unused, unusedLine('Service', 'service-node-port-policy')],
  'exemption-invalid: the word until stands in the reason too': [unused, unusedLine('Service', 'service-node-port-policy')],
  'exemption-invalid: it is of use to nobody yet, which a write may be': [unused, unusedLine('Ingress', 'tls-secret-missing')],
};

function unusedLine(kind: string, rule: string): string {
  return `exemption-invalid ${kind} default/web metadata.annotations[exempt.portcullis.dev/${rule}] unused audit`;
}

const lineOf = ({ rule, object, path, message, mode }: Awaited<ReturnType<typeof byFiles>>['findings'][number]): string =>
  `${rule} ${formatRef({ apiVersion: '', ...object })} ${path} ${message} ${mode}`;

/** What the table says, with the mode of the profile: no write softens anything. */
function standing(rule: Rule, one: RuleCase): Told {
  const subject = formatRef(refOf(normalize(one.object) as Resource));
  return one.findings
    .map(({ message, path }) => `${rule.meta.id} ${subject} ${path} ${message} ${modeOf(rule.messages[message] as Message<unknown>, one)}`)
    .sort();
}

const modeOf = ({ modes }: Message<unknown>, { profile }: RuleCase): Mode => (profile === 'observe' ? 'audit' : modes[profile]);
/** Of a write, a denial may be softened; what is found is the same. */
const found = (told: Told): readonly string[] => told.map((line) => line.replace(/ (deny|warn|audit)( \(\w+\))?$/, ''));

const cases = globSync('test/rules/*.yaml')
  .sort()
  .flatMap((file) => {
    const table = readRuleTable(file);
    const rule = rules.find(({ meta }) => meta.id === table.rule) as Rule;
    return [...table.valid, ...table.invalid].map((one) => ({ rule, one }));
  });

describe.each(surfaces)('$name', ({ name, tell, cannot }) => {
  const fit = cases.filter(({ one, rule }) => cannot(one, rule) === undefined);

  it('is compared on most of all cases', () => expect(fit.length).toBeGreaterThan(cases.length * 0.75));

  it.each(fit.map(({ rule, one }) => [`${rule.meta.id}: ${one.name}`, rule, one] as const))('%s', async (_, rule, one) => {
    const told = await tell(rule.meta.id, one);
    const ofAudit = name === 'audit' ? ofAudits[`${rule.meta.id}: ${one.name}`] : undefined;
    if (ofAudit !== undefined) {
      expect(told).toEqual(ofAudit.slice(1));
      expect(told, 'no difference any more').not.toEqual(standing(rule, one));
      return;
    }
    const isWrite = name === 'webhook' || name === 'check --against';
    if (isWrite && (one.before !== undefined || one.operation !== undefined)) expect(found(told)).toEqual(found(standing(rule, one)));
    else expect(told).toEqual(standing(rule, one));
  });
});

it('explains no difference of a case that is not there', () => {
  const names = new Set(cases.map(({ rule, one }) => `${rule.meta.id}: ${one.name}`));
  for (const name of Object.keys(ofAudits)) expect(names).toContain(name);
});

describe('check --against and the webhook', () => {
  const both = cases.filter(({ one, rule }) => surfaces.slice(1, 3).every(({ cannot }) => cannot(one, rule) === undefined));

  it.each(both.map(({ rule, one }) => [`${rule.meta.id}: ${one.name}`, rule, one] as const))(
    'soften alike: %s',
    async (_, { meta }, one) => {
      expect(await toldAgainst(meta.id, one)).toEqual(await toldByAdmission(meta.id, one));
    },
  );
});
