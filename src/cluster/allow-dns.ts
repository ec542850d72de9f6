/** Policies that let DNS through, made for the resolver that this cluster has and never from a template. */
import { flowYaml } from '../kube/flow-yaml.ts';
import { listed } from '../kube/listed.ts';
import { normalizeNetworkPolicy } from '../kube/normalize-networking.ts';
import { numberAt, stringAt } from '../kube/read.ts';
import type { LabelSelector, NetworkPolicy, ObjectMeta, RawObject } from '../kube/resources.ts';
import type { Resolver } from './resolver.ts';
import type { PortOfPod } from './traffic/flow.ts';
import type { ClusterView } from './view.ts';

/** A rule that allows DNS: as one line of YAML, as an entry of a normalized policy, and in a policy of its own. */
export interface DnsAllowance {
  /** Of the policy. */
  readonly name: string;
  readonly line: string;
  readonly entry: unknown;
  readonly manifest: RawObject;
}

/** Longer, the line would push a warning over 240 runes: then words stand for it, and the edit alone is exact. */
const longestLine = 190;

/** Egress to the resolver's Pods, and to the addresses on which agents of each node answer. */
export function allowEgressToDns(resolver: Resolver, policy: NetworkPolicy, name: string): DnsAllowance {
  const { ports, nodeAgents, nodeAddresses } = resolver;
  const openPorts = asWritten([...ports, ...(nodeAgents.length + nodeAddresses.length > 0 ? bothProtocols(53) : [])]);
  const peers = egressPeers(resolver);
  const rule = peers === undefined ? { ports: openPorts } : { to: peers, ports: openPorts };
  const { service } = resolver;
  const answering = listed([`the Pods of ${service.metadata.namespace}/${service.metadata.name}`, ...nodeAddresses]);
  return egressAllowance(rule, policy, name, `a rule for ${answering}, ports ${listed(openPorts.map(formatOpened))}`);
}

/** Egress to the agents of the nodes alone, for Pods that may send to the resolver's Pods already. */
export const allowEgressToNodeDns = (resolver: Resolver, policy: NetworkPolicy, name: string): DnsAllowance =>
  egressAllowance(
    { to: blocksOf(resolver), ports: asWritten(bothProtocols(53)) },
    policy,
    name,
    `a rule for ${listed(resolver.nodeAddresses)}, port 53`,
  );

/** The words stand for a rule that is too long for one line. */
function egressAllowance(rule: RawObject, policy: NetworkPolicy, name: string, words: string): DnsAllowance {
  const podSelector = selectorAsWritten(policy.spec.podSelector);
  const manifest = policyOf(policy.metadata.namespace, name, { podSelector, policyTypes: ['Egress'], egress: [rule] });
  const yaml = flowYaml(rule);
  const line = yaml.length <= longestLine ? yaml : words;
  return { name, line, entry: normalizeNetworkPolicy(manifest, policy.metadata).spec.egress[0], manifest };
}

/** The narrowest that hold all that answers; undefined where agents do not say on which address of the node they do. */
function egressPeers(resolver: Resolver): readonly RawObject[] | undefined {
  const { service, nodeAgents } = resolver;
  if (nodeAgents.some(({ serviceAddresses }) => serviceAddresses === undefined)) return undefined;
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': service.metadata.namespace } };
  const pods = { namespaceSelector, podSelector: { matchLabels: { ...service.spec.selector } } };
  // Agents off the host's network, as with a redirect of Cilium's, are Pods of the same namespace with other labels.
  const areAllOnHost = nodeAgents.every(({ workload }) => workload.pod.hostNetwork);
  return [areAllOnHost ? pods : { namespaceSelector }, ...blocksOf(resolver)];
}

const blocksOf = ({ nodeAddresses }: Resolver): readonly RawObject[] =>
  nodeAddresses.map((address) => ({ ipBlock: { cidr: asBlock(address) } }));

const asBlock = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`;

/** Ingress to the resolver's Pods from every namespace. */
export function allowIngressToDns({ service, ports }: Resolver, policy: NetworkPolicy, name: string): DnsAllowance {
  const rule = { from: [{ namespaceSelector: {} }], ports: asWritten(ports) };
  const podSelector = { matchLabels: { ...service.spec.selector } };
  const manifest = policyOf(service.metadata.namespace, name, { podSelector, policyTypes: ['Ingress'], ingress: [rule] });
  return { name, line: flowYaml(rule), entry: normalizeNetworkPolicy(manifest, policy.metadata).spec.ingress[0], manifest };
}

/** `allow-dns`, or what is wanted, or the first name like it that no policy of the namespace has, nor what is written or removed. */
export function freeName(
  view: ClusterView,
  { metadata }: { readonly metadata: Pick<ObjectMeta, 'namespace' | 'name'> },
  wanted = 'allow-dns',
): string {
  const taken = new Set([metadata.name, ...view.list('NetworkPolicy', metadata.namespace).map((policy) => policy.metadata.name)]);
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
  return name;
}

const bothProtocols = (port: number): readonly PortOfPod[] => [
  { protocol: 'UDP', port },
  { protocol: 'TCP', port },
];

/** Each number for UDP, and for TCP, which needs no word; long answers come over TCP, so both are opened. */
const asWritten = (ports: readonly PortOfPod[]): readonly RawObject[] =>
  [...new Set(ports.map(({ port }) => port))].flatMap((port) => [{ port, protocol: 'UDP' }, { port }]);

const formatOpened = (opened: RawObject): string => `${numberAt(opened, 'port')}/${stringAt(opened, 'protocol') ?? 'TCP'}`;

const policyOf = (namespace: string, name: string, spec: RawObject): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace },
  spec,
});

const selectorAsWritten = ({ matchLabels, matchExpressions }: LabelSelector): RawObject => ({
  ...(Object.keys(matchLabels).length > 0 && { matchLabels: { ...matchLabels } }),
  ...(matchExpressions.length > 0 && {
    matchExpressions: matchExpressions.map(({ key, operator, values }) => ({ key, operator, ...(values.length > 0 && { values }) })),
  }),
});
