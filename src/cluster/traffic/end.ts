/** One end of a connection: what the policies that bind it say, of one port or of all. */
import type { NetworkPolicy, Workload } from '../../kube/resources.ts';
import type { ClusterView } from '../view.ts';
import type { Direction, Doubt, Endpoint, PortAnswers, PortOfPod, Verdict } from './flow.ts';
import { anyOf, type Known } from './known.ts';
import { isWorkload, peersHold } from './peers.ts';
import { rulesOf } from './policy-rules.ts';
import { allPorts, intersection, noPorts, type Ports, portMatches, portsNamedBy, union, without } from './ports.ts';
import { isolating } from './selecting.ts';

/** Whose policies are asked, and who is at the other end. */
export interface End {
  readonly direction: Direction;
  readonly subject: Endpoint;
  readonly peer: Endpoint;
  /** The one of the two at which named ports are looked up. */
  readonly destination: Endpoint;
  /** Addresses of Services on the way. */
  readonly via: readonly string[] | undefined;
}

/** Whether policies certainly bind it: whether they do a Pod with the address of its node, is the plugin's affair (rules.md D.4, 38). */
export const isBound = (subject: Endpoint): subject is Workload => isWorkload(subject) && !subject.pod.hostNetwork;

/**
 * Whether what comes from there may come from the node of the Pod, which always gets through (rules.md D.4, 39). What a Pod
 * sends to its node plugins do bind: docs/decisions/0026.
 */
export const mayBeSameNode = ({ direction, peer }: Pick<End, 'direction' | 'peer'>): boolean =>
  direction === 'Ingress' && (isWorkload(peer) ? peer.pod.hostNetwork : peer.ofNode === true);

/** What one policy says of a connection, supposing that it selects the Pod. */
interface Voice {
  readonly policy: NetworkPolicy;
  readonly selected: true | 'label';
  readonly allows: Known;
  /** The rule that allows it; -1 for none. */
  readonly rule: number;
}

/** What the policies of this end say of one port; of what is sent, the port is that of the destination and of no other. */
export function verdict(view: ClusterView, end: End, port: PortOfPod): Verdict {
  if (!isWorkload(end.subject)) return { answer: 'allowed', isolatedBy: [], doubts: [] };
  const voices = voicesOf(view, end, end.subject, port);
  const isolatedBy = voices.map(({ policy }) => policy);
  const sure = voices.filter(({ selected }) => selected === true);
  const allower = sure.find(({ allows }) => allows === true);
  if (allower !== undefined)
    return { answer: 'allowed', isolatedBy, allowedBy: { policy: allower.policy, rule: allower.rule }, doubts: [] };
  // Whether or not they select the Pod: each of them allows it, and without them nothing isolates.
  if (sure.length === 0 && voices.every(({ allows }) => allows === true)) return { answer: 'allowed', isolatedBy, doubts: [] };
  const doubts = new Set<Doubt>([...(sure.length === 0 ? (['label'] as const) : []), ...voices.flatMap(doubtsOf)]);
  if (!isBound(end.subject)) doubts.add('hostNetwork');
  if (mayBeSameNode(end)) doubts.add('sameNode');
  return { answer: doubts.size > 0 ? 'depends' : 'denied', isolatedBy, doubts: [...doubts] };
}

/** Why this policy may allow the connection after all. */
function doubtsOf({ selected, allows }: Voice): readonly Doubt[] {
  if (allows === false) return [];
  return selected === 'label' || allows === true ? ['label'] : allows;
}

function voicesOf(view: ClusterView, end: End, subject: Workload, port: PortOfPod): readonly Voice[] {
  const say = end.direction === 'Egress' ? saidOfDestination : said;
  return isolating(view, subject, end.direction).map(({ policy, selected }) => ({ policy, selected, ...say(view, end, port, policy) }));
}

type Said = Pick<Voice, 'allows' | 'rule'>;

function said(view: ClusterView, end: End, port: PortOfPod, policy: NetworkPolicy): Said {
  const answers: Known[] = [];
  for (const [rule, { ports, peers }] of rulesOf(policy, end.direction).entries()) {
    view.step();
    const allows = portMatches(ports, end.destination, port) ? peersHold(view, peers, policy.metadata.namespace, end) : false;
    if (allows === true) return { allows, rule };
    answers.push(allows);
  }
  return { allows: anyOf(answers), rule: -1 };
}

const saidBy = new WeakMap<ClusterView, WeakMap<PortOfPod, Map<NetworkPolicy, Said>>>();

/** What a policy says of whom its Pods may ask is the same for all of them: found out once, since a thousand may ask the resolver. */
function saidOfDestination(view: ClusterView, end: End, port: PortOfPod, policy: NetworkPolicy): Said {
  const byPort = saidBy.get(view) ?? new WeakMap<PortOfPod, Map<NetworkPolicy, Said>>();
  saidBy.set(view, byPort);
  const byPolicy = byPort.get(port) ?? new Map<NetworkPolicy, Said>();
  byPort.set(port, byPolicy);
  const made = byPolicy.get(policy) ?? said(view, end, port, policy);
  byPolicy.set(policy, made);
  return made;
}

/** What one policy says of all ports, supposing that it selects the Pod. */
export interface PortVoice {
  readonly selected: true | 'label';
  readonly allowed: Ports;
  /** Of which it is not certain that it allows them; those that it does may be among them. */
  readonly perhaps: Ports;
}

/** The same as `verdict`, of all ports at once. */
export function portsOfEnd(view: ClusterView, end: End): PortAnswers {
  const { subject } = end;
  if (!isWorkload(subject)) return { allowed: allPorts, depends: noPorts };
  const voices = isolating(view, subject, end.direction).map(({ policy, selected }): PortVoice => {
    let [allowed, perhaps] = [noPorts, noPorts];
    for (const { ports, peers } of rulesOf(policy, end.direction)) {
      view.step();
      const named = portsNamedBy(ports, end.destination);
      const holds = named === noPorts ? false : peersHold(view, peers, policy.metadata.namespace, end);
      if (holds === true) allowed = union(allowed, named);
      else if (holds !== false) perhaps = union(perhaps, named);
    }
    return { selected, allowed, perhaps };
  });
  return answersOf(voices, mayBeOpen(end, subject));
}

/** Whether a plugin may let through at this end what no rule allows. */
export const mayBeOpen = (end: Pick<End, 'direction' | 'peer'>, subject: Workload): boolean => !isBound(subject) || mayBeSameNode(end);

/** What all policies together say. None: the Pod is not isolated. */
export function answersOf(voices: readonly PortVoice[], isPerhapsOpen: boolean): PortAnswers {
  const sure = voices.filter(({ selected }) => selected === true);
  if (sure.length === 0) {
    const allowed = voices.reduce((all, voice) => intersection(all, voice.allowed), allPorts);
    return { allowed, depends: without(allPorts, allowed) };
  }
  const allowed = sure.reduce((all, voice) => union(all, voice.allowed), noPorts);
  const perhaps = voices.reduce((all, voice) => union(all, union(voice.allowed, voice.perhaps)), noPorts);
  return { allowed, depends: without(isPerhapsOpen ? allPorts : perhaps, allowed) };
}
