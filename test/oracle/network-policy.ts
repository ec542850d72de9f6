/**
 * What NetworkPolicies allow, computed a second time: slowly, Pod by Pod, from raw objects, with one function for each
 * sentence of the API's documentation. Whoever wrote this had not read `src/cluster/traffic`, and shares no code with it.
 *
 * Sources, quoted at each function:
 * - page: https://kubernetes.io/docs/concepts/services-networking/network-policies/ (as of Kubernetes 1.35)
 * - types.go: docstrings of k8s.io/api v0.36.3, networking/v1/types.go
 * - selectors: docstrings of k8s.io/apimachinery v0.36.3, pkg/apis/meta/v1/types.go (LabelSelector)
 * - core: docstrings of k8s.io/api v0.36.3, core/v1/types.go (ContainerPort)
 *
 * Where the documentation leaves a choice, the answer here is that of one `Plugin`; `oracle.ts` asks them all.
 */
import { isInRange } from './addresses.ts';
import type {
  Protocol,
  RawContainerPort,
  RawIpBlock,
  RawPeer,
  RawPod,
  RawPolicy,
  RawPolicyPort,
  RawRequirement,
  RawRule,
  RawSelector,
  RawWorld,
} from './raw-objects.ts';

/** A Pod of the world, or an address outside of the cluster; or that of a node, by its name, which is empty where it is not known. */
export type Party = { readonly pod: RawPod } | { readonly ip: string; readonly node?: string };

export interface Question {
  readonly from: Party;
  readonly to: Party;
  readonly protocol: Protocol;
  /** Where the destination listens, after all translation by Services. */
  readonly port: number;
}

export type Direction = 'Ingress' | 'Egress';

/** What the documentation leaves open, each as a question whose answer is yes or no. */
export interface Plugin {
  /** Page: "NetworkPolicy behaviour for hostNetwork pods is undefined": are they isolated by a policy that selects them? */
  readonly hostNetworkIsIsolated: boolean;
  /** Page: "it ignores hostNetwork pods when matching podSelector and namespaceSelector", or it does not. */
  readonly hostNetworkIsSelected: boolean;
  /** Page: ipBlocks "should be cluster-external IPs, since Pod IPs are ephemeral and unpredictable": do they hold for Pods and nodes? */
  readonly ipBlockHoldsInCluster: boolean;
  /** No choice, but unknown as well: where it is not said, is a node that of the Pod? So it is with Pods on the host network. */
  readonly sharesNode: boolean;
  /**
   * Page: "traffic to and from the node where a Pod is running is always allowed", but also, of a Pod isolated for egress: "the
   * only allowed connections from the pod are those allowed by the egress list", where of ingress it excepts the node.
   */
  readonly nodeIsAlwaysReached: boolean;
}
export type Doubt = keyof Plugin;

/**
 * Page: "For a connection from a source pod to a destination pod to be allowed, both the egress policy on the source pod and
 * the ingress policy on the destination pod need to allow the connection."
 */
export const isAllowed = (world: RawWorld, question: Question, plugin: Plugin): boolean =>
  isToItself(question) || (endAllows(world, question, 'Egress', plugin) && endAllows(world, question, 'Ingress', plugin));

/** Page: "exception: a pod cannot block access to itself". */
export const isToItself = ({ from, to }: Question): boolean => 'pod' in from && 'pod' in to && from.pod === to.pod;

/** One end of the connection: whether what applies there lets it pass. */
export function endAllows(world: RawWorld, question: Question, direction: Direction, plugin: Plugin): boolean {
  if (isWithItsNode(question, direction, plugin)) return true;
  if (!isIsolated(world, subjectOf(question, direction), direction, plugin)) return true;
  return policiesOf(world, subjectOf(question, direction), direction).some((policy) =>
    policyAllows(world, policy, question, direction, plugin),
  );
}

/** Page: "traffic to and from the node where a Pod is running is always allowed, regardless of the IP address of the Pod or the node". */
const isWithItsNode = ({ from, to }: Question, direction: Direction, plugin: Plugin): boolean =>
  direction === 'Ingress' ? isItsNode(from, to, plugin) : plugin.nodeIsAlwaysReached && isItsNode(to, from, plugin);

/** Page: "since hostNetwork pods have the same IP addresses as the nodes they reside on, their connections will be treated as node connections". */
function isItsNode(one: Party, other: Party, { sharesNode }: Plugin): boolean {
  if (!('pod' in other) || !(isNode(one) || isOnHostNetwork(one))) return false;
  const node = 'pod' in one ? one.pod.spec?.nodeName : one.node;
  const itsNode = other.pod.spec?.nodeName;
  return node && itsNode ? node === itsNode : sharesNode;
}

