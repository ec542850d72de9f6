/**
 * May such a Pod reach such a Pod, or an address, on a port, by NetworkPolicy alone: `networking.k8s.io/v1` semantics.
 * Policies add up; a Pod is isolated in a direction if some policy that selects it lists that direction; a connection
 * needs the source's egress and the destination's ingress (rules.md D.4). Where the answer is not the API's but the
 * network plugin's, or a label or an address is not known, it is `depends`, with the reason.
 *
 * One question, one answer; each reads what it needs and no more:
 * - `flow(view, from, to)`: a connection, with what each end says: who isolates, who allows, what is doubtful.
 * - `allowedPorts(view, from, to)`: all ports at once, as sets (`ports.ts`).
 * - `isolating(view, workload, direction)` and `selecting(view, workload)`: the policies that bind such Pods (`selecting.ts`).
 * All of a cluster, which reads everything: `trafficOf(view)` (`traffic.ts`). Before and after a write: `effectOn` for connections
 * that somebody depends on (`effect.ts`), `shiftsBy` for all of them (`shifts.ts`).
 */
import type { NetworkPolicy, Protocol, Workload } from '../../kube/resources.ts';
import type { ClusterView } from '../view.ts';
import { type End, portsOfEnd, verdict } from './end.ts';
import { allPorts, intersection, type Ports, union, without } from './ports.ts';

export type Direction = 'Ingress' | 'Egress';
export type Answer = 'allowed' | 'denied' | 'depends';

/**
 * Why an answer is not certain. `label`: only the running Pod tells. `namespace`: a selector asks for labels of a namespace
 * whose object is not known. `address`: an ipBlock may cover the address of a Pod, a Service or a node, and plugins differ on
 * whether that counts. `block`: an ipBlock can be read in more than one way, or in none. `hostNetwork`: the Pod has its
 * node's address. `sameNode`: what comes from the node of a Pod always reaches it. `itself`: so does what a Pod sends to itself.
 */
export type Doubt = 'label' | 'namespace' | 'address' | 'block' | 'hostNetwork' | 'sameNode' | 'itself';

/** A destination port: on the Pod, behind the Service's translation. */
export interface PortOfPod {
  readonly protocol: Protocol;
  readonly port: number;
}

/** An address that is no Pod's, as the network plugin sees it: outside the cluster, or, if `ofNode`, one of its nodes. */
export interface Outside {
  readonly address: string;
  readonly ofNode?: boolean;
}

/** Pods that are alike, or an address. */
export type Endpoint = Workload | Outside;

/** Where a connection goes, whichever port: Pods or an address, and the addresses of Services that lead there. */
export interface Target {
  readonly workload: Endpoint;
  /** Plugins judge an address before or after a Service's translation (rules.md D.4, 36). Undefined: not known. */
  readonly serviceAddresses: readonly string[] | undefined;
}

/** Where a connection goes: Pods or an address, and one port there. */
export interface FlowTarget extends PortOfPod, Target {}

/** One port of Pods. */
export interface Destination extends FlowTarget {
  readonly workload: Workload;
}

/** One connection, for those who ask about many. */
export interface FlowQuestion {
  readonly from: Endpoint;
  readonly to: FlowTarget;
}

export interface AllowingRule {
  readonly policy: NetworkPolicy;
  /** Its position in `spec.ingress` or `spec.egress`. */
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
export function flow(view: ClusterView, from: Endpoint, to: FlowTarget): Flow {
  const egress = verdict(view, egressEnd(from, to), to);
  const ingress = verdict(view, ingressEnd(from, to), to);
  const isItself = from === to.workload;
  const doubts = [...new Set([...egress.doubts, ...ingress.doubts, ...(isItself ? (['itself'] as const) : [])])];
  const answers = [egress.answer, ingress.answer];
  if (answers.includes('denied')) return { answer: isItself ? 'depends' : 'denied', egress, ingress, doubts };
  return { answer: answers.includes('depends') ? 'depends' : 'allowed', egress, ingress, doubts };
}

/** For every port of every protocol the answer of `flow`; what is in neither set is denied. */
export interface PortAnswers {
  readonly allowed: Ports;
  readonly depends: Ports;
}

/** The answers of `flow` for all ports at once. */
export function allowedPorts(view: ClusterView, from: Endpoint, to: Target): PortAnswers {
  const both = bothEnds(portsOfEnd(view, egressEnd(from, to)), portsOfEnd(view, ingressEnd(from, to)));
  return from === to.workload ? { ...both, depends: without(allPorts, both.allowed) } : both;
}

/** Allowed where both ends allow, and doubtful where one is and the other does not deny. */
export function bothEnds(one: PortAnswers, other: PortAnswers): PortAnswers {
  const allowed = intersection(one.allowed, other.allowed);
  const open = intersection(union(one.allowed, one.depends), union(other.allowed, other.depends));
  return { allowed, depends: without(open, allowed) };
}

/** The source, whose policies say to whom it may send. */
const egressEnd = (from: Endpoint, to: Target): End => ({
  direction: 'Egress',
  subject: from,
  peer: to.workload,
  destination: to.workload,
  via: to.serviceAddresses,
});

/** The destination, whose policies say from whom it may receive. */
const ingressEnd = (from: Endpoint, to: Target): End => ({
  direction: 'Ingress',
  subject: to.workload,
  peer: from,
  destination: to.workload,
  via: [],
});
