/** A Service selector that matches nothing: what its namespace holds instead, and what may still come. */
import { shorten } from '../kube/display.ts';
import { formatLabels, isPodNameOf, isRunTimeLabel, labelsOf, matchesPairs, podNameLabel } from '../kube/labels.ts';
import type { Labels, Workload } from '../kube/resources.ts';
import type { Backend } from './backends.ts';
import { isCertainTypo, type LabelDifference, mostPairs, sharedLabels } from './near-miss.ts';
import type { ClusterView } from './view.ts';

/**
 * The pairs of a selector that no Pod carries yet and that some controller sets on running Pods, where a workload is there
 * that carries the rest: the Pod of an ordinal to come, the next leader, the revision that a rollout turns to before it
 * scales it up. None where the workload's own template settles the label. Where the selector asks for nothing else, and so
 * for any Pod as well as for another, nobody knows: `isTelling` is false.
 */
export function pairsToCome(
  selector: Labels,
  workloads: readonly Workload[],
): { readonly pairs: Labels; readonly isTelling: boolean } | undefined {
  const lasting = labelsOf(selector, (key) => !isRunTimeLabel(key));
  const templates = new Set(workloads.filter(({ kind }) => kind !== 'Pod').map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const mayGet = (workload: Workload): boolean => {
    const { kind, metadata, owner, pod } = workload;
    if (!matchesPairs(lasting, pod.labels) || (kind === 'Pod' && templates.has(owner ?? ''))) return false;
    const unmet = Object.entries(selector).filter(([key, value]) => pod.labels[key] !== value);
    return unmet.every(([key, value]) =>
      key === podNameLabel ? isPodNameOf(metadata.name, value) : pod.labels[key] === undefined || owner !== undefined,
    );
  };
  const speaksFor = ({ pod }: Workload): boolean =>
    selector[podNameLabel] !== undefined || Object.entries(selector).some(([key, value]) => pod.labels[key] === value);
  const open = workloads.filter(mayGet);
  const telling = open.find(speaksFor);
  const workload = telling ?? open[0];
  return (
    workload && {
      pairs: labelsOf(selector, (key) => workload.pod.labels[key] !== selector[key]),
      isTelling: telling !== undefined,
    }
  );
}

/** Labels of these are written by people and by charts. */
const commonPrefix = /(^|\.)(kubernetes\.io|k8s\.io|helm\.sh)\//;

/**
 * The pairs whose keys have a domain of which no workload here carries any key: `longhorn.io/component`. People seldom write
 * such labels; an operator gives them to the Pods that it makes, later than anything that is applied.
 */
export function pairsOfOperators(selector: Labels, workloads: readonly Workload[]): Labels | undefined {
  const carried = new Set(workloads.flatMap(({ pod }) => Object.keys(pod.labels).map(domainOf)));
  const pairs = labelsOf(selector, (key) => key.includes('/') && !commonPrefix.test(key) && !carried.has(domainOf(key)));
  return Object.keys(pairs).length === 0 ? undefined : pairs;
}

const domainOf = (key: string): string => key.slice(0, key.indexOf('/') + 1);

/** Runes of one set of labels in a text, about. */
const longestSet = 48;

/** So many sets of labels are shown. */
const mostSets = 3;

/** By which labels Pods here could be selected, as the end of a sentence: `; Pods here carry app=web,tier=front; app=cart`. */
export function carriedBy(workloads: readonly Workload[]): string {
  const sets = new Set<string>();
  for (const { pod } of workloads) {
    const telling = labelsOf(pod.labels, (key) => !sharedLabels.has(key) && !isRunTimeLabel(key));
    const set = cutSet(Object.keys(telling).length > 0 ? telling : labelsOf(pod.labels, (key) => !isRunTimeLabel(key)));
    if (set !== '') sets.add(set);
    if (sets.size > mostSets) break;
  }
  const shown = [...sets].slice(0, mostSets);
  if (shown.length === 0) return '';
  return `; Pods here carry ${[...shown, ...(sets.size > mostSets ? ['…'] : [])].join('; ')}`;
}

function cutSet(labels: Labels): string {
  const pairs = formatLabels(labels).split(',');
  const kept = pairs.filter((_, index) => index === 0 || pairs.slice(0, index + 1).join(',').length <= longestSet);
  const [first = '', ...others] = kept;
  return [shorten(first, longestSet), ...others, ...(kept.length < pairs.length ? ['…'] : [])].join(',');
}

/** The pairs that nothing here carries; all of them, where each is carried by something, or where they are very many. */
export function pairsOfNobody(selector: Labels, workloads: readonly Workload[]): readonly string[] {
  const pairs = Object.entries(selector).sort(([a], [b]) => (a < b ? -1 : 1));
  const isCarried = ([key, value]: readonly [string, string]): boolean => workloads.some(({ pod }) => pod.labels[key] === value);
  const missing = pairs.length > mostPairs ? [] : pairs.filter((pair) => !isCarried(pair));
  return missing.length > 0 ? missing.map((pair) => pair.join('=')) : [JSON.stringify(pairs)];
}

/** The selector with what the candidate carries and without what it lacks, and the change in a few words: `app=web without track`. */
export function correctedSelector(
  selector: Labels,
  differences: readonly LabelDifference[],
): { readonly corrected: Labels; readonly change: string } {
  const meant = new Map(differences.map((difference) => [difference.key, pairMeant(difference)]));
  const pairs = Object.entries(selector).flatMap(([key, value]) => (meant.has(key) ? (meant.get(key) ?? []) : [{ key, value }]));
  const instead = [...meant.values()].flatMap((pair) => (pair === undefined ? [] : `${pair.key}=${pair.value}`)).join(',');
  const lacking = [...meant].flatMap(([key, pair]) => (pair === undefined ? key : []));
  return {
    corrected: labelsOf(Object.fromEntries(pairs.map(({ key, value }) => [key, value]))),
    change: `${instead || 'the selector'}${lacking.length === 0 ? '' : ` without ${lacking.join(', ')}`}`,
  };
}

/** Whether each is a slip of the pen. To drop a label is none: it changes which Pods are meant, and they may be yet to come. */
export const areCertain = (differences: readonly LabelDifference[], workloads: readonly Workload[]): boolean =>
  differences.every(({ key, wanted, found, otherKey }) => {
    if (otherKey !== undefined) return isCertainTypo(key, otherKey, new Set(workloads.flatMap(({ pod }) => Object.keys(pod.labels))));
    return found !== undefined && isCertainTypo(wanted, found, new Set(workloads.flatMap(({ pod }) => pod.labels[key] ?? [])));
  });

function pairMeant({ key, wanted, found, otherKey }: LabelDifference): { readonly key: string; readonly value: string } | undefined {
  if (otherKey !== undefined) return { key: otherKey, value: wanted };
  return found === undefined ? undefined : { key, value: found };
}

/** `Deployment web, 3 Pods`. */
export const titleWithPods = ({ title, ref, pods }: Backend): string =>
  pods === 0 || ref.kind === 'Pod' ? title : `${title}, ${counted(pods, 'Pod')}`;

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `0 of 41 Pods and 3 templates`. */
export function countOf(workloads: readonly Workload[], known: ClusterView): string {
  const pods = workloads.reduce((sum, workload) => sum + known.pods(workload).count, 0);
  const templates = workloads.filter(({ kind }) => kind !== 'Pod').length;
  const counts = [...(pods > 0 ? [counted(pods, 'Pod')] : []), ...(templates > 0 ? [counted(templates, 'template')] : [])];
  return counts.length === 0 ? 'nothing: there are no Pods and no Pod templates' : `0 of ${counts.join(' and ')}`;
}
