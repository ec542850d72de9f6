import { describe, expect, it } from 'vitest';
import { NotKnown } from '../../src/cluster/recording.ts';
import { asksResolver, findResolver, formatResolver, resolverOf } from '../../src/cluster/resolver.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import { isJudged } from '../../src/kube/collections.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { JudgedResource, RawObject, Workload } from '../../src/kube/resources.ts';
import { networkPolicyIsolatesDns } from '../../src/rules/network-policy-isolates-dns.ts';

const viewOf = (...objects: readonly RawObject[]): ClusterSnapshot =>
  ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(objects.flatMap((raw) => normalize(raw) ?? []));

interface Differences {
  readonly metadata?: RawObject;
  readonly spec?: RawObject;
}
const dnsPorts = [
  { name: 'dns', port: 53, protocol: 'UDP', targetPort: 'dns' },
  { name: 'dns-tcp', port: 53, targetPort: 'dns-tcp' },
  { name: 'metrics', port: 9153 },
];
const service = ({ metadata = {}, spec = {} }: Differences = {}): RawObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'kube-dns', namespace: 'kube-system', ...metadata },
  spec: { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], selector: { 'k8s-app': 'kube-dns' }, ports: dnsPorts, ...spec },
});
const containers = (port: number) => [
  {
    name: 'dns',
    ports: [
      { name: 'dns', containerPort: port, protocol: 'UDP' },
      { name: 'dns-tcp', containerPort: port },
    ],
  },
];
const deployment = (name: string, labels: RawObject, spec: RawObject, kind = 'Deployment'): RawObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace: 'kube-system' },
  spec: { template: { metadata: { labels }, spec } },
});
const coredns = deployment('coredns', { 'k8s-app': 'kube-dns' }, { containers: containers(53) });

