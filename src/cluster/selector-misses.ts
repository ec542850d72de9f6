/** A selector that matches nothing: what it probably meant, and what may still come that it matches. */
import type { Labels, ObjectRef, Workload } from '../kube/resources.ts';
import { asBackends } from './backends.ts';
import { type LabelDifference, nearMiss } from './near-miss.ts';
import { pairsOfOperators, pairsToCome, titleWithPods } from './selection.ts';
import type { ClusterView } from './view.ts';

/** Labels that a controller may still give to Pods, and how that is told. */
export function stillToCome(
  selector: Labels,
  workloads: readonly Workload[],
  hasCandidate: boolean,
): { readonly message: 'noPodYet' | 'onlyRunTimeLabels' | 'operatorBringsPods'; readonly pairs: Labels } | undefined {
  const atRunTime = pairsToCome(selector, workloads);
  if (atRunTime !== undefined) return { message: atRunTime.isTelling ? 'noPodYet' : 'onlyRunTimeLabels', pairs: atRunTime.pairs };
  const pairs = hasCandidate ? undefined : pairsOfOperators(selector, workloads);
  return pairs && { message: 'operatorBringsPods', pairs };
}

/** Whom the selector all but matches. */
export interface Candidate {
  readonly ref: ObjectRef;
  /** `Deployment web, 3 Pods`. */
  readonly title: string;
  readonly differences: readonly LabelDifference[];
}

export function candidateFor(selector: Labels, workloads: readonly Workload[], known: ClusterView): Candidate | undefined {
  const miss = nearMiss(selector, workloads);
  if (miss === undefined) return undefined;
  const backend = asBackends(workloads, known).find(({ shapes }) => shapes.includes(miss.workload.pod));
  return backend && { ref: backend.ref, title: titleWithPods(backend), differences: miss.differences };
}
