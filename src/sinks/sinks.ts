/** Tells the cluster what the audit finds: reports beside the objects, and Events about them. */
import type { AuditSink } from '../audit/verdict.ts';
import { type SinksOptions, Term } from './term.ts';

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
