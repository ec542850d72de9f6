/** The closest candidate, for "did you mean". */
import { distance } from 'fastest-levenshtein';
import { isRunTimeLabel } from '../kube/labels.ts';
import type { Labels, Workload } from '../kube/resources.ts';

/** A label in which a workload differs from a selector; `found` is undefined where the Pods lack the key. */
export interface LabelDifference {
  readonly key: string;
  readonly wanted: string;
  readonly found: string | undefined;
}

export interface NearMiss {
  readonly workload: Workload;
  readonly differences: readonly LabelDifference[];
}

/** The word that was probably meant, or undefined if none is near: at most a third of it differs, or one contains the other. */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  let nearest: { candidate: string; cost: number } | undefined;
  for (const candidate of candidates) {
    const cost = wordCost(word, candidate);
    if (cost !== undefined && (nearest === undefined || cost < nearest.cost || (cost === nearest.cost && candidate < nearest.candidate)))
      nearest = { candidate, cost };
  }
  return nearest?.candidate;
}

/** Edits from one word to another, a contained word counting as one edit; undefined if they have too little in common. */
function wordCost(a: string, b: string): number | undefined {
  if (a === b) return 0;
  const edits = distance(a.toLowerCase(), b.toLowerCase());
  if (edits <= Math.max(1, Math.floor(Math.max(a.length, b.length) / 3)) || isTransposition(a, b)) return 1 + edits;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short.length >= 2 && long.split(/[-_.]/).join('-').includes(short) ? 2 + edits : undefined;
}

/** `wbe` for `web`: two neighbours changed places. */
function isTransposition(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  const at = [...a].findIndex((letter, index) => letter !== b[index]);
  return a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2);
}

/**
 * The workload whose Pods come closest to a selector that matches none: fewest differing labels first, then the most
 * alike values. One that has neither a pair nor a similar value in common is no candidate.
 */
export function nearMiss(selector: Labels, workloads: readonly Workload[]): NearMiss | undefined {
  let best: (NearMiss & { readonly cost: number }) | undefined;
  for (const workload of workloads) {
    const differences = Object.entries(selector)
      .filter(([key, wanted]) => workload.pod.labels[key] !== wanted && !isRunTimeLabel(key))
      .map(([key, wanted]) => ({ key, wanted, found: workload.pod.labels[key] }));
    const cost = costOf(differences, Object.keys(selector).length);
    if (cost === undefined || differences.length === 0) continue;
    if (best === undefined || cost < best.cost || (cost === best.cost && isBefore(workload, best.workload)))
      best = { workload, differences, cost };
  }
  return best && { workload: best.workload, differences: best.differences };
}

/** A template before the Pods that it makes, then by name. */
const isBefore = (a: Workload, b: Workload): boolean => sortKey(a) < sortKey(b);
const sortKey = ({ kind, metadata }: Workload): string => `${kind === 'Pod' ? 1 : 0}/${metadata.name}/${kind}`;

function costOf(differences: readonly LabelDifference[], pairs: number): number | undefined {
  let cost = 0;
  let similar = pairs - differences.length;
  for (const { wanted, found } of differences) {
    const edits = found === undefined ? undefined : wordCost(wanted, found);
    if (edits !== undefined) similar++;
    cost += 100 + (edits ?? 50);
  }
  return similar === 0 ? undefined : cost;
}
