/** Small worlds in which everything that a NetworkPolicy can say is said often, about Pods that are easily mistaken for one another. */
import fc from 'fast-check';
import type {
  Protocol,
  RawContainer,
  RawNamespace,
  RawPeer,
  RawPod,
  RawPolicy,
  RawPolicyPort,
  RawRequirement,
  RawRule,
  RawSelector,
  RawWorld,
} from './raw-objects.ts';

/** A world, and the ports by which each Pod is asked for. */
export interface AskedWorld extends RawWorld {
  readonly ports: readonly { readonly protocol: Protocol; readonly port: number }[];
}

/** Addresses that no Pod has, inside and outside of the blocks that policies name. */
export const outsiders = ['192.0.2.1', '192.0.2.200', '198.51.100.7', '10.0.0.200', '2001:db8::1', 'fd00::ff'] as const;

/** One for each Pod, so that small blocks hold some replicas and not others. */
const addressOf = { v4: (index: number) => `10.0.0.${index + 1}`, v6: (index: number) => `fd00::${index + 1}` };

const blocks = fc.constantFrom(
  ...([
    { cidr: '0.0.0.0/0', holes: ['10.0.0.0/8', '192.0.2.0/24', '10.0.0.1/32', '0.0.0.0/1'] },
    { cidr: '10.0.0.0/8', holes: ['10.0.0.0/24', '10.0.0.2/31', '10.0.0.3/32'] },
    { cidr: '10.0.0.0/30', holes: ['10.0.0.1/32', '10.0.0.2/31'] },
    { cidr: '10.0.0.0/24', holes: ['10.0.0.128/25', '10.0.0.0/25'] },
    { cidr: '192.0.2.0/24', holes: ['192.0.2.128/25', '192.0.2.1/32'] },
    { cidr: '192.0.2.200/32', holes: [] },
    { cidr: '::/0', holes: ['fd00::/8', '2001:db8::/32', 'fd00::1/128', '8000::/1'] },
    { cidr: 'fd00::/64', holes: ['fd00::2/127', 'fd00:0:0:0::/65', 'fd00::FF/128'] },
    { cidr: '2001:db8::/33', holes: ['2001:db8:0:0:0:0:0:1/128'] },
  ] as const),
);

const namespaceNames = ['a', 'b', 'c', 'd'] as const;
const name = fc.constantFrom(...namespaceNames);
/** Of Pods and namespaces alike, so that one taken for the other shows. `constructor` is a label like any other. */
const labelKey = fc.constantFrom('app', 'app', 'app', 'tier', 'tier', 'constructor');
const labelValue = fc.constantFrom('x', 'x', 'y', '');
const labels = fc.dictionary(labelKey, labelValue, { maxKeys: 2 });
const protocol = fc.constantFrom<Protocol[]>('TCP', 'TCP', 'UDP', 'SCTP');
const portName = fc.constantFrom('http', 'dns', 'web');
const portNumber = fc.constantFrom(53, 80, 81, 8080);

/** Left out, null, or there. */
const orNothing = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 1, arbitrary: fc.constantFrom(undefined, null) }, { weight: 3, arbitrary });

/** Left out, null, empty, or with a few. */
const list = <T>(item: fc.Arbitrary<T>, maxLength: number) => orNothing(fc.array(item, { maxLength }));

/** One namespace's name is a label too, and of none else. */
const requirement: fc.Arbitrary<RawRequirement> = fc.oneof(
  fc.record({
    key: labelKey,
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.uniqueArray(labelValue, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ key: labelKey, operator: fc.constantFrom('Exists', 'DoesNotExist'), values: fc.constantFrom(undefined, null, []) }),
);

const selector: fc.Arbitrary<RawSelector> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 3, arbitrary: fc.record({ matchLabels: fc.dictionary(labelKey, labelValue, { minKeys: 1, maxKeys: 1 }) }) },
  { weight: 3, arbitrary: fc.record({ matchLabels: orNothing(labels), matchExpressions: list(requirement, 2) }) },
);

const byNameOfNamespace: fc.Arbitrary<RawSelector> = fc.oneof(
  fc.record({ matchLabels: fc.record({ 'kubernetes.io/metadata.name': name }) }),
  fc
    .record({ operator: fc.constantFrom('In' as const, 'NotIn' as const), values: fc.uniqueArray(name, { minLength: 1, maxLength: 2 }) })
    .map((rest) => ({ matchExpressions: [{ key: 'kubernetes.io/metadata.name', ...rest }] })),
);
const namespaceSelector = fc.oneof({ weight: 3, arbitrary: selector }, { weight: 1, arbitrary: byNameOfNamespace });

const ipBlock = blocks.chain(({ cidr, holes }) => fc.record({ cidr: fc.constant(cidr), except: orNothing(fc.subarray([...holes])) }));