export const isNode = (party: Party): boolean => 'node' in party;

export const subjectOf = ({ from, to }: Question, direction: Direction): Party => (direction === 'Egress' ? from : to);
const peerOf = ({ from, to }: Question, direction: Direction): Party => (direction === 'Egress' ? to : from);

/** Page: "By default, a pod is non-isolated"; it is isolated "if there is any NetworkPolicy that both selects the pod and has" the direction "in its policyTypes". */
export const isIsolated = (world: RawWorld, subject: Party, direction: Direction, plugin: Plugin): boolean =>
  policiesOf(world, subject, direction).length > 0 && (!isOnHostNetwork(subject) || plugin.hostNetworkIsIsolated);

export const isOnHostNetwork = (party: Party): boolean => 'pod' in party && party.pod.spec?.hostNetwork === true;

/** Page: policies "apply to a connection with a pod on one or both ends, and are not relevant to other connections". */
export const policiesOf = (world: RawWorld, subject: Party, direction: Direction): readonly RawPolicy[] =>
  'pod' in subject ? world.policies.filter((policy) => selectsAsSubject(policy, subject.pod) && typesOf(policy).includes(direction)) : [];

/** types.go: "An empty selector matches all pods in the policy's namespace"; "If it is not specified, it defaults to an empty selector". */
const selectsAsSubject = ({ metadata, spec }: RawPolicy, pod: RawPod): boolean =>
  metadata.namespace === pod.metadata.namespace && selects(spec?.podSelector ?? {}, pod.metadata.labels ?? {});

/** Page: "If no policyTypes are specified […] by default Ingress will always be set and Egress will be set if the NetworkPolicy has any egress rules". */
function typesOf({ spec }: RawPolicy): readonly string[] {
  if (!isEmpty(spec?.policyTypes)) return spec?.policyTypes ?? [];
  return isEmpty(spec?.egress) ? ['Ingress'] : ['Ingress', 'Egress'];
}

const isEmpty = (list: readonly unknown[] | null | undefined): boolean => (list ?? []).length === 0;

/** Page: "the connections allowed in that direction from that pod is the union of what the applicable policies allow". */
const policyAllows = (world: RawWorld, policy: RawPolicy, question: Question, direction: Direction, plugin: Plugin): boolean =>
  rulesOf(policy, direction).some((rule) => ruleAllows(world, rule, { namespace: policy.metadata.namespace, question, direction, plugin }));

/** types.go: "If this field is empty then this NetworkPolicy does not allow any traffic". */
export const rulesOf = ({ spec }: RawPolicy, direction: Direction): readonly RawRule[] =>
  (direction === 'Egress' ? spec?.egress : spec?.ingress) ?? [];

/** A connection seen from the policy that judges it. */
export interface Seen {
  /** The policy's. */
  readonly namespace: string;
  readonly question: Question;
  readonly direction: Direction;
  readonly plugin: Plugin;
}

/** types.go: "The traffic must match both ports and from", or "both ports and to". */
export const ruleAllows = (world: RawWorld, rule: RawRule, seen: Seen): boolean =>
  matchesPeers(world, (seen.direction === 'Egress' ? rule.to : rule.from) ?? [], seen) && matchesPorts(rule.ports ?? [], seen.question);

/** types.go: "combined using a logical OR operation. If this field is empty or missing, this rule matches all sources". */
const matchesPeers = (world: RawWorld, peers: readonly RawPeer[], seen: Seen): boolean =>
  peers.length === 0 || peers.some((peer) => matchesPeer(world, peer, seen));

/** types.go: "If this field is set then neither of the other fields can be": either a block, or selectors. */
function matchesPeer(world: RawWorld, peer: RawPeer, { namespace, question, direction, plugin }: Seen): boolean {
  const party = peerOf(question, direction);
  if (peer.ipBlock) return matchesBlock(peer.ipBlock, party, plugin);
  if (!('pod' in party)) return false;
  if (isOnHostNetwork(party) && !plugin.hostNetworkIsSelected) return false;
  return matchesNamespace(world, peer, party.pod, namespace) && selects(peer.podSelector ?? {}, party.pod.metadata.labels ?? {});
}

