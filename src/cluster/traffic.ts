/**
 * May such a Pod reach such a Pod on a port, by NetworkPolicy alone: `networking.k8s.io/v1` semantics. Policies add up;
 * a Pod is isolated in a direction if some policy that selects it lists that direction; a connection needs the
 * source's egress and the destination's ingress (rules.md D.4). Where the answer is not the API's but the network
 * plugin's, or a label is not known, it is `depends`.
 */
import { isRunTimeLabel, matchesSelector, perPodLabels } from '../kube/labels.ts';
import type { LabelSelector, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, Protocol, Workload } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

export type Direction = 'Ingress' | 'Egress';
export type Answer = 'allowed' | 'denied' | 'depends';

/** A destination port. */
export interface PortOfPod {
  readonly protocol: Protocol;
  readonly port: number;
}

export interface Verdict {
  readonly answer: Answer;
  /** The policies that isolate the Pod in this direction; none if it is not isolated. */
  readonly isolatedBy: readonly NetworkPolicy[];
}

/** The connection as a whole: denied if either end denies it, allowed only if both allow it. */
export function flow(view: ClusterView, from: Workload, to: Workload, port: PortOfPod): Answer {
  const answers = [verdict(view, 'Egress', from, to, port).answer, verdict(view, 'Ingress', to, from, port).answer];
  if (answers.includes('denied')) return 'denied';
  return answers.includes('depends') ? 'depends' : 'allowed';
}

/** What the policies of one end say: `subject` sends (Egress) or receives (Ingress), `peer` is the other end. */
export function verdict(view: ClusterView, direction: Direction, subject: Workload, peer: Workload, port: PortOfPod): Verdict {
  // Policies bind Pods with an address of their own; what a plugin does for the host's is its own affair (rules.md D.4, 38).
  if (subject.pod.hostNetwork) return { answer: 'allowed', isolatedBy: [] };
  const destination = direction === 'Egress' ? peer : subject;
  const isolatedBy: NetworkPolicy[] = [];
  let answer: Answer = 'denied';
  let certainlyIsolated = false;
  for (const policy of view.list('NetworkPolicy', subject.metadata.namespace)) {
    if (!policy.spec.policyTypes.includes(direction)) continue;
    const selected = selects(policy.spec.podSelector, subject);
    if (selected === false) continue;
    isolatedBy.push(policy);
    certainlyIsolated ||= selected === true;
    const allowed = anyOf(
      rulesOf(policy, direction).map((rule) =>
        bothOf(portMatches(rule.ports, destination, port), peerMatches(view, rule.peers, policy, peer)),
      ),
    );
    if (allowed === true && selected === true) return { answer: 'allowed', isolatedBy };
    if (allowed !== false) answer = 'depends';
  }
  if (isolatedBy.length === 0) return { answer: 'allowed', isolatedBy };
  return { answer: certainlyIsolated ? answer : 'depends', isolatedBy };
}

/** True, false, or undefined for what cannot be known. */
type Known = boolean | undefined;

const bothOf = (a: Known, b: Known): Known => (a === false || b === false ? false : a === undefined || b === undefined ? undefined : true);
const anyOf = (answers: readonly Known[]): Known => (answers.includes(true) ? true : answers.includes(undefined) ? undefined : false);

interface Rule {
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
  readonly ports: readonly NetworkPolicyPort[] | undefined;
}

export const rulesOf = ({ spec }: NetworkPolicy, direction: Direction): readonly Rule[] =>
  direction === 'Egress'
    ? spec.egress.map(({ to, ports }) => ({ peers: to, ports }))
    : spec.ingress.map(({ from, ports }) => ({ peers: from, ports }));

/** Whether a policy's podSelector selects such Pods; undefined where it asks for a label that only single Pods have. */
export function selects(selector: LabelSelector, { kind, pod }: Workload): Known {
  const isUnknown = (key: string): boolean =>
    pod.labels[key] === undefined && (kind === 'Pod' ? perPodLabels.has(key) : isRunTimeLabel(key));
  if (!Object.keys(selector.matchLabels).some(isUnknown) && !selector.matchExpressions.some(({ key }) => isUnknown(key)))
    return matchesSelector(selector, pod.labels);
  const matchLabels = Object.fromEntries(Object.entries(selector.matchLabels).filter(([key]) => !isUnknown(key)));
  const matchExpressions = selector.matchExpressions.filter(({ key }) => !isUnknown(key));
  return matchesSelector({ matchLabels, matchExpressions }, pod.labels) ? undefined : false;
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

function peerMatches(view: ClusterView, peers: readonly NetworkPolicyPeer[] | undefined, policy: NetworkPolicy, peer: Workload): Known {
  if (peers === undefined) return true;
  return anyOf(peers.map((one) => onePeerMatches(view, one, policy, peer)));
}

function onePeerMatches(
  view: ClusterView,
  { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer,
  policy: NetworkPolicy,
  peer: Workload,
): Known {
  if (ipBlock !== undefined) return undefined; // meant for addresses outside; plugins differ on Pods' (rules.md D.4, 37)
  const namespaceFits =
    namespaceSelector === undefined
      ? policy.metadata.namespace === peer.metadata.namespace
      : namespaceMatches(view, namespaceSelector, peer.metadata.namespace);
  const podFits = podSelector === undefined ? true : selects(podSelector, peer);
  const fits = bothOf(namespaceFits, podFits);
  // A Pod on the host's network has a node's address: plugins differ on whether a selector reaches it.
  return peer.pod.hostNetwork && fits === true ? undefined : fits;
}

const nameLabel = 'kubernetes.io/metadata.name';

/** Whether the namespace of this name has these labels. Its own name needs no look-up: the API server sets that label. */
export function namespaceMatches(view: ClusterView, selector: LabelSelector, name: string): boolean {
  const keys = [...Object.keys(selector.matchLabels), ...selector.matchExpressions.map(({ key }) => key)];
  const byName = { [nameLabel]: name };
  if (keys.every((key) => key === nameLabel)) return matchesSelector(selector, byName);
  return matchesSelector(selector, view.get('Namespace', '', name)?.metadata.labels ?? byName);
}
