/**
 * May such a Pod reach such a Pod on a port, by NetworkPolicy alone: `networking.k8s.io/v1` semantics. Policies add up;
 * a Pod is isolated in a direction if some policy that selects it lists that direction; a connection needs the
 * source's egress and the destination's ingress (rules.md D.4). Where the answer is not the API's but the network
 * plugin's, or a label or an address is not known, it is `depends`, with the reason.
 */
import { ipBlockHolds } from '../kube/cidr.ts';
import { isRunTimeLabel, labelsOf, matchesSelector, perPodLabels } from '../kube/labels.ts';
import type { LabelSelector, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, Protocol, Workload } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

export type Direction = 'Ingress' | 'Egress';
export type Answer = 'allowed' | 'denied' | 'depends';

/**
 * Why an answer is not certain. `label`: only the running Pod tells. `address`: an ipBlock may cover a Pod's or a
 * Service's address, and plugins differ on whether that counts. `hostNetwork`: the Pod has its node's address.
 * `sameNode`: what comes from the node of a Pod always reaches it. `itself`: so does what a Pod sends to itself.
 */
export type Doubt = 'label' | 'address' | 'hostNetwork' | 'sameNode' | 'itself';

/** A destination port. */
export interface PortOfPod {
  readonly protocol: Protocol;
  readonly port: number;
}

/** Where a connection goes: Pods, one port of theirs, and the addresses of Services that lead there. */
export interface Destination extends PortOfPod {
  readonly workload: Workload;
  /** Plugins judge an address before or after a Service's translation (rules.md D.4, 36). Undefined: not known. */
  readonly serviceAddresses: readonly string[] | undefined;
}

export interface AllowingRule {
  readonly policy: NetworkPolicy;
  readonly rule: number;
}

/** What the policies of one end say. */
export interface Verdict {
  readonly answer: Answer;
  /** The policies that isolate the Pod in this direction; none if it is not isolated. */
  readonly isolatedBy: readonly NetworkPolicy[];
  /** The policy, and the position of its rule, that certainly allows the connection. */
  readonly allowedBy?: AllowingRule;
  readonly doubts: readonly Doubt[];
}

export interface Flow {
  readonly answer: Answer;
  readonly egress: Verdict;
  readonly ingress: Verdict;
  readonly doubts: readonly Doubt[];
}

/** The connection as a whole: denied if either end denies it, allowed only if both allow it. */
export function flow(view: ClusterView, from: Workload, to: Destination): Flow {
  const egress = egressOf(view, from, to);
  const ingress = ingressOf(view, to, from);
  const doubts = [...new Set([...egress.doubts, ...ingress.doubts, ...(from === to.workload ? (['itself'] as const) : [])])];
  const answers = [egress.answer, ingress.answer];
  if (answers.includes('denied')) return { answer: from === to.workload ? 'depends' : 'denied', egress, ingress, doubts };
  return { answer: answers.includes('depends') ? 'depends' : 'allowed', egress, ingress, doubts };
}

/** What the policies of the source say. */
const egressOf = (view: ClusterView, from: Workload, to: Destination): Verdict =>
  verdict(view, { direction: 'Egress', subject: from, peer: to.workload, port: to, destination: to.workload, via: to.serviceAddresses });

/** What the policies of the destination say. */
const ingressOf = (view: ClusterView, to: Destination, from: Workload): Verdict =>
  verdict(view, { direction: 'Ingress', subject: to.workload, peer: from, port: to, destination: to.workload, via: [] });

/** One end of a connection: whose policies are asked, and who is at the other end. */
interface End {
  readonly direction: Direction;
  readonly subject: Workload;
  readonly peer: Workload;
  readonly port: PortOfPod;
  readonly destination: Workload;
  readonly via: readonly string[] | undefined;
}

/** Certain, or every reason why not. */
type Known = boolean | readonly Doubt[];

function bothOf(a: Known, b: Known): Known {
  if (a === false || b === false) return false;
  if (a === true) return b;
  return b === true ? a : [...a, ...b];
}

/** True if one is; false if all are. */
function anyOf(answers: readonly Known[]): Known {
  if (answers.includes(true)) return true;
  const doubts = answers.flatMap((answer) => (typeof answer === 'boolean' ? [] : answer));
  return doubts.length > 0 ? doubts : false;
}

function verdict(view: ClusterView, end: End): Verdict {
  // Policies bind Pods with an address of their own; what a plugin does for the host's is its own affair (rules.md D.4, 38).
  if (end.subject.pod.hostNetwork) return { answer: 'allowed', isolatedBy: [], doubts: [] };
  const voices = [...voicesOf(view, end)];
  const isolatedBy = voices.map(({ policy }) => policy);
  const sure = voices.filter(({ selected }) => selected === true);
  const allower = sure.find(({ allows }) => allows === true);
  if (allower !== undefined)
    return { answer: 'allowed', isolatedBy, allowedBy: { policy: allower.policy, rule: allower.rule }, doubts: [] };
  // Whether or not they select the Pod: each of them allows it, and without them nothing isolates.
  if (sure.length === 0 && voices.every(({ allows }) => allows === true)) return { answer: 'allowed', isolatedBy, doubts: [] };
  const doubts = new Set<Doubt>([...(sure.length === 0 ? (['label'] as const) : []), ...voices.flatMap(doubtsOf)]);
  if (end.direction === 'Ingress' && end.peer.pod.hostNetwork) doubts.add('sameNode');
  return { answer: doubts.size > 0 ? 'depends' : 'denied', isolatedBy, doubts: [...doubts] };
}

/** What one policy says of a connection, supposing that it selects the Pod. */
interface Voice {
  readonly policy: NetworkPolicy;
  readonly selected: true | 'label';
  readonly allows: Known;
  /** The rule that allows it; -1 for none. */
  readonly rule: number;
}

