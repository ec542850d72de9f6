/** The closest candidate, for "did you mean". */
import { distance } from 'fastest-levenshtein';
import { isRunTimeLabel, labelsOf, matchesPairs } from '../kube/labels.ts';
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
    const cost = costOf(differences, selector);
    if (cost === undefined || differences.length === 0) continue;
    if (best === undefined || cost < best.cost || (cost === best.cost && isBefore(workload, best.workload)))
      best = { workload, differences, cost };
  }
  return best && { workload: best.workload, differences: best.differences };
}

const podName = 'statefulset.kubernetes.io/pod-name';

/**
 * The pairs of a selector that no Pod carries yet and that some controller sets on running Pods, where a workload is there
 * that carries the rest: the Pod of an ordinal to come, the next leader, the revision that a rollout turns to before it
 * scales it up. None where the workload's own template settles the label.
 */
export function pairsToCome(selector: Labels, workloads: readonly Workload[]): Labels | undefined {
  const lasting = labelsOf(selector, (key) => !isRunTimeLabel(key));
  const templates = new Set(workloads.filter(({ kind }) => kind !== 'Pod').map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const mayGet = (workload: Workload): boolean => {
    const { kind, metadata, owner, pod } = workload;
    if (!matchesPairs(lasting, pod.labels) || (kind === 'Pod' && templates.has(owner ?? ''))) return false;
    const unmet = Object.entries(selector).filter(([key, value]) => pod.labels[key] !== value);
    const isOpen = ([key, value]: readonly [string, string]): boolean =>
      key === podName ? isPodOf(metadata.name, value) : pod.labels[key] === undefined || owner !== undefined;
    return unmet.every(isOpen) && (Object.keys(lasting).length > 0 || unmet.some(([key]) => key === podName));
  };
  const workload = workloads.find(mayGet);
  return workload && labelsOf(selector, (key) => workload.pod.labels[key] !== selector[key]);
}

/** `<name>-<ordinal>`, as a StatefulSet calls its Pods. */
const isPodOf = (name: string, pod: string): boolean => pod.startsWith(`${name}-`) && /^\d+$/.test(pod.slice(name.length + 1));

/** A template before the Pods that it makes, then by name. */
const isBefore = (a: Workload, b: Workload): boolean => sortKey(a) < sortKey(b);
const sortKey = ({ kind, metadata }: Workload): string => `${kind === 'Pod' ? 1 : 0}/${metadata.name}/${kind}`;

/** What all parts of one release or team carry alike: to have it in common says nothing. */
const shared: ReadonlySet<string> = new Set([
  'app.kubernetes.io/instance',
  'app.kubernetes.io/managed-by',
  'app.kubernetes.io/part-of',
  'app.kubernetes.io/version',
  'chart',
  'environment',
  'helm.sh/chart',
  'heritage',
  'release',
  'team',
]);

function costOf(differences: readonly LabelDifference[], selector: Labels): number | undefined {
  let cost = 0;
  const own = Object.keys(selector).filter((key) => !shared.has(key));
  const telling = new Set(own.length > 0 ? own : Object.keys(selector));
  const differing = new Set(differences.map(({ key }) => key));
  let similar = [...telling].filter((key) => !differing.has(key) && !isRunTimeLabel(key)).length;
  for (const { key, wanted, found } of differences) {
    const edits = found === undefined ? undefined : wordCost(wanted, found);
    if (edits !== undefined && telling.has(key)) similar++;
    cost += 100 + (edits ?? 50);
  }
  return similar === 0 ? undefined : cost;
}
