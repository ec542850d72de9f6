/** Entries of the configuration that exempt: whom they match, and which of them have had their day. */
import { quoted } from '../kube/display.ts';
import { matchesAnyGlob } from '../kube/glob.ts';
import { endsWithin, isOver, noticeDays, renewal } from './dates.ts';
import { type NamespaceFacts, namespaceTest } from './namespaces.ts';
import type { ExemptionEntry } from './schema.ts';

/** Whom entries are looked up for. */
export interface EntryContext {
  readonly namespace: NamespaceFacts;
  readonly name: string;
  readonly username: string | undefined;
}

export const entryPath = (index: number): string => `exemptions.list[${index}]`;

export function entryTest(entry: ExemptionEntry): (context: EntryContext) => boolean {
  const { names, users } = entry;
  const inNamespace = namespaceTest(entry);
  return ({ namespace, name, username }) =>
    inNamespace(namespace) &&
    (names === undefined || matchesAnyGlob(names, name)) &&
    (users === undefined || (username !== undefined && users.includes(username)));
}

/** An entry that somebody should look at. There is no object in which that could be found. */
export interface EntryToReview {
  /** `exemptions.list[3]` */
  readonly path: string;
  readonly is: 'expired' | 'ending' | 'unused';
  /** One line. */
  readonly text: string;
}

export interface WhatIsKnown {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Ids of the rules that are not off everywhere. */
  readonly running: ReadonlySet<string>;
  /** Of a whole cluster, all `Surveyed.entries`; undefined where not all of it was judged, so that none can be called unused. */
  readonly needed: ReadonlySet<string> | undefined;
}

export const entriesToReview = (list: readonly ExemptionEntry[], known: WhatIsKnown): readonly EntryToReview[] =>
  list.flatMap((entry, index) => {
    const path = entryPath(index);
    const is = stateOf(entry, path, known);
    return is === undefined ? [] : [{ path, is, text: lines[is](entry, path, known.now) }];
  });

function stateOf({ rules, users, until }: ExemptionEntry, path: string, { now, running, needed }: WhatIsKnown) {
  if (until !== undefined && isOver(until, now)) return 'expired';
  // Nobody knows what its users will write, nor what a rule would find that is off.
  const isKnown = users === undefined && rules.every((id) => id === '*' || running.has(id));
  if (isKnown && needed !== undefined && !needed.has(path)) return 'unused';
  return until !== undefined && endsWithin(until, noticeDays, now) ? 'ending' : undefined;
}

const titleOf = ({ reason }: ExemptionEntry, path: string): string => `${path} of the configuration (${quoted(reason)})`;

export const endedLine = (entry: ExemptionEntry, path: string, now: number): string =>
  `${titleOf(entry, path)} ended on ${entry.until}; renew it with until: ${renewal(now)}, or remove it`;

const lines: Readonly<Record<EntryToReview['is'], (entry: ExemptionEntry, path: string, now: number) => string>> = {
  expired: endedLine,
  ending: (entry, path, now) =>
    `${titleOf(entry, path)} ends on ${entry.until}; repair what it excuses, or renew it with until: ${renewal(now)}`,
  unused: (entry, path) => `${titleOf(entry, path)} exempts nothing: its rules find nothing in what it matches; remove it`,
};
