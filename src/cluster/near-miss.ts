/** The closest candidate, for "did you mean". */
import { distance } from 'fastest-levenshtein';
import { isRunTimeLabel } from '../kube/labels.ts';
import type { Labels, Workload } from '../kube/resources.ts';

/** A label in which a workload differs from a selector; `found` is undefined where the Pods lack the key. */
export interface LabelDifference {
  readonly key: string;
  readonly wanted: string;
  readonly found: string | undefined;
  /** The key under which the Pods carry the value that they lack under this one. */
  readonly otherKey?: string;
}

export interface NearMiss {
  readonly workload: Workload;
  readonly differences: readonly LabelDifference[];
}

/** No name and no label value of Kubernetes is longer: what is, is no slip of the pen. */
const longestWord = 253;
/** A selector of more pairs is no slip of the pen either. */
export const mostPairs = 64;
/** Steps of comparing words for one explanation, about 20 ms: of very many candidates the last ones are not looked at. */
const mostSteps = 1_000_000;

/** The word that was probably meant, or undefined if none is near: at most a third of it differs, or one contains the other. */
export const nearestWord = (word: string, candidates: Iterable<string>): string | undefined => nearestAmong(word, candidates, wordCosts());

/** The same for many words of one object, which have together what one alone may cost: the last of very many have none near. */
export function nearestWords(): typeof nearestWord {
  const costOfWord = wordCosts();
  return (word, candidates) => nearestAmong(word, candidates, costOfWord);
}

type WordCost = (a: string, b: string) => number | undefined;

function nearestAmong(word: string, candidates: Iterable<string>, costOfWord: WordCost): string | undefined {
  let nearest: { candidate: string; cost: number } | undefined;
  for (const candidate of candidates) {
    const cost = costOfWord(word, candidate);
    if (cost !== undefined && (nearest === undefined || cost < nearest.cost || (cost === nearest.cost && candidate < nearest.candidate)))
      nearest = { candidate, cost };
  }
  return nearest?.candidate;
}

/** Whether at most so many letters are added, left out or exchanged between the two. */
export const differsByAtMost = (edits: number, a: string, b: string): boolean =>
  Math.abs(a.length - b.length) <= edits && distance(a, b) <= edits;

/** Edits from one word to another, a contained word counting as one edit; undefined if they have too little in common. */
function wordCosts(): WordCost {
  let stepsLeft = mostSteps;
  return (a, b) => {
    if (a === b) return 0;
    if (stepsLeft < 0) return undefined;
    const mayBe = mayBeNear(a, b);
    // The distance is found 32 letters at a time (Myers 1999); 50 stands for what each comparison costs beside.
    stepsLeft -= mayBe ? 50 + a.length * Math.ceil(b.length / 32) : 5;
    return mayBe && stepsLeft >= 0 ? editsBetween(a, b) : undefined;
  };
}

/** So many edits are a slip of the pen. */
const mostEdits = (a: string, b: string): number => Math.max(1, Math.floor(Math.max(a.length, b.length) / 3));

/** Each letter that one word has more is an edit: whether they are near, their lengths tell for most pairs of words. */
const mayBeNear = (a: string, b: string): boolean =>
  Math.max(a.length, b.length) <= longestWord && (Math.abs(a.length - b.length) <= mostEdits(a, b) || contains(a, b));

function editsBetween(a: string, b: string): number | undefined {
  const edits = distance(a.toLowerCase(), b.toLowerCase());
  if (edits <= mostEdits(a, b) || isTransposition(a, b)) return 1 + edits;
  return contains(a, b) ? 2 + edits : undefined;
}

function contains(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (short.length < 2 || /[_.]/.test(short)) return false;
  return (short.includes('-') ? long.replaceAll(/[_.]/g, '-') : long).includes(short);
}

/** `wbe` for `web`: two neighbours changed places. */
function isTransposition(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  const at = [...a].findIndex((letter, index) => letter !== b[index]);
  return a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2);
}

/** Letters that a slip of the pen changes in a word: of a long one, two. */
const mostSlips = (a: string, b: string): number => (Math.min(a.length, b.length) < 8 ? 1 : 2);

const slipsBetween = (a: string, b: string): number => (isTransposition(a, b) ? 1 : distance(a, b));

const digitsIn = (word: string): string => word.replaceAll(/\D/g, '');

/**
 * Whether the candidate is beyond doubt what was meant, so that `check --fix` may write it: a slip of the pen, and no other
 * of `all` is about as near. `api-v3` is no slip of `api-v1`, nor `shop-eu` of `shop-us`, `https` of `http`, `internal` of `external`.
 */
export function isCertainTypo(written: string, candidate: string, all: Iterable<string>): boolean {
  const [a, b] = [written.toLowerCase(), candidate.toLowerCase()];
  const most = slipsIn(a, b);
  if (most === undefined || Math.max(a.length, b.length) > longestWord) return false;
  for (const other of all) {
    const near = Math.abs(other.length - a.length) <= most && other.length <= longestWord;
    if (near && other !== candidate && other !== written && slipsBetween(a, other.toLowerCase()) <= most) return false;
  }
  return true;
}

/** How many slips may lie between the two, where so many do: all in one part of the word, or one between two parts. */
function slipsIn(a: string, b: string): number | undefined {
  if (a === b) return 1;
  if (digitsIn(a) !== digitsIn(b)) return undefined;
  const [own, other] = [a.split(separators), b.split(separators)];
  if (own.join('') === other.join('')) return isCertainSeparator(a, b, [...own, ...other]) ? 1 : undefined;
  const differing = own.flatMap((part, index) => (part === other[index] ? [] : [[part, other[index] ?? ''] as const]));
  const [pair] = differing;
  if (own.length !== other.length || pair === undefined || differing.length > 1 || !isSlip(...pair)) return undefined;
  return mostSlips(...pair);
}

