/** Which connections an update of a policy opens, among the workloads that the reader may know. */
import type { NetworkPolicy, Workload } from '../../kube/resources.ts';
import { selectedBy } from '../dns-rules.ts';
import type { Elsewhere } from '../elsewhere.ts';
import { isBound } from '../traffic/end.ts';
import { allowedPorts, type Direction } from '../traffic/flow.ts';
import { directions } from '../traffic/groups.ts';
import { peersHold } from '../traffic/peers.ts';
import { isolatesIn, type PolicyRule, rulesOf } from '../traffic/policy-rules.ts';
import { formatPorts, union, without } from '../traffic/ports.ts';
import type { ClusterView } from '../view.ts';
import { preferringPods, titleOf } from './dependency.ts';

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

/** The own namespace first, so that others are looked at only where there is still room. */
function* peersOf(update: PolicyUpdate, fresh: readonly PolicyRule[], elsewhere: Elsewhere | undefined): Generator<Workload> {
  yield* preferringPods(update.cluster.workloads(update.policy.metadata.namespace));
  yield* heldElsewhere(update, fresh, elsewhere);
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

/** Whom the new rules hold, or may, in other namespaces. */
function heldElsewhere(
  { policy, cluster }: PolicyUpdate,
  fresh: readonly PolicyRule[],
  elsewhere: Elsewhere | undefined,
): readonly Workload[] {
  const { namespace } = policy.metadata;
  const isHeld = (one: Workload): boolean =>
    one.metadata.namespace !== namespace &&
    fresh.some(({ peers }) => peersHold(cluster, peers, namespace, { peer: one, via: [] }) !== false);
  return elsewhere === undefined ? [] : preferringPods([...elsewhere.those('Template', isHeld), ...elsewhere.those('Pod', isHeld)]);
}

function titleOfGain({ policy, before, cluster }: PolicyUpdate, from: Workload, to: Workload): string | undefined {
  const target = { workload: to, serviceAddresses: [] };
  const [then, now] = [allowedPorts(before, from, target), allowedPorts(cluster, from, target)];
  const ports = without(now.allowed, union(then.allowed, then.depends));
  const own = policy.metadata.namespace;
  return ports.length === 0 ? undefined : `${titleOf(from, own)} to ${titleOf(to, own)} on ${formatPorts(ports)}`;
}
