/** For a selector of a policy that selects nobody, the one that was probably meant. */
import { nameLabel } from '../kube/labels.ts';
import type { LabelSelector, Labels, Namespace, Workload } from '../kube/resources.ts';
import { asBackends } from './backends.ts';
import { isCertainTypo, nearestWord, nearMiss } from './near-miss.ts';
import { areCertain, correctedSelector, titleWithPods } from './selection.ts';
import type { ClusterView } from './view.ts';

export interface NearestSelector {
  /** Pairs in the place of `matchLabels`. */
  readonly corrected: Labels;
  /** `did you mean app=web (Deployment web, 3 Pods)?` */
  readonly text: string;
  /** Whether the selector can only be a slip of the pen. */
  readonly isCertain: boolean;
}

/**
 * Only pairs can be misspelt: an expression says too little of what was meant. Never the empty selector, which selects everybody,
 * and none of whom `isFree` denies that they can be meant.
 */
export function nearestSelector(
  { matchLabels, matchExpressions }: LabelSelector,
  workloads: readonly Workload[],
  known: ClusterView,
  isFree: (workload: Workload) => boolean = () => true,
): NearestSelector | undefined {
  const miss = matchExpressions.length > 0 ? undefined : nearMiss(matchLabels, workloads.filter(isFree));
  if (miss === undefined) return undefined;
  const { corrected, change } = correctedSelector(matchLabels, miss.differences);
  const backend = asBackends([miss.workload], known)[0];
  if (Object.keys(corrected).length === 0 || backend === undefined) return undefined;
  const isCertain = areCertain(miss.differences, workloads);
  return { corrected, text: `did you mean ${change} (${titleWithPods(backend)})?`, isCertain };
}

/** To look for the nearest Pods takes time, and nobody reads more of it. */
const mostSuggested = 20;

/** The same for the first selectors of one policy that select nobody in this namespace. */
export function nearestSelectors(known: ClusterView, namespace: string) {
  let asked = 0;
  return (selector: LabelSelector, isFree?: (workload: Workload) => boolean): NearestSelector | undefined =>
    ++asked > mostSuggested ? undefined : nearestSelector(selector, known.workloads(namespace), known, isFree);
}

/** The namespace that is called nearly as the one that a selector asks for by its name. */
export function nearestNamespaceName(
  { matchLabels }: LabelSelector,
  namespaces: readonly Namespace[],
): { readonly name: string; readonly isCertain: boolean } | undefined {
  const wanted = matchLabels[nameLabel];
  const names = namespaces.map(({ metadata }) => metadata.name);
  const name = wanted === undefined || names.includes(wanted) ? undefined : nearestWord(wanted, names);
  return wanted === undefined || name === undefined ? undefined : { name, isCertain: isCertainTypo(wanted, name, names) };
}