describe('findResolver', () => {
  it('finds the Service and the ports behind it', () => {
    const resolver = findResolver(viewOf(service(), coredns));
    expect(resolver?.ports).toEqual([
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ]);
    expect(resolver?.destinations.map(({ serviceAddresses }) => serviceAddresses)).toEqual([['10.96.0.10'], ['10.96.0.10']]);
    expect(resolver && formatResolver(resolver)).toBe('Service kube-system/kube-dns (Pods k8s-app=kube-dns, 53/UDP)');
  });

  it('knows the port on the Pods, which need not be the Service port', () => {
    const pods = deployment('coredns', { 'k8s-app': 'kube-dns' }, { containers: containers(5353) });
    expect(findResolver(viewOf(service(), pods))?.ports.map(({ port }) => port)).toEqual([5353, 5353]);
  });

  it.each([
    ['by its label, whatever its name', { metadata: { name: 'cluster-resolver', labels: { 'k8s-app': 'kube-dns' } } }],
    [
      "by the labels of CoreDNS's chart, whatever its release is called",
      { metadata: { name: 'names-coredns', labels: { 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' } } },
    ],
    ['by the name of RKE2', { metadata: { name: 'rke2-coredns-rke2-coredns' } }],
    ['by the name of OpenShift', { metadata: { name: 'dns-default', namespace: 'openshift-dns' } }],
  ])('is found %s', (_, differences) => expect(findResolver(viewOf(service(differences)))).toBeDefined());

  it.each([
    ["a CoreDNS beside it that is not the cluster's", { metadata: { name: 'names', labels: { 'kubernetes.io/name': 'CoreDNS' } } }],
    ['another Service of its namespace', { metadata: { name: 'metrics-server' } }],
    ['one of another namespace', { metadata: { namespace: 'shop' } }],
    ['one without DNS over UDP', { spec: { ports: [{ port: 53 }] } }],
    ['one whose endpoints someone else writes', { spec: { selector: {} } }],
    ['an ExternalName', { spec: { type: 'ExternalName', externalName: 'dns.example.com' } }],
  ])('is not %s', (_, differences) => expect(findResolver(viewOf(service(differences)))).toBeUndefined());

  it('takes the one that kubelets hand out, not the one that only node caches ask', () => {
    const upstream = service({ metadata: { name: 'kube-dns-upstream', labels: { 'k8s-app': 'kube-dns' } } });
    const unlabelled = service({ metadata: { name: 'kube-dns' } });
    const alphabeticallyFirst = service({ metadata: { name: 'a-headless-one', labels: { 'k8s-app': 'kube-dns' } } });
    expect(findResolver(viewOf(upstream, unlabelled, alphabeticallyFirst))?.service.metadata.name).toBe('kube-dns');
  });

  it('takes the one that the configuration names', () => {
    const other = service({ metadata: { name: 'resolver', namespace: 'dns' } });
    const view = viewOf(service(), other);
    expect(findResolver(view, { namespace: 'dns', name: 'resolver' })?.service.metadata.namespace).toBe('dns');
    expect(findResolver(view, { namespace: 'dns', name: 'gone' })).toBeUndefined();
  });

  it('believes Pods before their template', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'coredns-1', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
    };
    const view = viewOf(service(), coredns, { ...pod, spec: { containers: containers(5353) } });
    expect(findResolver(view)?.destinations.map(({ workload, port }) => [workload.kind, port])).toEqual([
      ['Pod', 5353],
      ['Pod', 5353],
    ]);
  });

  it('knows no Service address before there is one, and none of a headless Service', () => {
    const addressesOf = (spec: RawObject) => findResolver(viewOf(service({ spec }), coredns))?.destinations[0]?.serviceAddresses;
    expect(addressesOf({ clusterIP: undefined, clusterIPs: [] })).toBeUndefined();
    expect(addressesOf({ clusterIP: 'None', clusterIPs: ['None'] })).toEqual([]);
  });

  it('sees the caches on the nodes', () => {
    const cache = deployment('node-local-dns', { 'k8s-app': 'node-local-dns' }, { hostNetwork: true }, 'DaemonSet');
    expect(findResolver(viewOf(service(), coredns, cache))?.nodeAgents).toHaveLength(1);
    expect(findResolver(viewOf(service(), coredns))?.nodeAgents).toHaveLength(0);
  });

  const cacheAt = (spec: RawObject, labels: RawObject = { 'k8s-app': 'nodelocaldns' }) =>
    deployment('nodelocaldns', labels, { containers: [{ args: ['-localip', '169.254.25.10'] }], ...spec }, 'DaemonSet');

  it('knows where they answer, and knows them by that', () => {
    const resolver = findResolver(viewOf(service(), coredns, cacheAt({ hostNetwork: true })));
    expect(resolver?.nodeAgents).toHaveLength(1);
    expect(resolver?.nodeAddresses).toEqual(['169.254.25.10']);
  });

  it('knows no address of the node where they are Pods like others', () => {
    const resolver = findResolver(viewOf(service(), coredns, cacheAt({})));
    expect(resolver?.nodeAgents.map(({ serviceAddresses }) => serviceAddresses)).toEqual([['169.254.25.10']]);
    expect(resolver?.nodeAddresses).toEqual([]);
  });
});

describe('where no resolver is known', () => {
  it.each([
    ['no Service', viewOf(), 'Service'],
    ['nothing behind the Service', viewOf(service()), 'Pod'],
    ['no port by its name', viewOf(service(), deployment('coredns', { 'k8s-app': 'kube-dns' }, { containers: [{ name: 'dns' }] })), 'Pod'],
  ])('%s: nothing is concluded', (_, view, collection) => {
    expect(() => resolverOf(view)).toThrow(NotKnown);
    const policy = judged({ metadata: { name: 'default-deny', namespace: 'shop' }, spec: { podSelector: {}, policyTypes: ['Egress'] } });
    const web = { ...coredns, metadata: { name: 'web', namespace: 'shop' } };
    const cluster = view.with([policy, ...viewOf(web).workloads('shop')]);
    const { findings, skipped } = evaluate({ object: policy, operation: 'WRITE', before: undefined }, cluster, [
      networkPolicyIsolatesDns.configure(),
    ]);
    expect(findings).toEqual([]);
    expect(skipped).toEqual([{ ruleId: 'network-policy-isolates-dns', reason: 'notGiven', missing: collection, namespace: 'kube-system' }]);
  });
});

function judged(raw: RawObject): JudgedResource {
  const resource = normalize({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', ...raw });
  if (resource === undefined || !isJudged(resource)) throw new Error('no policy');
  return resource;
}

it.each([
  [{}, true],
  [{ hostNetwork: true }, false],
  [{ dnsPolicy: 'ClusterFirst' }, true],
  [{ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }, true],
  [{ dnsPolicy: 'ClusterFirstWithHostNet' }, true],
  [{ dnsPolicy: 'Default' }, false],
  [{ dnsPolicy: 'None', dnsConfig: { nameservers: ['192.0.2.53'] } }, false],
  [{ dnsPolicy: 'None', dnsConfig: { nameservers: ['192.0.2.53', '10.96.0.10'] } }, true],
  [{ dnsPolicy: 'None', dnsConfig: { nameservers: ['169.254.20.10'] } }, true],
])('%j asks the resolver: %s', (spec, expected) => {
  const args = ['-localip', '169.254.20.10,10.96.0.10'];
  const cache = deployment('node-local-dns', {}, { hostNetwork: true, containers: [{ args }] }, 'DaemonSet');
  const view = viewOf(service(), coredns, cache, deployment('web', { app: 'web' }, spec));
  const web = view.workloads('kube-system').find(({ metadata }) => metadata.name === 'web') as Workload;
  expect(asksResolver(web, resolverOf(view))).toBe(expected);
});
