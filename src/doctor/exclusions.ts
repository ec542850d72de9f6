/** What a cluster needs to repair itself must never wait for us: above all where an entry is `Fail`. */
import { formatSelector, selectsEverything } from '../kube/labels.ts';
import { listed } from '../kube/listed.ts';
import type { LabelSelector } from '../kube/resources.ts';
import { type Entry, matchesNamespace, ourEntries } from './entries.ts';
import type { Facts } from './facts.ts';
import { type Check, kubectl, patch } from './problem.ts';

const nameLabel = 'kubernetes.io/metadata.name';
const judging = 'validate.portcullis.dev';
/** As the chart does: `system` alone is asked about what is protected there. */
const ofTheCluster = ['kube-system', 'kube-public', 'kube-node-lease'];

const change = (facts: Facts, name: string, fields: Readonly<Record<string, unknown>>): string =>
  kubectl(facts, 'patch', 'validatingwebhookconfiguration', facts.configuration, '-p', patch({ webhooks: [{ name, ...fields }] }));

/** A patch takes the place of the whole list of expressions, so it holds those that are there. */
const without = ({ matchExpressions }: LabelSelector, namespaces: readonly string[]): readonly unknown[] => [
  ...matchExpressions.map(({ values, ...rest }) => (values.length === 0 ? rest : { ...rest, values })),
  { key: nameLabel, operator: 'NotIn', values: namespaces },
];

export const ownNamespaceIsExcluded: Check = {
  id: 'own-namespace-excluded',
  holds: 'Our own namespace is sent to no entry, kube-system to none that can be `Fail`',
  *look(facts) {
    for (const entry of ourEntries(facts)) {
      const must = entry.name === judging ? [facts.namespace, 'kube-system'] : [facts.namespace];
      const excluded = entry.name === judging ? [facts.namespace, ...ofTheCluster] : must;
      const sent = must.filter((name) => matchesNamespace(entry, facts, name));
      if (sent.length === 0) continue;
      yield {
        severity: entry.failsClosed ? 'critical' : 'low',
        what: `${entry.name} is asked about writes in ${listed(sent)}${entry.failsClosed ? ', and refuses them when nobody answers: what repairs us cannot be applied' : ''}`,
        evidence: [
          `failurePolicy: ${entry.failsClosed ? 'Fail' : 'Ignore'}; namespaceSelector: ${formatSelector(entry.namespaceSelector)}`,
        ],
        repair: 'exclude these namespaces',
        commands: [change(facts, entry.name, { namespaceSelector: { matchExpressions: without(entry.namespaceSelector, excluded) } })],
      };
    }
  },
};

const conditions = [
  {
    name: 'not-the-api-server',
    says: 'system:apiserver',
    expression: 'request.userInfo.username != "system:apiserver"',
    else: 'with nobody to answer, the API server cannot keep Service default/kubernetes',
  },
  {
    name: 'not-a-node',
    says: 'system:nodes',
    expression: '!has(request.userInfo.groups) || !("system:nodes" in request.userInfo.groups)',
    else: 'writes of nodes wait for us',
  },
] as const;

export const controlPlaneIsExcluded: Check = {
  id: 'control-plane-excluded',
  holds: 'matchConditions leave out the API server itself and the nodes',
  *look(facts) {
    for (const entry of ourEntries(facts)) {
      const missing = conditions.filter(({ says }) => !entry.matchConditions.some(({ expression }) => expression.includes(says)));
      if (missing.length === 0) continue;
      const matchConditions = missing.map(({ name, expression }) => ({ name, expression }));
      yield {
        severity: entry.failsClosed ? 'critical' : 'low',
        what: `${entry.name} lacks the matchConditions ${listed(missing.map(({ name }) => name))}`,
        evidence: missing.map((one) => one.else),
        repair: 'add them',
        commands: [change(facts, entry.name, { matchConditions })],
      };
    }
  },
};

const knownConditions: ReadonlySet<string> = new Set([
  'not-the-api-server',
  'not-a-node',
  'not-clearing-away',
  'not-being-deleted',
  'not-break-glass',
]);

export const conditionsAreKnown: Check = {
  id: 'match-conditions',
  holds: 'No matchCondition but ours keeps writes from being judged (a note)',
  *look(facts) {
    for (const { name, matchConditions } of ourEntries(facts)) {
      const others = matchConditions.filter((one) => !knownConditions.has(one.name));
      if (others.length === 0) continue;
      yield {
        severity: 'info',
        what: `${name} has matchConditions that are not ours: ${listed(others.map((one) => one.name))}`,
        evidence: others.map((one) => `${one.name}: ${one.expression}; what it is false for is not judged, and nobody is told`),
        repair: 'nothing, if that is meant',
        commands: [],
      };
    }
  },
};

