/** Pairs of clusters for the law of non-interference in which rules for NetworkPolicies have foreign facts to conclude from. */
import fc from 'fast-check';
import type { RawObject } from '../../src/kube/resources.ts';
import { allReaders, apart, mayListRaw, type Pair, profiles } from './answer-pairs.ts';
import { complete } from './objects.ts';
import { apiServer, dependentElsewhere, flannel, nodeCache, ovnKubernetes, resolver } from './usual-objects.ts';

const own = 'shop';

/** Alike in what they ask, so that now and then one fits; of namespaces here and elsewhere. */
const namespaceSelector = fc.constantFrom(
  {},
  { matchLabels: { team: 'b' } },
  { matchLabels: { name: 'hidden-one' } },
  { matchLabels: { name: 'kube-system' } },
  { matchLabels: { 'kubernetes.io/metadata.name': 'hidden-one' } },
  { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } },
  { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
);
const podSelector = fc.constantFrom(
  { matchLabels: { app: 'web' } },
  { matchLabels: { app: 'asker' } },
  { matchLabels: { app: 'wbe' } },
  { matchLabels: { app: 'agent' } },
  { matchLabels: { 'app.kubernetes.io/name': 'ingress-nginx' } },
  { matchLabels: { version: 'v1' } },
  { matchLabels: { 'k8s-app': 'kube-dns' } },
);
const cidr = fc.constantFrom('0.0.0.0/0', '10.96.0.10/32', '10.96.0.83/32', '10.50.0.0/16', '10.50.0.7/32', '192.0.2.0/24');
const peer = fc.oneof(
  fc.record({ namespaceSelector, podSelector }),
  fc.record({ namespaceSelector }),
  fc.record({ podSelector }),
  fc.record({ ipBlock: fc.record({ cidr }) }),
);
const dns = [{ protocol: 'UDP', port: 53 }, { port: 53 }];
const ports = fc.constantFrom(
  ...[undefined, undefined, dns, [{ port: 53 }], [{ port: 80 }], [{ port: 8080 }], [{ port: 'http' }]],
  ...[[{ protocol: 'UDP', port: 53 }], [{ protocol: 'UDP', port: 5353 }], [{ port: 80, endPort: 90 }], [{ protocol: 'SCTP', port: 80 }]],
);
/** What people mostly write, in ways that rules for DNS and for Services have something to say of. */
const kubeDns = {
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
  podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
};
const usualEgress = fc.constantFrom<object>(
  { to: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ protocol: 'TCP', port: 80 }] },
  { to: [kubeDns], ports: dns },
  { to: [kubeDns], ports: [{ protocol: 'UDP', port: 53 }] },
  { to: [kubeDns], ports: [{ protocol: 'UDP', port: 5353 }] },
  { to: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ protocol: 'TCP', port: 'htpt' }] },
);
/** A dash too many, in the first; the others open to other namespaces, or to none. */
const usualIngress = fc.constantFrom<object>(
  { from: [{ namespaceSelector: { matchLabels: { team: 'b' } } }, { podSelector: { matchLabels: { version: 'v1' } } }] },
  { from: [{ namespaceSelector: {} }, { podSelector: { matchLabels: { app: 'web' } } }] },
  { from: [{ podSelector: {} }] },
  { from: [{ namespaceSelector: {} }] },
  { from: [{ namespaceSelector: { matchLabels: { team: 'b' } } }] },
);
/** The list of peers is left out for anybody. */
const rulesFor = (peers: 'from' | 'to', usual: fc.Arbitrary<object>) =>
  fc.array(
    fc.oneof(fc.record({ [peers]: fc.option(fc.array(peer, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 5 }), ports }), usual),
    { maxLength: 2 },
  );
const spec = fc.record({
  podSelector: fc.constantFrom({}, {}, { matchLabels: { app: 'web' } }, { matchLabels: { app: 'agent' } }, { matchLabels: { app: 'wbe' } }),
  policyTypes: fc.constantFrom(['Ingress'], ['Egress'], ['Ingress', 'Egress'], ['Ingress', 'Egress']),
  ingress: rulesFor('from', usualIngress),
  egress: rulesFor('to', usualEgress),
});
const policyNamed = (name: string, namespace: string) =>
  spec.map((one) => ({ kind: 'NetworkPolicy', metadata: { name, namespace }, spec: one }));
/** Shuts all Pods of a namespace. */
const denial = (namespace: string): RawObject => ({
  kind: 'NetworkPolicy',
  metadata: { name: 'deny', namespace },
  spec: { policyTypes: ['Ingress', 'Egress'] },
});

