/** How long a reflector waits, and for what. */

export interface BackoffOptions {
  readonly firstMs: number;
  readonly longestMs: number;
  /** The longest wait while nobody answers: to knock costs the server nothing, and it may be back any moment. */
  readonly unansweredMs: number;
}

/** As client-go waits (tools/cache/reflector.go), but that half a wait is left to chance instead of a whole one on top. */
export const clientGoBackoff: BackoffOptions = { firstMs: 800, longestMs: 30_000, unansweredMs: 5_000 };

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
