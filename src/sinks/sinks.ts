/** Tells the cluster what the audit finds: reports beside the objects, and Events about them. */
import type { AuditSink } from '../audit/verdict.ts';
import type { Clock } from '../client/clock.ts';
import type { KubeClient, KubeError } from '../client/kube-client.ts';
import type { Severity } from '../engine/finding.ts';
import type { ReportChoice } from './report-choice.ts';
import { Term } from './term.ts';
import type { WritingOptions } from './wanted.ts';
import type { WriteResult } from './write-queue.ts';

export interface SinksOptions extends WritingOptions {
  readonly client: Pick<KubeClient, 'get' | 'send'>;
  readonly clock: Clock;
  readonly choice: ReportChoice;
  /** How many reports there may be. */
  readonly limit: number;
  /** Of reports, and of Events: each so many. */
  readonly writesPerSecond: number;
  /** Undefined: none are written. */
  readonly events: { readonly minSeverity: Severity } | undefined;
  /** Which replica this is. */
  readonly identity: string;
  /** Whether a namespace may be told of the others (`privacy: open`). */
  readonly tellsOfOthers: () => boolean;
  readonly onWrite: (result: WriteResult, what: 'report' | 'event') => void;
  /** Whether objects have no report since there are as many as there may be. */
  readonly onCapped: (isCapped: boolean) => void;
  readonly onRefused: (error: KubeError) => void;
  /** The API server cannot be read or written at present: once, until the reason is another. */
  readonly onProblem: (error: Error) => void;
}

export function auditSinks(options: SinksOptions): AuditSink {
  let term: Term | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let current = new AbortController();
  const end = (): void => current.abort();
  return {
    begin(signal) {
      end();
      current = new AbortController();
      term = new Term(options, AbortSignal.any([signal, current.signal]));
      running = Promise.all([running, term.run().catch(options.onProblem)]);
    },
    tell: (verdict) => term?.tell(verdict),
    passed: (uids, entries = []) => term?.passed(uids, entries),
    async close() {
      end();
      await running;
    },
  };
}
