/** Who may use one port, where those who would are not known one by one: what kind of peers the policies name for it. */
import type { NetworkPolicyPeer } from '../kube/policy-parts.ts';
import type { Workload } from '../kube/resources.ts';
import { isBound } from './traffic/end.ts';
import type { Direction, Endpoint, PortOfPod } from './traffic/flow.ts';
import { rulesOf } from './traffic/policy-rules.ts';
import { portMatches } from './traffic/ports.ts';
import { isolating } from './traffic/selecting.ts';
import type { ClusterView } from './view.ts';

/** The peers of all rules that open a port, one by one; `anybody` where a rule names none, or nothing certainly isolates. */
export type Openers = 'anybody' | readonly PlacedOpener[];

export interface PlacedOpener {
  readonly peer: NetworkPolicyPeer;
  /** The policy's, which a peer without a namespace selector means. */
  readonly namespace: string;
}

/** Whom the policies of such Pods let in at their port, or let them send to at that of the destination. A policy that may select them counts as one that does, if it allows. */
export function openersOf(view: ClusterView, subject: Workload, direction: Direction, destination: Endpoint, port: PortOfPod): Openers {
  if (!isBound(subject)) return 'anybody';
  const binding = isolating(view, subject, direction);
  if (!binding.some(({ selected }) => selected === true)) return 'anybody';
  const openers: PlacedOpener[] = [];
  for (const { policy } of binding)
    for (const { ports, peers } of rulesOf(policy, direction)) {
      view.step();
      if (!portMatches(ports, destination, port)) continue;
      if (peers === undefined) return 'anybody';
      for (const peer of peers) openers.push({ peer, namespace: policy.metadata.namespace });
    }
  return openers;
}

/** Whether nobody at all may use the port, the Pods' own node apart. */
export const isClosed = (openers: Openers): boolean => openers !== 'anybody' && openers.length === 0;
