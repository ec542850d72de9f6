/**
 * Warnings, as the API server lets them through (apiserver pkg/endpoints/filters/warning.go): one line each, nothing in
 * it that does not print, or it is dropped without a word; and few, since beyond 4,096 runes in all each is cut.
 */
import { type Finding, severities } from '../engine/finding.ts';
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
};

/** The lines for this decision, gravest first; `extra` are lines that must not be left out. */
export function warningLines(warnings: readonly Warning[], extra: readonly string[], staleMsOf: StaleMsOf): readonly string[] {
  const lines = new Map<string, string>();
  for (const { finding, softened: by } of ranked(warnings)) {
    const line = findingLine(finding, by === undefined ? '' : softened[by], staleMsOf(finding.ruleId));
    if (!lines.has(line)) lines.set(line, finding.ruleId);
  }
  const kept = extra.slice(0, maxWarnings - 1).map((line) => display(line, maxRunes));
  const all = [...lines.keys()];
  const room = maxWarnings - kept.length;
  if (all.length <= room) return [...all, ...kept];
  const left = [...lines.values()].slice(room - 1);
  return [...all.slice(0, room - 1), ...kept, moreLine(left)];
}

const ranked = (warnings: readonly Warning[]): readonly Warning[] => warnings.toSorted((a, b) => rank(a) - rank(b));

/** By severity; of equals, what was there before comes last. */
const rank = ({ finding, softened: by }: Warning): number => severities.indexOf(finding.severity) * 2 + (by === 'ratcheted' ? 1 : 0);

function moreLine(ruleIds: readonly string[]): string {
  return display(`+${ruleIds.length} more: ${[...new Set(ruleIds)].join(', ')}`, maxRunes);
}

/**
 * `<path> <what>; <fix> [<id>]` in at most 240 runes. What is too long loses evidence first, then the middle of names; the
 * path, the fix and the id stay, as long as there is any way.
 */
function findingLine({ path, what, fix, ruleId }: Finding, prefix: string, ageMs: number): string {
  const tail = ` [${ruleId}]`;
  const age = ageMs > staleMs ? ` (${ageText(ageMs)})` : '';
  for (const nameRunes of [40, 16]) {
    const head = `${prefix}${pathText(path, nameRunes)}`;
    const repair = `${age}; ${withShortNames(fix.text, nameRunes)}${tail}`;
    const evidence = withShortNames(what, nameRunes);
    const room = maxRunes - runesOf(head) - runesOf(repair);
    if (runesOf(evidence) <= room || room >= 30) return `${head}${display(evidence, room)}${repair}`;
    // An edit to be copied is no longer one with a word of it shortened: all evidence goes before that.
    const bare = `${head}${withShortNames(fix.text, nameRunes)}${age}${tail}`;
    if (runesOf(bare) <= maxRunes) return bare;
  }
  const head = `${prefix}${pathText(path, 16)}${withShortNames(fix.text, 16)}`;
  return `${display(head, maxRunes - runesOf(age) - runesOf(tail))}${age}${tail}`;
}

const ageText = (ms: number): string =>
  ms < 120_000 ? `on data ${Math.round(ms / 1000)} s old` : `on data ${Math.round(ms / 60_000)} min old`;

/** That nothing was found says little on data this old; in a short break of a watch it is no news. */
export const staleLine = (ageMs: number): string | undefined => (ageMs > 5 * 60_000 ? `portcullis: checked ${ageText(ageMs)}` : undefined);

/** The path, with a blank after it if there is one. */
function pathText(path: FieldPath, nameRunes: number): string {
  const text = display(formatPath(path.map((part) => (typeof part === 'string' ? shorten(part, nameRunes) : part))));
  return text === '' ? '' : `${text} `;
}

/** A name is what stands between blanks, quotes, brackets and the marks of a list or a selector. */
const withShortNames = (text: string, nameRunes: number): string =>
  display(text).replaceAll(/[^\s"'`,;()[\]{}=]+/gu, (name) => shorten(name, nameRunes));

const runesOf = (text: string): number => Array.from(text).length;

const reasons: ReadonlyMap<string, string> = new Map([
  ['deadline', 'out of time'],
  ['unsynced', 'cluster state not loaded yet'],
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