/** Why this policy may allow the connection after all. */
function doubtsOf({ selected, allows }: Voice): readonly Doubt[] {
  if (allows === false) return [];
  return selected === 'label' || allows === true ? ['label'] : allows;
}

function* voicesOf(view: ClusterView, end: End): Generator<Voice> {
  for (const policy of view.list('NetworkPolicy', end.subject.metadata.namespace)) {
    view.step();
    if (!policy.spec.policyTypes.includes(end.direction)) continue;
    const selected = selects(policy.spec.podSelector, end.subject);
    if (selected === false) continue;
    const answers = rulesOf(policy, end.direction).map(({ ports, peers }) =>
      portMatches(ports, end.destination, end.port) ? peerMatches(view, peers, policy, end) : false,
    );
    yield { policy, selected, allows: anyOf(answers), rule: answers.indexOf(true) };
  }
}

export interface PolicyRule {
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
  readonly ports: readonly NetworkPolicyPort[] | undefined;
}

export const rulesOf = ({ spec }: NetworkPolicy, direction: Direction): readonly PolicyRule[] =>
  direction === 'Egress'
    ? spec.egress.map(({ to, ports }) => ({ peers: to, ports }))
    : spec.ingress.map(({ from, ports }) => ({ peers: from, ports }));

/** Whether a selector selects such Pods: `label` where it asks for one that only running, or only single, Pods have. */
export function selects(selector: LabelSelector, { kind, pod }: Workload): boolean | 'label' {
  const isUnknown = (key: string): boolean =>
    pod.labels[key] === undefined && (kind === 'Pod' ? perPodLabels.has(key) : isRunTimeLabel(key));
  const matchLabels = labelsOf(selector.matchLabels, (key) => !isUnknown(key));
  const matchExpressions = selector.matchExpressions.filter(({ key }) => !isUnknown(key));
  if (!matchesSelector({ matchLabels, matchExpressions }, pod.labels)) return false;
  const whole =
    matchExpressions.length === selector.matchExpressions.length && !Object.keys(selector.matchLabels).some((key) => isUnknown(key));
  return whole || 'label';
}

/** No list of ports means any. A named port is looked up at the destination, with its protocol. */
export function portMatches(ports: readonly NetworkPolicyPort[] | undefined, destination: Workload, wanted: PortOfPod): boolean {
  if (ports === undefined) return true;
  return ports.some(({ protocol, port, endPort }) => {
    if (protocol !== wanted.protocol) return false;
    if (port === undefined) return true;
    if (typeof port === 'number') return wanted.port >= port && wanted.port <= (endPort ?? port);
    return destination.pod.ports.some(
      (declared) => declared.name === port && declared.protocol === protocol && declared.containerPort === wanted.port,
    );
  });
}

const peerMatches = (view: ClusterView, peers: readonly NetworkPolicyPeer[] | undefined, policy: NetworkPolicy, end: End): Known =>
  peers === undefined ? true : anyOf(peers.map((peer) => onePeerMatches(view, peer, policy, end)));

/** A block that certainly covers no address of the peer is a definite no; one that may cover one is the plugin's affair. */
function onePeerMatches(
  view: ClusterView,
  { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer,
  policy: NetworkPolicy,
  { peer, via }: End,
): Known {
  view.step();
  if (ipBlock !== undefined) {
    const addresses = addressesOf(view, peer);
    if (addresses === undefined || via === undefined) return ['address'];
    return [...addresses, ...via].some((address) => ipBlockHolds(ipBlock, address) !== false) ? ['address'] : false;
  }
  const podFits = podSelector === undefined ? true : selects(podSelector, peer);
  if (podFits === false) return false;
  const namespaceFits =
    namespaceSelector === undefined
      ? policy.metadata.namespace === peer.metadata.namespace
      : namespaceMatches(view, namespaceSelector, peer.metadata.namespace);
  const fits = bothOf(namespaceFits, podFits === true || [podFits]);
  // Its address is the node's: plugins differ on whether a selector reaches it.
  return peer.pod.hostNetwork ? bothOf(fits, ['hostNetwork']) : fits;
}

const addressesByView = new WeakMap<ClusterView, Map<Workload, readonly string[] | undefined>>();

/** The addresses of the Pods of a shape; undefined while one has none yet, and for a template. One walk for each view. */
function addressesOf(view: ClusterView, workload: Workload): readonly string[] | undefined {
  const known = addressesByView.get(view) ?? new Map<Workload, readonly string[] | undefined>();
  addressesByView.set(view, known);
  if (!known.has(workload)) {
    const records = [...view.pods(workload).records()].map(([, record]) => record);
    const complete = records.length > 0 && records.every(({ ips }) => ips !== '');
    known.set(workload, complete ? records.flatMap(({ ips }) => ips.split(',')) : undefined);
  }
  return known.get(workload);
}

const nameLabel = 'kubernetes.io/metadata.name';

/** Whether the namespace of this name has these labels. Its own name needs no look-up: the API server sets that label. */
export function namespaceMatches(view: ClusterView, selector: LabelSelector, name: string): boolean {
  const byName = labelsOf({ [nameLabel]: name });
  const isName = (key: string): boolean => key === nameLabel;
  const matchExpressions = selector.matchExpressions.filter(({ key }) => isName(key));
  if (!matchesSelector({ matchLabels: labelsOf(selector.matchLabels, isName), matchExpressions }, byName)) return false;
  if (matchExpressions.length === selector.matchExpressions.length && Object.keys(selector.matchLabels).every(isName)) return true;
  return matchesSelector(selector, view.get('Namespace', '', name)?.metadata.labels ?? byName);
}
