/** Are writes refused now, and how do they get through at once? */
import { failsClosed, ourEntries } from './entries.ts';
import { type Facts, seenIn } from './facts.ts';
import { type Check, kubectl, patch } from './problem.ts';

export const trialPasses: Check = {
  id: 'writes-pass',
  holds: 'Where an entry is `Fail`, a dry-run of a Service comes back with an answer of ours',
  *look(facts) {
    const said = seenIn(facts.trial) ?? '';
    if (said === '' || !failsClosed(facts)) return;
    yield {
      severity: 'critical',
      what: 'writes are refused now: the API server cannot call the webhook',
      evidence: [said],
      repair: 'let them pass, until what else is found here is repaired',
      commands: [openCommand(facts)],
      stopsCalls: true,
    };
  },
};

/** The emergency exit: what cannot be judged passes. It can be taken back, and works with nobody of ours alive. */
export function openCommand(facts: Facts): string {
  const closed = ourEntries(facts).filter((entry) => entry.failsClosed);
  const webhooks = closed.map(({ name }) => ({ name, failurePolicy: 'Ignore' }));
  return kubectl(facts, 'patch', 'validatingwebhookconfiguration', facts.configuration, '-p', patch({ webhooks }));
}
