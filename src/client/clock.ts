/** Time and chance, handed in so that tests need neither. */
export interface Clock {
  /** Milliseconds that never go back, from any origin. */
  now(): number;
  /** Epoch milliseconds. */
  wallNow(): number;
  /** From 0 up to 1. */
  random(): number;
  after(ms: number, action: () => void): Timer;
}

export interface Timer {
  /** From now on again. */
  restart(): void;
  stop(): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  random: () => Math.random(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return { restart: () => void timer.refresh(), stop: () => clearTimeout(timer) };
  },
};

/** As Kubernetes writes it, with six digits after the second: of epoch milliseconds. */
export const microTime = (epochMs: number): string => new Date(epochMs).toISOString().replace('Z', '000Z');

/** Resolves after a time, or as soon as the signal aborts. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      timer.stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(ms, done);
    signal.addEventListener('abort', done);
  });
}

/**
 * Milliseconds after the nth failure in a row, counted from 1: longer each time up to the longest, and never twice the
 * same, since `random` lies between 0 and 1.
 */
export const backoffMs = (firstMs: number, longestMs: number, failures: number, random: number): number =>
  Math.min(longestMs / 2, firstMs * 2 ** Math.min(failures - 1, 30)) * (1 + random);