const separators = /[^a-z\d]/;

/** `shop_web` or `shopweb` for `shop-web`; a part of a letter or two, or a number, says something by standing alone. */
const isCertainSeparator = (a: string, b: string, parts: readonly string[]): boolean =>
  distance(a, b) === 1 && parts.every((part) => part.length > 2) && digitsIn(a) === '';

/**
 * Short parts are as often other words (`dev`, `web`; `test`, `text`), and so is what differs in its first letter or its end:
 * `internal` and `external`, `card` and `cart`, `http` and `https`.
 */
function isSlip(a: string, b: string): boolean {
  if (isTransposition(a, b)) return a.length > 2;
  if (Math.min(a.length, b.length) < 4 || a[0] !== b[0] || distance(a, b) > mostSlips(a, b)) return false;
  if (a.length !== b.length) return `${a}s` !== b && a !== `${b}s`;
  return a.at(-1) === b.at(-1) && (a.length > 4 || isDoubled(a, b));
}

/** `htpp` for `http`: a key struck once more in place of its neighbour. */
function isDoubled(a: string, b: string): boolean {
  const at = [...a].findIndex((letter, index) => letter !== b[index]);
  return a[at] === a[at - 1] || a[at] === a[at + 1];
}

/**
 * The workload whose Pods come closest to a selector that matches none: fewest differing labels first, then the most
 * alike values. One that has neither a pair nor a similar value in common is no candidate.
 */
export function nearMiss(selector: Labels, workloads: readonly Workload[]): NearMiss | undefined {
  const pairs = Object.entries(selector);
  if (pairs.length > mostPairs) return undefined;
  const costOfAll = costOf(pairs, tellingKeys(selector));
  let best: (NearMiss & { readonly cost: number }) | undefined;
  for (const workload of workloads) {
    const { labels } = workload.pod;
    const differences = pairs
      // Where a workload lacks what comes at run time, it does not differ yet.
      .filter(([key, wanted]) => labels[key] !== wanted && (labels[key] !== undefined || !isRunTimeLabel(key)))
      .map(([key, wanted]): LabelDifference => ({ key, wanted, found: labels[key] }));
    if (differences.length === 0 || (best !== undefined && differences.length * differenceCost > best.cost)) continue;
    const renamed = withOtherKeys(differences, workload, selector);
    const cost = costOfAll(renamed);
    if (cost === undefined) continue;
    if (best === undefined || cost < best.cost || (cost === best.cost && isBefore(workload, best.workload)))
      best = { workload, differences: renamed, cost };
  }
  return best && { workload: best.workload, differences: best.differences };
}

/** Of so many missing keys at most another one is looked for. */
const mostRenamed = 3;
/** Many labels have one of these values, so that it says nothing of what was meant. */
const saysLittle = /^(|true|false|yes|no|on|off|enabled|disabled|v?\d[\d.]*)$/;

function withOtherKeys(all: readonly LabelDifference[], { pod: { labels } }: Workload, selector: Labels): readonly LabelDifference[] {
  const lacking = all.filter(({ found, wanted }) => found === undefined && !saysLittle.test(wanted));
  if (lacking.length === 0 || lacking.length > mostRenamed) return all;
  const others = Object.keys(labels).filter((key) => selector[key] === undefined && !isRunTimeLabel(key));
  return all.map((difference) => {
    if (!lacking.includes(difference)) return difference;
    const { key, wanted } = difference;
    const alike = others.filter((other) => labels[other] === wanted && sharedLabels.has(other) === sharedLabels.has(key));
    const instead = nearestWord(key, alike) ?? alike[0];
    return instead === undefined ? difference : { ...difference, otherKey: instead };
  });
}

/** A template before the Pods that it makes, then by name. */
const isBefore = (a: Workload, b: Workload): boolean => sortKey(a) < sortKey(b);
const sortKey = ({ kind, metadata }: Workload): string => `${kind === 'Pod' ? 1 : 0}/${metadata.name}/${kind}`;

/** What all parts of one release or team carry alike: to have it in common says nothing. */
export const sharedLabels: ReadonlySet<string> = new Set([
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

function tellingKeys(selector: Labels): ReadonlySet<string> {
  const own = Object.keys(selector).filter((key) => !sharedLabels.has(key) && !isRunTimeLabel(key));
  return new Set(own.length > 0 ? own : Object.keys(selector));
}

/** More than any likeness of the values can make up for. */
const differenceCost = 100;

/** The same value under another key is about as near as a letter or two. */
const otherKeyCost = 3;

/** Values that many workloads share are compared once. */
function costOf(pairs: readonly (readonly [key: string, wanted: string])[], telling: ReadonlySet<string>) {
  const costOfWord = wordCosts();
  const known = new Map(pairs.map(([key]) => [key, new Map<string, number | undefined>()]));
  const editsOf = ({ key, wanted, found, otherKey }: LabelDifference): number | undefined => {
    if (otherKey !== undefined) return otherKeyCost;
    const costs = known.get(key);
    if (found === undefined || costs === undefined) return undefined;
    if (!costs.has(found)) costs.set(found, costOfWord(wanted, found));
    return costs.get(found);
  };
  const tellingPairs = pairs.filter(([key]) => telling.has(key)).length;
  return (differences: readonly LabelDifference[]): number | undefined => {
    let cost = 0;
    let similar = tellingPairs;
    for (const difference of differences) {
      const edits = editsOf(difference);
      if (edits === undefined && telling.has(difference.key)) similar--;
      cost += differenceCost + (edits ?? 50);
    }
    return similar === 0 ? undefined : cost;
  };
}
