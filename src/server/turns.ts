import { setImmediate as nextRound } from 'node:timers/promises';

/**
 * Large bodies take turns. One keeps the process for up to some hundred milliseconds; between two of them everybody who
 * has come with a small one meanwhile is answered, so that nobody's giants make others' reviews late.
 */
export class Turns {
  private last: Promise<void> = Promise.resolve();

  /** Resolves when it is our turn, with what ends it. */
  async take(): Promise<() => void> {
    const before = this.last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.last = promise;
    await before;
    // The sockets are looked at in between.
    await nextRound();
    return resolve;
  }
}
