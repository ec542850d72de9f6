/** What is wrong, what shows it, and how to repair it. */
import type { Severity } from '../engine/finding.ts';
import type { RawObject } from '../kube/resources.ts';
import type { Facts } from './facts.ts';

/** Shell commands in their order, to be pasted as they stand: three at most. */
export type Commands = readonly [] | readonly [string] | readonly [string, string] | readonly [string, string, string];

export interface Problem {
  /** `info` is a note: something to know, nothing to repair. */
  readonly severity: Severity;
  /** One sentence without a full stop. */
  readonly what: string;
  readonly evidence: readonly string[];
  /** What the commands do, or what only a person can. */
  readonly repair: string;
  readonly commands: Commands;
  /** The API server gets no valid answer from us: writes are refused under `Fail`, and pass unjudged under `Ignore`. */
  readonly stopsCalls?: boolean;
}

export interface Check {
  readonly id: string;
  /** What holds when nothing is wrong, for docs/doctor.md. */
  readonly holds: string;
  look(facts: Facts): Iterable<Problem>;
}

const plainWord = /^[\w@%+=:,./-]+$/;

/** A word for a POSIX shell, quoted where it has to be. */
export const word = (text: string): string => (plainWord.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** A kubectl command for the cluster that was looked at. */
export const kubectl = ({ kubectl: program }: Pick<Facts, 'kubectl'>, ...words: readonly string[]): string =>
  [program, ...words.map(word)].join(' ');

/** The same, in our namespace. */
export const kubectlHere = (facts: Facts, ...words: readonly string[]): string => kubectl(facts, '-n', facts.namespace, ...words);

/** kubectl's default, a strategic merge patch, finds entries of lists by their keys: webhooks by name, ports by port. */
export const patch = (content: RawObject | readonly RawObject[]): string => JSON.stringify(content);
