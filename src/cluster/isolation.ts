/** Which Pods a policy isolated that nothing isolates without it. */
import type { NetworkPolicy, Workload } from '../kube/resources.ts';
import { selectedBy } from './dns-rules.ts';
import { isBound } from './traffic/end.ts';
import type { Direction } from './traffic/flow.ts';
import { isolatesIn, rulesOf } from './traffic/policy-rules.ts';
import { isolating } from './traffic/selecting.ts';
import type { ClusterView } from './view.ts';

/**
 * The workloads that the policy, as it was, certainly isolated in a direction, and that no policy of the view even may. None
 * of a policy that allowed everything: it isolated nobody from anything.
 */
export function freed(view: ClusterView, was: NetworkPolicy, direction: Direction): readonly Workload[] {
  const allowsAll = rulesOf(was, direction).some(({ peers, ports }) => peers === undefined && ports === undefined);
  if (!isolatesIn(was, direction) || allowsAll) return [];
  return selectedBy(view, was).filter((workload) => isBound(workload) && isolating(view, workload, direction).length === 0);
}
