/** An object that an enabled rule must find, whatever the cluster holds: what it refers to has a random name. */
import { randomUUID } from 'node:crypto';
import type { Configuration } from '../config/settings.ts';
import { isJudged } from '../kube/collections.ts';
import { labelsOf } from '../kube/labels.ts';
import { normalize } from '../kube/normalize.ts';
import type { RawObject } from '../kube/resources.ts';
import { admissionReview, admitted } from './demo-review.ts';

export interface KnownBad {
  readonly ruleId: string;
  /** The body of the POST: a CREATE, as a dry-run. */
  readonly review: RawObject;
  readonly uid: string;
}

interface Candidate {
  readonly ruleId: string;
  readonly manifest: RawObject;
}

const candidates = (nobody: string): readonly Candidate[] => [
  {
    ruleId: 'service-selector-matches-no-pods',
    manifest: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'portcullis-selftest' },
      spec: { selector: { 'portcullis.dev/selftest': nobody }, ports: [{ port: 80 }] },
    },
  },
  {
    ruleId: 'tls-secret-missing',
    manifest: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'portcullis-selftest' },
      spec: {
        tls: [{ hosts: ['selftest.invalid'], secretName: `portcullis-selftest-${nobody}` }],
        defaultBackend: { service: { name: 'portcullis-selftest', port: { number: 80 } } },
      },
    },
  },
];

/** Where nothing is usually exempt; the second one is of nobody, since overrides and exemptions name namespaces that exist. */
const namespaces = ['default', 'portcullis-selftest'] as const;

/** Undefined where the configuration has switched off every rule that could find something. `now`: epoch milliseconds. */
export function knownBad(configuration: Configuration, now: number): KnownBad | undefined {
  for (const namespace of namespaces)
    for (const { ruleId, manifest } of candidates(randomUUID())) {
      const object = admitted(manifest, namespace);
      if (!isFound(configuration, ruleId, object, now)) continue;
      const review = JSON.parse(JSON.stringify(admissionReview({ operation: 'CREATE', before: undefined, after: object, dryRun: true })));
      return { ruleId, review, uid: review.request.uid };
    }
  return undefined;
}

/** What is recorded only is found too: it stands in the audit annotation. */
function isFound({ bind, secrets }: Configuration, ruleId: string, object: RawObject, now: number): boolean {
  const judged = normalize(object);
  if (judged === undefined || !isJudged(judged) || (ruleId === 'tls-secret-missing' && secrets.level === 'off')) return false;
  const { rules, modeOf, exemptionOf } = bind({ object: judged, operation: 'CREATE', namespaceLabels: labelsOf({}), now });
  const rule = rules.find(({ meta }) => meta.id === ruleId);
  const grave = Object.values(rule?.messages ?? {}).find(({ severity }) => severity === 'high');
  const finding = { ruleId } as Parameters<typeof exemptionOf>[0];
  return grave !== undefined && modeOf(finding, grave) !== 'off' && exemptionOf(finding, true) === undefined;
}
