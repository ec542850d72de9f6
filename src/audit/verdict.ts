/** What the audit comes to, for one object and for all, and who is told of it. */
import type { EntryToReview } from '../config/exemption-entries.ts';
import type { Fault } from '../engine/evaluate.ts';
import type { Finding } from '../engine/finding.ts';
import type { Mode } from '../engine/mode.ts';
import type { JudgedResource } from '../kube/resources.ts';

export interface Judgement {
  readonly finding: Finding;
  readonly mode: Exclude<Mode, 'off'>;
}

/** What the audit says of one object, now that it is due. */
export interface Verdict {
  /** With the uid that the API server gave it. */
  readonly object: JudgedResource;
  /** Gravest first; empty: nothing is wrong, or not any more, or the object is gone. */
  readonly findings: readonly Judgement[];
  /** Found, and not due: nothing to begin with, but what an earlier leader told of it stands. */
  readonly pending: readonly Judgement[];
  readonly exempted: readonly { readonly finding: Finding; readonly reason: string }[];
  readonly faults: readonly Fault[];
}

/** Everything stored was judged once more. */
export interface Pass {
  readonly objects: number;
  /** Working time, in milliseconds. */
  readonly workMs: number;
  /** Of this term. */
  readonly isFirst: boolean;
  /** How many verdicts have become other ones since the last pass. */
  readonly changes: number;
}

/** Who is told. Nothing here waits or rejects: a sink writes in its own time, and tries again what failed. */
export interface AuditSink {
  /** A leader's term begins: nothing is known but what the API server holds, and what is written ends with the signal. */
  begin(term: AbortSignal): void;
  /**
   * Said once of each object that is judged for the first time in a term, also if nothing is wrong with it, since an earlier
   * leader may have found something; then once for each change.
   */
  tell(verdict: Verdict): void;
  /**
   * Everything that exists was judged and told, these objects, by uid: what is stored of others is out of date. `entries` are
   * exemptions of the configuration that somebody should look at; they are in no object.
   */
  passed(uids: ReadonlySet<string>, entries?: readonly EntryToReview[]): void;
  close(): Promise<void>;
}