const nothing = fc.constantFrom(undefined, null);
const peer: fc.Arbitrary<RawPeer> = fc.oneof(
  fc.record({ podSelector: selector, namespaceSelector: nothing, ipBlock: nothing }),
  fc.record({ podSelector: nothing, namespaceSelector }),
  fc.record({ podSelector: selector, namespaceSelector }),
  fc.record({ podSelector: nothing, ipBlock }),
);

/** With an `endPort`, of 0 to 30 ports more. */
const policyPort: fc.Arbitrary<RawPolicyPort> = fc.oneof(
  fc.record({ protocol: orNothing(protocol), port: orNothing(fc.oneof(portNumber, portName)) }),
  fc
    .record({ protocol: orNothing(protocol), port: fc.constantFrom(50, 53, 54, 79, 80), more: fc.constantFrom(0, 1, 30) })
    .map(({ more, ...rest }) => ({ ...rest, endPort: rest.port + more })),
);

const rule = (peers: 'from' | 'to'): fc.Arbitrary<RawRule> =>
  fc.record({ [peers]: list(peer, 2), ports: list(policyPort, 2) }) as fc.Arbitrary<RawRule>;

const policyTypes = fc.constantFrom(undefined, null, [], ['Ingress'], ['Egress'], ['Ingress', 'Egress'], ['Egress', 'Ingress']);

const policySpec = fc.record({
  podSelector: orNothing(selector),
  policyTypes,
  ingress: list(rule('from'), 2),
  egress: list(rule('to'), 2),
});

/** Names are unique within a Pod, as the API wants them. */
const containers: fc.Arbitrary<readonly RawContainer[]> = fc
  .uniqueArray(fc.record({ name: fc.option(portName, { nil: undefined }), containerPort: portNumber, protocol: orNothing(protocol) }), {
    maxLength: 3,
    selector: (port) => port.name ?? `${port.containerPort}/${port.protocol}`,
  })
  .chain((ports) => fc.integer({ min: 0, max: ports.length }).map((cut) => [{ ports: ports.slice(0, cut) }, { ports: ports.slice(cut) }]));

/** Pods that differ in their addresses alone, if at all. */
const replicas = fc.record({
  namespace: fc.nat({ max: 3 }),
  labels: orNothing(labels),
  containers,
  hasSidecar: fc.boolean(),
  hostNetwork: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, null, false, true),
  families: fc.array(fc.constantFrom<('v4' | 'v6')[][]>(['v4'], ['v4'], ['v6'], ['v4', 'v6'], []), { minLength: 1, maxLength: 3 }),
});
type Replicas = typeof replicas extends fc.Arbitrary<infer T> ? T : never;

const world = fc.record({
  labelsOfNamespaces: fc.array(orNothing(labels), { minLength: 2, maxLength: 4 }),
  replicas: fc.array(replicas, { minLength: 2, maxLength: 4 }),
  policies: fc.array(fc.record({ namespace: fc.nat({ max: 3 }), spec: policySpec }), { maxLength: 6 }),
  ports: fc.uniqueArray(fc.record({ protocol, port: fc.constantFrom(53, 54, 80, 81, 8080) }), {
    minLength: 1,
    maxLength: 3,
    selector: ({ protocol: by, port }) => `${by}/${port}`,
  }),
});

/** 2 to 4 namespaces, 2 to 6 Pods, up to 6 policies. */
export const worlds: fc.Arbitrary<AskedWorld> = world.map(({ labelsOfNamespaces, replicas: groups, policies, ports }) => {
  const namespaces = labelsOfNamespaces.map((given, index) => namespaceOf(index, given));
  const namespaceAt = (index: number): string => namespaces[index % namespaces.length]?.metadata.name ?? '';
  return {
    namespaces,
    pods: groups
      .flatMap((group) => group.families.map((families) => ({ group, families })))
      .slice(0, 6)
      .map(({ group, families }, index) => podOf(namespaceAt(group.namespace), index, group, families)),
    policies: policies.map(({ namespace, spec }, index) => policyOf(namespaceAt(namespace), index, spec)),
    ports,
  };
});

const namespaceOf = (index: number, given: Readonly<Record<string, string>> | null | undefined): RawNamespace =>
  ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespaceNames[index] ?? '', labels: given } }) as RawNamespace;

function podOf(namespace: string, index: number, group: Replicas, families: readonly ('v4' | 'v6')[]): RawPod {
  const podIPs = families.map((family) => ({ ip: addressOf[family](index) }));
  const [main = {}, second = {}] = group.containers;
  const beside = group.hasSidecar ? { containers: [main], initContainers: [{ ...second, restartPolicy: 'Always' }] } : {};
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { namespace, name: `pod-${index}`, labels: group.labels },
    spec: { hostNetwork: group.hostNetwork, containers: group.containers, ...beside },
    status: { podIPs },
  } as RawPod;
}

const policyOf = (namespace: string, index: number, spec: RawPolicy['spec']): RawPolicy =>
  ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace, name: `policy-${index}` }, spec }) as RawPolicy;
