/** How long a reflector waits, and for what. */

/** After the nth failure in a row: longer each time, never twice the same, and never without end. */
export interface BackoffOptions {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** As client-go waits: 0.8 s, doubled up to 30 s, each stretched by chance up to its double (tools/cache/reflector.go). */
export const clientGoBackoff: BackoffOptions = { firstMs: 800, longestMs: 30_000 };

/** Milliseconds; `failures` counts from 1, `random` lies between 0 and 1. */
export const backoffMs = ({ firstMs, longestMs }: BackoffOptions, failures: number, random: number): number =>
  Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30) * (1 + random));

export interface Pace {
  readonly backoff: BackoffOptions;
  /** Until a kind that is forbidden or not served is tried again, stretched by chance up to its double. */
  readonly refusedMs: number;
  /** Without a frame for so long, a watch is dead: a healthy server sends a bookmark each minute (measured on 1.36.3). */
  readonly silenceMs: number;
  /** The server ends a watch after a time between this and its double, so that not all end together. */
  readonly watchSeconds: number;
  /** A watch that lived for so long was a success: the next failure is the first again. */
  readonly steadyMs: number;
  readonly pageSize: number;
}

export const defaultPace: Pace = {
  backoff: clientGoBackoff,
  refusedMs: 15_000,
  silenceMs: 90_000,
  watchSeconds: 300,
  steadyMs: 1_500,
  pageSize: 500,
};
