/** Small clusters with NetworkPolicies, for properties: few names, so that selectors, ports and blocks often meet. */
import fc from 'fast-check';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject, Workload } from '../../src/kube/resources.ts';
import type { OraclePod, RawPolicy } from '../oracle/traffic.ts';

export const namespaceNames = ['shop', 'kube-system', 'default'] as const;

const oneOf = fc.constantFrom;
const labels = fc.dictionary(oneOf('app', 'tier'), oneOf('a', 'b', 'c'), { maxKeys: 2, noNullPrototype: true });
const rareKey = fc.oneof(
  { weight: 12, arbitrary: oneOf('app', 'tier') },
  { weight: 1, arbitrary: oneOf('constructor', '__proto__', 'statefulset.kubernetes.io/pod-name') },
);
const requirement = fc.oneof(
  fc.record({
    key: rareKey,
    operator: oneOf('In', 'NotIn'),
    values: fc.uniqueArray(oneOf('a', 'b', 'c', 'p0'), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ key: rareKey, operator: oneOf('Exists', 'DoesNotExist') }),
);

const selectorOver = (pairs: fc.Arbitrary<Record<string, string>>) =>
  fc.record({ matchLabels: pairs, matchExpressions: fc.array(requirement, { maxLength: 1 }) }, { requiredKeys: [] });
const podSelector = selectorOver(labels);
const namespaceSelector = selectorOver(
  fc.oneof(labels, fc.record({ 'kubernetes.io/metadata.name': oneOf(...namespaceNames) }), fc.constant<Record<string, string>>({})),
);

const blocks = [
  '10.0.0.0/30',
  '10.0.0.2/32',
  '10.0.0.0/8',
  '0.0.0.0/0',
  '192.168.0.0/16',
  '10.96.0.10/32',
  '::/0',
  'fd00::/127',
  '2001:db8::/32',
];
const ipBlock = fc.oneof(
  fc.record({ cidr: oneOf(...blocks) }),
  fc.record({
    cidr: fc.constant('10.0.0.0/8'),
    except: fc.uniqueArray(oneOf('10.0.0.0/30', '10.0.0.2/32', '10.96.0.0/12'), { maxLength: 2 }),
  }),
);
const peer = fc.oneof(
  { weight: 3, arbitrary: fc.record({ podSelector }) },
  { weight: 3, arbitrary: fc.record({ namespaceSelector }) },
  { weight: 3, arbitrary: fc.record({ podSelector, namespaceSelector }) },
  { weight: 1, arbitrary: fc.record({ ipBlock }) },
);
const number = oneOf(53, 80, 5353);
const protocol = oneOf('TCP', 'UDP');
const port = fc.oneof(
  fc.record({ protocol }, { requiredKeys: [] }),
  fc.record({ protocol, port: fc.oneof(number, oneOf('dns', 'web')) }, { requiredKeys: ['port'] }),
  fc.record({ protocol, port: oneOf(1, 53), endPort: oneOf(53, 80, 9000) }, { requiredKeys: ['port', 'endPort'] }),
);
const ports = fc.array(port, { maxLength: 2 });
const peers = fc.array(peer, { maxLength: 2 });

const policy: fc.Arbitrary<RawPolicy & RawObject> = fc
  .record({
    namespace: oneOf(...namespaceNames),
    spec: fc.record(
      {
        podSelector,
        policyTypes: fc.uniqueArray(oneOf('Ingress', 'Egress'), { maxLength: 2 }),
        ingress: fc.array(fc.record({ from: peers, ports }, { requiredKeys: [] }), { maxLength: 2 }),
        egress: fc.array(fc.record({ to: peers, ports }, { requiredKeys: [] }), { maxLength: 2 }),
      },
      { requiredKeys: ['podSelector'] },
    ),
  })
  .map(({ namespace, spec }) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace, name: '' }, spec }));

const declared = fc.uniqueArray(
  fc.record({ name: oneOf('dns', 'web'), containerPort: number, protocol }, { requiredKeys: ['containerPort', 'protocol'] }),
  { maxLength: 2, selector: ({ name, containerPort }) => name ?? containerPort },
);

export interface GeneratedWorkload {
  readonly namespace: string;
  readonly labels: Record<string, string>;
  readonly ports: readonly { name?: string; containerPort: number; protocol: string }[];
  readonly hostNetwork: boolean;
  /** The addresses of its Pods; none: a template that has none yet. A Pod without an address is not scheduled yet. */
  readonly pods: readonly (readonly string[])[];
}

const workload: fc.Arbitrary<GeneratedWorkload> = fc.record({
  namespace: oneOf(...namespaceNames),
  labels,
  ports: declared,
  hostNetwork: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  pods: fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.subarray(['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'], { minLength: 1, maxLength: 2 }) },
      { weight: 1, arbitrary: fc.constant<string[]>([]) },
    ),
    { maxLength: 2 },
  ),
});

export interface TrafficWorld {
  readonly namespaces: readonly { readonly name: string; readonly labels: Record<string, string> }[];
  readonly workloads: readonly GeneratedWorkload[];
  readonly policies: readonly (RawPolicy & RawObject)[];
}

export const trafficWorld: fc.Arbitrary<TrafficWorld> = fc
  .record({
    namespaceLabels: fc.tuple(labels, labels, labels),
    workloads: fc.array(workload, { minLength: 1, maxLength: 3 }),
    policies: fc.array(policy, { maxLength: 4 }),
  })
  .map(({ namespaceLabels, workloads, policies }) => ({
    namespaces: namespaceNames.map((name, index) => ({ name, labels: namespaceLabels[index] as Record<string, string> })),
    workloads,
    policies: policies.map((one, index) => ({ ...one, metadata: { ...one.metadata, name: `policy-${index}` } })),
  }));

/** The world as a view, and what the oracle knows of each of its workloads: one Pod or more. */
export function builtFrom(world: TrafficWorld): {
  readonly view: ClusterSnapshot;
  readonly ends: readonly (readonly [Workload, readonly OraclePod[]])[];
} {
  const pods = new Map<string, OraclePod>();
  const raw: RawObject[] = [...world.policies];
  for (const { name, labels: given } of world.namespaces)
    raw.push({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: given } });
  for (const [index, one] of world.workloads.entries()) {
    const spec = { hostNetwork: one.hostNetwork, containers: [{ name: 'main', ports: one.ports }] };
    if (one.pods.length === 0) {
      const template = { metadata: { labels: one.labels }, spec };
      raw.push({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { namespace: one.namespace, name: `w${index}` },
        spec: { template },
      });
      for (const name of [`w${index}-a`, `w${index}-b`]) pods.set(name, { ...one, name, ips: undefined });
    }
    for (const [number, ips] of one.pods.entries()) {
      const name = `p${index}${number}`;
      const withName = { ...one.labels, 'statefulset.kubernetes.io/pod-name': name };
      raw.push({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace: one.namespace, name, labels: withName },
        spec,
        status: { podIPs: ips.map((ip) => ({ ip })) },
      });
      pods.set(name, { ...one, labels: withName, name, ips: ips.length === 0 ? undefined : ips });
    }
  }
  const empty = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' });
  const view = empty.with(raw.flatMap((object) => normalize(object) ?? []));
  const membersOf = (shape: Workload): readonly string[] =>
    shape.kind === 'Pod' ? view.pods(shape).names(9) : [`${shape.metadata.name}-a`, `${shape.metadata.name}-b`];
  const shapes = namespaceNames.flatMap((namespace) => view.workloads(namespace));
  return { view, ends: shapes.map((shape) => [shape, membersOf(shape).map((name) => pods.get(name) as OraclePod)] as const) };
}