interface Made {
  readonly kind?: string;
  readonly pod?: object;
  readonly container?: object;
}
const workload = (namespace: string, name: string, labels: object, { kind = 'Deployment', pod, container }: Made = {}): RawObject => ({
  kind,
  metadata: { name, namespace },
  spec: {
    template: { metadata: { labels }, spec: { ...pod, containers: [{ ports: [{ name: 'http', containerPort: 8080 }], ...container }] } },
  },
});
const serviceFor = (name: string, clusterIP: string): RawObject => ({
  kind: 'Service',
  metadata: { name, namespace: own },
  spec: { clusterIP, selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
});
const ingressOf = (namespace: string): RawObject => ({
  kind: 'Ingress',
  metadata: { name: 'web', namespace },
  spec: { ingressClassName: 'nginx', defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
});

/** What everybody here may read: an Ingress, who asks whom, what asks to be scraped, and what the API server calls. */
const home: readonly RawObject[] = [
  ...[...resolver, apiServer, { kind: 'Namespace', metadata: { name: own, labels: { team: 'a' } } }],
  ...[serviceFor('web', '10.96.0.82'), serviceFor('asked', '10.96.0.81'), ingressOf(own)],
  workload(own, 'web', { app: 'web' }, { pod: { priorityClassName: 'system-cluster-critical', serviceAccountName: 'web' } }),
  workload(
    own,
    'asker',
    { app: 'asker' },
    { container: { env: ['http://asked/', 'http://told.hidden-one/'].map((value, at) => ({ name: `ASKED_${at}`, value })) } },
  ),
  workload(own, 'agent', { app: 'agent' }, { kind: 'DaemonSet', pod: { hostNetwork: true } }),
  { kind: 'IngressClass', metadata: { name: 'nginx' }, spec: { controller: 'k8s.io/ingress-nginx' } },
  {
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'called' },
    webhooks: [{ clientConfig: { service: { namespace: own, name: 'web', port: 80 } }, rules: [{ apiGroups: [''], resources: ['pods'] }] }],
  },
].map((one) => complete(one as RawObject));
const scraped: RawObject = {
  kind: 'Pod',
  metadata: {
    ...{ name: 'web-1', namespace: own, labels: { app: 'web' } },
    annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
  },
  spec: { containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
  status: { phase: 'Running', podIPs: [{ ip: '10.50.0.6' }] },
};

const controller = { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' };
const prometheus = { 'app.kubernetes.io/name': 'prometheus' };
const namespaceLabels = fc.constantFrom({}, { team: 'b' }, { name: 'hidden-one' });
const namespaceNamed = (name: string) => namespaceLabels.map((labels): RawObject => ({ kind: 'Namespace', metadata: { name, labels } }));

/** Each is there or not: who serves Ingresses and where, who scrapes, who asks and is asked, and what shuts or carries them. */
const away: fc.Arbitrary<readonly RawObject[]> = fc
  .tuple(
    namespaceNamed('hidden-one'),
    namespaceNamed('ingress-nginx'),
    fc.constantFrom({}, { version: 'v1' }, { app: 'web' }),
    fc.constantFrom('ingress-nginx', 'ingress-nginx', 'hidden-one'),
    fc.boolean(),
  )
  .chain(([one, nginx, more, where, hostNetwork]) =>
    fc.subarray<RawObject>([
      ...[one, nginx, denial('hidden-one'), denial('ingress-nginx'), ...dependentElsewhere, ingressOf('hidden-one')],
      workload(where, 'ingress-nginx-controller', { ...controller, ...more }, { pod: { hostNetwork } }),
      workload('hidden-two', 'other-controller', controller),
      workload('hidden-one', 'prometheus', { ...prometheus, ...more }, { pod: { hostNetwork } }),
      workload('hidden-one', 'web', { app: 'web', ...more }, { pod: { hostNetwork } }),
      { ...scraped, metadata: { name: 'web-2', namespace: 'hidden-one', labels: { app: 'web', ...more } } },
      { kind: 'Namespace', metadata: { name: 'hidden-two', labels: { team: 'b' } } },
      workload('kube-system', 'konnectivity-agent', { 'k8s-app': 'konnectivity-agent', ...more }),
    ]),
  )
  .map((all) => all.map((each) => complete(each)));

/** Writes of policies in a namespace, by people who may know little of the others. */
export const policyPair: fc.Arbitrary<Pair> = fc
  .record({
    written: fc.oneof(
      { weight: 6, arbitrary: policyNamed('written', own) },
      { weight: 1, arbitrary: policyNamed('deny', 'kube-system') },
      { weight: 2, arbitrary: fc.constant(ingressOf(own)) },
    ),
    // Shut as long as nothing else is said, so that an update may open.
    was: fc.oneof(spec, fc.constant({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] })),
    beside: fc.constantFrom('nothing', 'nothing', 'the same', 'another'),
    another: policyNamed('beside', own),
    isApplied: fc.boolean(),
    mine: fc.subarray([scraped, workload(own, 'own-controller', controller), workload(own, 'prometheus', prometheus)]),
    extra: fc.constantFrom([], [nodeCache], [nodeCache], [flannel], [ovnKubernetes], [ovnKubernetes]),
    operation: fc.constantFrom('CREATE', 'UPDATE', 'UPDATE', 'DELETE'),
    dryRun: fc.boolean(),
    profile: fc.constantFrom(...profiles),
    reader: fc.constantFrom(...allReaders),
    both: away,
    hidden: fc.oneof(fc.tuple(away, away), fc.tuple(away, fc.constant([]))),
  })
  .map(({ written, was, beside, another, isApplied, mine, extra, both, hidden, ...rest }): Pair => {
    const policies = beside === 'nothing' ? [] : [beside === 'another' ? another : { ...written, metadata: another.metadata }];
    const object = complete(JSON.parse(JSON.stringify(isApplied ? applied(written) : written)));
    const cluster = [...home, ...[...mine, ...extra, ...policies].map((one) => complete(JSON.parse(JSON.stringify(one))))];
    const before = { ...object, spec: object['kind'] === 'NetworkPolicy' ? JSON.parse(JSON.stringify(was)) : object['spec'] };
    const { namespace } = written.metadata as { readonly namespace: string };
    const world = { object, cluster, unrelated: [] };
    return {
      ...rest,
      world,
      before,
      readable: both.filter((raw) => mayListRaw(rest.reader, raw)),
      hidden: apart(namespace, rest.reader, hidden),
    };
  });

/** By `kubectl apply`, which keeps what was written. */
const applied = (object: RawObject): RawObject => ({
  ...object,
  metadata: {
    ...(object['metadata'] as object),
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(object) },
  },
});
