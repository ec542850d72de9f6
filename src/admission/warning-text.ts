/**
 * Warnings, as the API server lets them through (apiserver pkg/endpoints/filters/warning.go): one line each, nothing in
 * it that does not print, or it is dropped without a word; and few, since beyond 4,096 runes in all each is cut.
 */
import { severities } from '../engine/finding.ts';
import type { Decision, Warning } from '../engine/review.ts';
import { display, shorten } from '../kube/display.ts';
import { type FieldPath, formatPath } from '../kube/field-path.ts';

const maxWarnings = 5;
const maxRunes = 240;
const maxNotCheckedRunes = 120;
/** Older than this, what the cluster's state proves is said with its age (reliability.md D5). */
const staleMs = 10_000;

/** How long the watches behind a rule's verdict have been broken, in milliseconds. */
export type StaleMsOf = (ruleId: string) => number;

const softened: Readonly<Record<NonNullable<Warning['softened']>, string>> = {
  'dry-run': 'would be denied: ',
  unconfirmed: 'unconfirmed, so not denied: ',
  ratcheted: 'not new, so not denied: ',
  owned: 'made by a controller, so not denied: ',
};

/** The lines for this decision, gravest first; `extra` are lines that must not be left out. */
export function warningLines(warnings: readonly Warning[], extra: readonly string[], staleMsOf: StaleMsOf): readonly string[] {
  const kept = extra.slice(0, maxWarnings - 1).map((line) => display(line, maxRunes));
  const groups = distinct(ranked(warnings).map((warning) => ({ ruleId: warning.finding.ruleId, ...linesOf(warning, staleMsOf) })));
  const spare = maxWarnings - kept.length - groups.flatMap(({ lines }) => lines).length;
  if (spare >= 0) return [...withEvidence(groups, spare), ...kept];
  let fitting = 0;
  const told: string[] = [];
  for (const { lines } of groups) {
    if (told.length + lines.length > maxWarnings - 1 - kept.length) break;
    told.push(...lines);
    fitting++;
  }
  return [...told, ...kept, moreLine(groups.slice(fitting).map(({ ruleId }) => ruleId))];
}

interface Lines {
  readonly lines: readonly string[];
  /** The same with a line more, where that one has lost evidence. */
  readonly apart?: readonly string[];
}

interface Group extends Lines {
  readonly ruleId: string;
}

/** Nothing is shortened beside lines that stay empty: the gravest have them first. */
function withEvidence(groups: readonly Group[], spare: number): readonly string[] {
  let left = spare;
  return groups.flatMap(({ lines, apart }) => {
    if (apart === undefined || left === 0) return lines;
    left--;
    return apart;
  });
}

/** Without those that read the same. */
const distinct = (groups: readonly Group[]): readonly Group[] => [
  ...new Map(groups.map((group) => [group.lines.join('\n'), group])).values(),
];

const ranked = (warnings: readonly Warning[]): readonly Warning[] => warnings.toSorted((a, b) => rank(a) - rank(b));

/** By severity; of equals, what was there before comes last. */
const rank = ({ finding, softened: by }: Warning): number => severities.indexOf(finding.severity) * 2 + (by === 'ratcheted' ? 1 : 0);

function moreLine(ruleIds: readonly string[]): string {
  return display(`+${ruleIds.length} more: ${[...new Set(ruleIds)].join(', ')}`, maxRunes);
}

/** Evidence shorter than this says nothing; then it has a line of its own. */
const leastEvidence = 60;

/**
 * `<path>: <what>; <fix> [<id>]` in at most 240 runes. What is too long loses evidence first, or takes a line more. Where hardly
 * any would be left, as beside the literal edit of a policy, the fix always stands in a line of its own: nobody can act on an edit
 * without knowing what for, and an edit to be copied is none with a word of it shortened.
 */
