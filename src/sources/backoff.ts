/** How long to wait after the nth failure in a row: longer each time, never twice the same, and never without end. */
export interface BackoffOptions {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** As client-go waits: 0.8 s, doubled up to 30 s, each stretched by chance up to its double (tools/cache/reflector.go). */
export const clientGoBackoff: BackoffOptions = { firstMs: 800, longestMs: 30_000 };

/** Milliseconds; `failures` counts from 1, `random` lies between 0 and 1. */
export const backoffMs = ({ firstMs, longestMs }: BackoffOptions, failures: number, random: number): number =>
  Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30) * (1 + random));
