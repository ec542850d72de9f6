/** Which connections an update of a policy opens, among the workloads that the reader may know. */
import type { NetworkPolicyPeer } from '../../kube/policy-parts.ts';
import type { NetworkPolicy, Workload } from '../../kube/resources.ts';
import { selectedBy } from '../dns-rules.ts';
import type { Elsewhere } from '../elsewhere.ts';
import { isOfOwnNamespace } from '../policy-peers.ts';
import { isBound } from '../traffic/end.ts';
import { allowedPorts, type Direction } from '../traffic/flow.ts';
import { directions } from '../traffic/groups.ts';
import { namespaceMatches, peersHold } from '../traffic/peers.ts';
import { isolatesIn, type PolicyRule, rulesOf } from '../traffic/policy-rules.ts';
import { formatPorts, union, without } from '../traffic/ports.ts';
import type { ClusterView } from '../view.ts';
import { preferringPods, titleOf } from './dependency.ts';
import { ConnectionsReader } from './foreign.ts';

export interface PolicyUpdate {
  readonly was: NetworkPolicy;
  readonly policy: NetworkPolicy;
  readonly before: ClusterView;
  readonly cluster: ClusterView;
}

export interface Gains {
  /** `Deployment web to Deployment db on 5432/TCP`, each once. */
  readonly titles: readonly string[];
  /** There may be more. */
  readonly isCut: boolean;
}

/** Nobody reads more of them. */
const most = 50;

export function gainedBy(update: PolicyUpdate, elsewhere: Elsewhere | undefined): Gains {
  const titles = new Set<string>();
  for (const [from, to] of pairsOf(update, elsewhere)) {
    update.cluster.step();
    if (titles.size === most) return { titles: [...titles], isCut: true };
    const title = from === to ? undefined : titleOfGain(update, from, to);
    if (title !== undefined) titles.add(title);
  }
  return { titles: [...titles], isCut: false };
}

/** Those of which one end is the policy's; without a new rule nothing is opened. */
function* pairsOf(update: PolicyUpdate, elsewhere: Elsewhere | undefined): Generator<readonly [from: Workload, to: Workload]> {
  const { policy, cluster } = update;
  const subjects = preferringPods(selectedBy(cluster, policy)).filter(isBound);
  for (const direction of directions) {
    const fresh = freshRules(update, direction);
    if (fresh.length === 0) continue;
    for (const peer of peersOf(update, fresh, elsewhere))
      for (const subject of subjects) yield direction === 'Ingress' ? [peer, subject] : [subject, peer];
  }
}

/** Whom the new rules hold, or may: those of the own namespace first, so that others are looked at only where there is still room. */
function* peersOf({ policy, cluster }: PolicyUpdate, fresh: readonly PolicyRule[], elsewhere: Elsewhere | undefined): Generator<Workload> {
  const own = policy.metadata.namespace;
  const holding = peersByNamespace(cluster, own, fresh);
  const isHeld = (one: Workload): boolean => peersHold(cluster, holding(one.metadata.namespace), own, { peer: one, via: [] }) !== false;
  yield* preferringPods(cluster.workloads(own).filter(isHeld));
  // What is open there hangs on the policies of both ends. Nobody is asked about where every new rule is about the own namespace.
  const isNear = fresh.every(({ peers }) => peers?.every((peer) => isOfOwnNamespace(peer, own)) === true);
  if (elsewhere === undefined || isNear || !new ConnectionsReader(own, elsewhere).seesAll) return;
  const isHeldElsewhere = (one: Workload): boolean => one.metadata.namespace !== own && isHeld(one);
  yield* preferringPods([...elsewhere.those('Template', isHeldElsewhere), ...elsewhere.those('Pod', isHeldElsewhere)]);
}

/** The rules that the policy did not have before, for these Pods. */
function freshRules({ was, policy, cluster }: PolicyUpdate, direction: Direction): readonly PolicyRule[] {
  if (!isolatesIn(policy, direction)) return [];
  const isSameSubject = JSON.stringify(was.spec.podSelector) === JSON.stringify(policy.spec.podSelector);
  const textOf = (rule: PolicyRule): string => {
    cluster.step();
    return JSON.stringify(rule);
  };
  const known = new Set(isSameSubject ? rulesOf(was, direction).map(textOf) : []);
  return rulesOf(policy, direction).filter((rule) => !known.has(textOf(rule)));
}

/** The peers that may hold somebody in a namespace; undefined where a rule holds everybody. */
function peersByNamespace(
  view: ClusterView,
  own: string,
  rules: readonly PolicyRule[],
): (namespace: string) => readonly NetworkPolicyPeer[] | undefined {
  if (rules.some(({ peers }) => peers === undefined)) return () => undefined;
  const peers = rules.flatMap((rule) => rule.peers ?? []);
  const byNamespace = new Map<string, readonly NetworkPolicyPeer[]>();
  const holding = (namespace: string): readonly NetworkPolicyPeer[] =>
    peers.filter(({ ipBlock, namespaceSelector }) => {
      view.step();
      if (ipBlock !== undefined || namespaceSelector === undefined) return ipBlock !== undefined || namespace === own;
      return namespaceMatches(view, namespaceSelector, namespace) !== false;
    });
  return (namespace) => {
    const those = byNamespace.get(namespace) ?? holding(namespace);
    byNamespace.set(namespace, those);
    return those;
  };
}

function titleOfGain({ policy, before, cluster }: PolicyUpdate, from: Workload, to: Workload): string | undefined {
  const target = { workload: to, serviceAddresses: [] };
  const [then, now] = [allowedPorts(before, from, target), allowedPorts(cluster, from, target)];
  const ports = without(now.allowed, union(then.allowed, then.depends));
  const own = policy.metadata.namespace;
  return ports.length === 0 ? undefined : `${titleOf(from, own)} to ${titleOf(to, own)} on ${formatPorts(ports)}`;
}