export const emergencyExitIsThere: Check = {
  id: 'emergency-exit',
  holds: 'Where an entry is `Fail`, its matchConditions let a break-glass write past',
  *look(facts) {
    for (const entry of ourEntries(facts)) {
      if (
        !entry.failsClosed ||
        entry.matchConditions.some(
          ({ expression }) => expression.includes("check('breakglass')") || expression.includes('check("breakglass")'),
        )
      )
        continue;
      const key = '"portcullis.dev/break-glass"';
      const expression = `object == null || !has(object.metadata.annotations) || !(${key} in object.metadata.annotations) || !authorizer.group("admissionregistration.k8s.io").resource("validatingwebhookconfigurations").name(${JSON.stringify(facts.configuration)}).check("breakglass").allowed()`;
      yield {
        severity: 'medium',
        what: `${entry.name} has no emergency exit: with nobody to answer, no write gets past it`,
        evidence: ['no matchCondition asks for the right to breakglass'],
        repair: 'add it',
        commands: [change(facts, entry.name, { matchConditions: [{ name: 'not-break-glass', expression }] })],
      };
    }
  },
};

export const sideEntriesStayOpen: Check = {
  id: 'side-entries-open',
  holds: 'Only the entry validate is ever `Fail`',
  *look(facts) {
    for (const { name } of ourEntries(facts).filter((entry) => entry.failsClosed && entry.name !== judging)) {
      const effect = name.startsWith('delete.') ? 'removals and the end of namespaces' : 'writes in protected namespaces';
      yield {
        severity: 'critical',
        what: `${name} is Fail: ${effect} are refused when nobody answers`,
        evidence: ['failurePolicy: Fail'],
        repair: 'let them pass',
        commands: [change(facts, name, { failurePolicy: 'Ignore' })],
      };
    }
  },
};

const harmless: ReadonlySet<string> = new Set(['services', 'ingresses', 'networkpolicies', 'endpointslices', 'ingressclasses']);
const isNetworking = (resource: string): boolean =>
  harmless.has(resource) || /route|gateway|networkpolic|referencegrant|backend/.test(resource);

export const asksAboutNetworkingOnly: Check = {
  id: 'networking-only',
  holds: 'Entries ask about networking objects alone, and answer within a few seconds',
  *look(facts) {
    for (const entry of ourEntries(facts)) {
      const wide = [...new Set(entry.rules.flatMap(({ resources }) => resources).filter((one) => !isNetworking(one)))];
      if (wide.length > 0) yield tooWide(facts, entry, wide);
      if (entry.timeoutSeconds > 10)
        yield {
          severity: entry.failsClosed ? 'medium' : 'low',
          what: `${entry.name} may hold up a write for ${entry.timeoutSeconds} s`,
          evidence: [`timeoutSeconds: ${entry.timeoutSeconds}`],
          repair: 'wait three seconds at most',
          commands: [change(facts, entry.name, { timeoutSeconds: 3 })],
        };
    }
  },
};

const tooWide = (facts: Facts, { name, failsClosed }: Entry, resources: readonly string[]) =>
  ({
    severity: failsClosed ? 'critical' : 'medium',
    what: `${name} is asked about ${listed(resources)}, of which nothing is ever judged`,
    evidence: [
      failsClosed
        ? 'failurePolicy: Fail, so these writes are refused when nobody answers'
        : 'failurePolicy: Ignore, so these writes only wait',
    ],
    repair: 'take them out of its rules',
    commands: [kubectl(facts, 'edit', 'validatingwebhookconfiguration', facts.configuration)],
  }) as const;

export const seesEverything: Check = {
  id: 'sees-everything',
  holds: 'No objectSelector keeps objects from being judged',
  *look(facts) {
    for (const { name, objectSelector } of ourEntries(facts)) {
      if (selectsEverything(objectSelector)) continue;
      yield {
        severity: 'low',
        what: `${name} is asked about some objects only`,
        evidence: [`objectSelector: ${formatSelector(objectSelector)}: whoever writes an object can keep it from being judged`],
        repair: 'nothing, if that is meant; else remove the objectSelector',
        commands: [change(facts, name, { objectSelector: null })],
      };
    }
  },
};
