/** AdmissionReviews and worlds for tests of the way from request to answer. */
import { z } from 'zod';
import type { BoundSettings, Deadline, Ports, ReviewConfiguration } from '../../src/admission/handler.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { Decision } from '../../src/engine/review.ts';
import { defineRule, type Rule } from '../../src/engine/rule.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject, Resource } from '../../src/kube/resources.ts';

export const service = (name = 'web', spec: RawObject = {}, metadata: RawObject = {}): RawObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop', ...metadata },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
});

export const namespace = (name: string, metadata: RawObject = {}): RawObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...metadata },
});

export const requestFor = (object: RawObject | null, changes: RawObject = {}): RawObject => ({
  uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
  kind: { group: '', version: 'v1', kind: 'Service' },
  resource: { group: '', version: 'v1', resource: 'services' },
  namespace: 'shop',
  operation: 'CREATE',
  userInfo: { username: 'alice', groups: ['developers'] },
  object,
  oldObject: null,
  dryRun: false,
  options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
  ...changes,
});

export const reviewOf = (request: RawObject): RawObject => ({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });

export const snapshotOf = (...objects: readonly RawObject[]): ClusterSnapshot =>
  ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(objects.map((object) => normalize(object) as Resource));

/** Denies a Service whose selector has no Pod template in the view, and reads the Secret named after it if `fetching`. */
export const needsTemplate = (overrides: { readonly id?: string; readonly fetching?: boolean } = {}): Rule =>
  defineRule({
    id: overrides.id ?? 'service-needs-template',
    kinds: ['Service'],
    orderClass: 'backward',
    summary: 'A Service has a template',
    reads: ['Template'],
    since: '0.1.0',
    options: z.strictObject({}),
    messages: {
      missing: {
        severity: 'high',
        modes: { guided: 'deny', strict: 'deny' },
        facts: 'namespace',
        text: ({ name }: { readonly name: string }) => ({
          what: `${name} has no template`,
          why: 'Nothing answers.',
          fixes: [{ text: 'create one' }],
        }),
      },
    },
    fetches: (object) =>
      overrides.fetching ? [{ apiVersion: 'v1', kind: 'Secret', namespace: object.metadata.namespace, name: object.metadata.name }] : [],
    *check({ object, cluster, finding }) {
      const { namespace: within, name } = object.metadata;
      if (overrides.fetching) {
        const secret = cluster.fetched({ apiVersion: 'v1', kind: 'Secret', namespace: within, name });
        if (secret === 'absent') yield finding('missing', ['metadata', 'name'], { name: 'secret' });
      }
      if (cluster.workloadsSelectedBy(object.spec.selector, within).length === 0) yield finding('missing', ['spec', 'selector'], { name });
    },
  });

/** Throws, or finds, as it is told. */
export const selfContained = (id: string, check: (name: string) => boolean, severity: Finding['severity'] = 'medium'): Rule =>
  defineRule({
    id,
    kinds: ['Service'],
    orderClass: 'self-contained',
    summary: 'Always',
    reads: [],
    since: '0.1.0',
    options: z.strictObject({}),
    messages: {
      wrong: {
        severity,
        modes: { guided: 'deny', strict: 'deny' },
        facts: 'self',
        text: ({ what }: { readonly what: string }) => ({ what, why: 'It breaks.', fixes: [{ text: 'mend it' }] }),
      },
    },
    *check({ object, finding }) {
      if (check(object.metadata.name)) yield finding('wrong', ['spec', 'ports', 0, 'port'], { what: 'is wrong' });
    },
  });

export const configurationOf = (rules: readonly Rule[], settings: Partial<BoundSettings> = {}): ReviewConfiguration => {
  const configured = rules.map((rule) => rule.configure());
  return {
    docsBaseUrl: '',
    bind: () => ({
      rules: configured,
      claims: [],
      notices: [],
      modeOf: (_, message) => message.modes.guided,
      exemptionOf: () => undefined,
      ...settings,
    }),
  };
};

export const portsOf = (snapshot: ClusterSnapshot, configuration: ReviewConfiguration, changes: Partial<Ports> = {}): Ports => ({
  snapshot: () => snapshot,
  readByName: async () => new Map(),
  confirm: async () => snapshot,
  configuration: () => configuration,
  mayUse: async () => 'unknown',
  mayList: async () => 'unknown',
  tellsOfOthers: () => false,
  now: () => 0,
  ...changes,
});

export const plentyOfTime: Deadline = { remainingMs: () => 2400, signal: () => new AbortController().signal };

export const findingWith = (changes: Partial<Finding>): Finding => ({
  ruleId: 'service-selector-matches-no-pods',
  messageId: 'noPodMatches',
  severity: 'high',
  facts: 'namespace',
  subject: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web' },
  path: ['spec', 'selector'],
  what: 'app=wbe matches 0 of 41 Pods in shop',
  why: 'The Service has no endpoints.',
  fix: { text: 'did you mean app=web (3 Pods)?' },
  related: [],
  fingerprint: 'f',
  defects: ['f'],
  ...changes,
});

export const decisionWith = (changes: Partial<Decision>): Decision => ({
  allowed: (changes.denials ?? []).length === 0,
  denials: [],
  warnings: [],
  audited: [],
  exempted: [],
  skipped: [],
  faults: [],
  toConfirm: new Map(),
  ...changes,
});