/** types.go: with a namespaceSelector, "in the Namespaces selected by NamespaceSelector. Otherwise […] in the policy's own namespace". */
const matchesNamespace = (world: RawWorld, peer: RawPeer, pod: RawPod, ownNamespace: string): boolean =>
  peer.namespaceSelector
    ? selects(peer.namespaceSelector, labelsOfNamespace(world, pod.metadata.namespace))
    : pod.metadata.namespace === ownNamespace;

/** Page: "The Kubernetes control plane sets an immutable label kubernetes.io/metadata.name on all namespaces, the value of the label is the namespace name." */
function labelsOfNamespace({ namespaces }: RawWorld, name: string): Readonly<Record<string, string>> {
  const labels = namespaces.find(({ metadata }) => metadata.name === name)?.metadata.labels ?? {};
  return { ...labels, 'kubernetes.io/metadata.name': name };
}

/** Page: "This selects particular IP CIDR ranges": inside the cluster only where the plugin says so, and by any address that a Pod may have. */
function matchesBlock(block: RawIpBlock, party: Party, { ipBlockHoldsInCluster }: Plugin): boolean {
  if (!('pod' in party)) return isInBlock(block, party.ip) && (ipBlockHoldsInCluster || !isNode(party));
  const addresses = addressesOf(party.pod);
  return ipBlockHoldsInCluster && (addresses.length === 0 || addresses.some((address) => isInBlock(block, address)));
}

/** types.go: "except is a slice of CIDRs that should not be included within an IPBlock". */
const isInBlock = ({ cidr, except }: RawIpBlock, address: string): boolean =>
  isInRange(address, cidr) && !(except ?? []).some((hole) => isInRange(address, hole));

/** None while it is not known: "Pod IPs are ephemeral and unpredictable". */
const addressesOf = ({ status }: RawPod): readonly string[] =>
  isEmpty(status?.podIPs) ? (status?.podIP ? [status.podIP] : []) : (status?.podIPs ?? []).map(({ ip }) => ip);

/** types.go: "Each item in this list is combined using a logical OR. If this field is empty or missing, this rule matches all ports". */
const matchesPorts = (ports: readonly RawPolicyPort[], question: Question): boolean =>
  ports.length === 0 || ports.some((port) => matchesPort(port, question));

/** types.go: "If present, only traffic on the specified protocol AND port will be matched"; "If not specified, this field defaults to TCP". */
const matchesPort = (port: RawPolicyPort, question: Question): boolean =>
  (port.protocol ?? 'TCP') === question.protocol && matchesNumber(port, question);

/** types.go: "If this field is not provided, this matches all port names and numbers"; "the range of ports from port to endPort if set, inclusive". */
function matchesNumber({ port, endPort }: RawPolicyPort, question: Question): boolean {
  if (port === undefined || port === null) return true;
  if (typeof port === 'string') return hasPortOfThisName(port, question);
  return question.port >= port && question.port <= (endPort ?? port);
}

/** types.go: "the port on the given protocol. This can either be a numerical or named port on a pod": on the one that listens. */
const hasPortOfThisName = (wanted: string, { to, protocol, port }: Question): boolean =>
  portsOf(to).some((one) => one.name === wanted && one.containerPort === port && (one.protocol ?? 'TCP') === protocol);

/**
 * core: "Each named port in a pod must have a unique name". Page: policies "apply equally to init containers, sidecar containers,
 * and regular containers"; of init containers, only sidecars still listen once the Pod runs.
 */
function portsOf(party: Party): readonly RawContainerPort[] {
  if (!('pod' in party)) return [];
  const { containers, initContainers } = party.pod.spec ?? {};
  const sidecars = (initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...(containers ?? []), ...sidecars].flatMap(({ ports }) => ports ?? []);
}

/** selectors: "The result of matchLabels and matchExpressions are ANDed. An empty label selector matches all objects." */
const selects = ({ matchLabels, matchExpressions }: RawSelector, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(matchLabels ?? {}).every(([key, value]) => meets({ key, operator: 'In', values: [value] }, labels)) &&
  (matchExpressions ?? []).every((requirement) => meets(requirement, labels));

/** kubernetes.io/docs/concepts/overview/working-with-objects/labels: NotIn takes "all resources with no labels with the […] key" as well. */
function meets({ key, operator, values }: RawRequirement, labels: Readonly<Record<string, string>>): boolean {
  const has = Object.hasOwn(labels, key);
  const hasOneOf = has && (values ?? []).includes(labels[key] as string);
  return { In: hasOneOf, NotIn: !hasOneOf, Exists: has, DoesNotExist: !has }[operator];
}
