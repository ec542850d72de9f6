/**
 * From start to exit. Between the moment when a Pod stops being ready and the moment when the API server stops calling it
 * lie seconds: while draining we answer as ever, and ask each caller to come back on another connection. Only who comes
 * after that is sent away, with the header that makes the API server try again elsewhere.
 */
import { setImmediate as turnOfTheLoop, setTimeout as wait } from 'node:timers/promises';

export type Phase = 'serving' | 'draining' | 'closing';

export class Lifecycle {
  private current: Phase = 'serving';
  private ending: Promise<void> | undefined;

  get phase(): Phase {
    return this.current;
  }

  /** Drains for this long, then closes. Called again, it returns the same end: a second signal hurries nothing. */
  end(drainMs: number, close: () => Promise<void>): Promise<void> {
    this.ending ??= this.run(drainMs, close);
    return this.ending;
  }

  private async run(drainMs: number, close: () => Promise<void>): Promise<void> {
    this.current = 'draining';
    if (drainMs > 0) await wait(drainMs);
    await quietMoment();
    this.current = 'closing';
    await close();
  }
}

/** A turn of the event loop that takes longer has had something to do. */
const quietMs = 1;
const mostTurns = 1000;

/**
 * On a busy machine requests have arrived that nobody has read yet. They are served before the callers are sent away.
 */
async function quietMoment(): Promise<void> {
  let before = performance.now();
  for (let turn = 0; turn < mostTurns; turn++) {
    await turnOfTheLoop();
    const now = performance.now();
    if (now - before < quietMs) return;
    before = now;
  }
}