function linesOf({ finding, softened: by }: Warning, staleMsOf: StaleMsOf): Lines {
  const { path, what, fix, ruleId } = finding;
  const tail = ` [${ruleId}]`;
  const ageMs = staleMsOf(ruleId);
  const age = ageMs > staleMs ? ` (${ageText(ageMs)})` : '';
  const prefix = by === undefined ? '' : softened[by];
  for (const nameRunes of [40, 16]) {
    const head = `${prefix}${pathText(path, nameRunes)}`;
    const repair = `${age}; ${withShortNames(fix.text, nameRunes)}${tail}`;
    const evidence = withShortNames(what, nameRunes);
    const room = maxRunes - runesOf(head) - runesOf(repair);
    if (runesOf(evidence) <= room) return { lines: [`${head}${evidence}${repair}`] };
    const ownLine = `${pathText(path, nameRunes)}${withShortNames(fix.text, nameRunes)}${tail}`;
    const apart = runesOf(ownLine) <= maxRunes ? [cut(`${head}${evidence}`, `${age}${tail}`), ownLine] : undefined;
    if (room >= leastEvidence) return { lines: [`${head}${display(evidence, room)}${repair}`], ...(apart && { apart }) };
    if (apart !== undefined) return { lines: apart };
  }
  const head = pathText(path, 16);
  return {
    lines: [cut(`${prefix}${head}${withShortNames(what, 16)}`, `${age}${tail}`), cut(`${head}${withShortNames(fix.text, 16)}`, tail)],
  };
}

/** What there is room for, and the end whole. */
const cut = (text: string, tail: string): string => `${display(text, maxRunes - runesOf(tail))}${tail}`;

const ageText = (ms: number): string =>
  ms < 120_000 ? `on data ${Math.round(ms / 1000)} s old` : `on data ${Math.round(ms / 60_000)} min old`;

/** That nothing was found says little on data this old; in a short break of a watch it is no news. */
export const staleLine = (ageMs: number): string | undefined => (ageMs > 5 * 60_000 ? `portcullis: checked ${ageText(ageMs)}` : undefined);

/** The path with a colon, if there is one. */
function pathText(path: FieldPath, nameRunes: number): string {
  const text = display(formatPath(path.map((part) => (typeof part === 'string' ? shortName(part, nameRunes) : part))));
  return text === '' ? '' : `${text}: `;
}

/** A name is what stands between blanks, quotes, brackets and the marks of a list or a selector. */
const withShortNames = (text: string, nameRunes: number): string =>
  display(text).replaceAll(/[^\s"'`,;()[\]{}=]+/gu, (name) => shortName(name, nameRunes));

/** Of a qualified name, `example.com/name`, both parts stay to be known. */
function shortName(name: string, nameRunes: number): string {
  const parts = name.split('/');
  return parts.length === 2 ? parts.map((part) => shorten(part, nameRunes)).join('/') : shorten(name, nameRunes);
}

const runesOf = (text: string): number => Array.from(text).length;

const reasons: ReadonlyMap<string, string> = new Map([
  ['deadline', 'out of time'],
  ['tooMany', 'more than 250 findings'],
  ['unsynced', 'cluster state not loaded yet'],
  ['unanswered', 'the API server did not answer in time'],
]);

/**
 * One line for all rules that could not be judged, or undefined. A kind that RBAC forbids or the cluster does not serve
 * is left out: that line would stand on every write; it is in the audit annotation.
 */
export function notCheckedLine({ skipped, faults }: Pick<Decision, 'skipped' | 'faults'>): string | undefined {
  const told = new Map<string, string>();
  for (const { ruleId } of faults) told.set(ruleId, 'internal error');
  for (const { ruleId, reason } of skipped) if (reasons.has(reason)) told.set(ruleId, reasons.get(reason) as string);
  const [first, ...others] = told.keys();
  if (first === undefined) return undefined;
  const which = others.length === 0 ? first : `${first} and ${others.length} more`;
  return display(`portcullis: ${which} not checked: ${[...new Set(told.values())].join(', ')}`, maxNotCheckedRunes);
}
