/** What is said of watches that begin anew: at most one line a minute for each cause, however long it lasts. */

import { type Clock, systemClock } from '../client/clock.ts';
import type { Log } from '../server/log.ts';
import type { Restart } from '../sources/restart.ts';

const everyMs = 60_000;

interface Told {
  readonly at: number;
  /** Restarts of this cause since then, which no line tells of. */
  untold: number;
}

/**
 * An API server that is away is one event, and not one for each kind and each try. The metrics count them all. That a kind
 * is forbidden which nobody needs is as it should be: the chart grants what the enabled rules read, and nothing else.
 */
export function restartLog(
  log: Log,
  clock: Pick<Clock, 'now'> = systemClock,
  isNeeded: (path: string) => boolean = () => true,
): (restart: Restart) => void {
  const told = new Map<string, Told>();
  return (restart) => {
    // The end of a watch after some minutes is the ordinary case.
    if (restart.reason === 'ended') return;
    const cause = causeOf(restart);
    const last = told.get(cause);
    if (last !== undefined && clock.now() - last.at < everyMs) {
      last.untold++;
      return;
    }
    told.set(cause, { at: clock.now(), untold: 0 });
    if (restart.reason === 'forbidden' && !isNeeded(restart.path))
      log.info({ path: restart.path }, 'may not be watched: no enabled rule needs it');
    else tell(log, restart, last?.untold ?? 0);
  };
}

/** A right or a definition is missing for one kind; what breaks watches breaks them all. */
const causeOf = ({ reason, path }: Restart): string => (reason === 'forbidden' || reason === 'notServed' ? `${reason} ${path}` : reason);

/** A cluster without cert-manager is an ordinary one. Rules that lack a kind are skipped, which only this tells. */
function tell(log: Log, { path, reason, cause }: Restart, untold: number): void {
  const why = { path, ...(cause instanceof Error && { why: cause.message }), ...(untold > 0 && { moreBefore: untold }) };
  if (reason === 'notServed') log.info({ path }, 'not served by this cluster, so not watched');
  else if (reason === 'forbidden') log.warn(why, 'may not be watched: rules that need it are left out until the role allows it');
  else log.warn({ ...why, reason }, 'a watch begins anew');
}
