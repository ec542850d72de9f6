import type { Clock } from '../client/clock.ts';

/** So much at once, and then one after the other: client-go's flowcontrol. */
export class TokenBucket {
  private readonly clock: Pick<Clock, 'now'>;
  private readonly burst: number;
  private readonly refillMs: number;
  private tokens: number;
  private at: number;

  /** `refillMs`: how long one token takes to come back. */
  constructor(clock: Pick<Clock, 'now'>, { burst, refillMs }: { readonly burst: number; readonly refillMs: number }) {
    this.clock = clock;
    this.burst = burst;
    this.refillMs = refillMs;
    this.tokens = burst;
    this.at = clock.now();
  }

  /** Takes one and returns 0, or takes none and returns for how many milliseconds there is none. */
  take(): number {
    const now = this.clock.now();
    this.tokens = Math.min(this.burst, this.tokens + (now - this.at) / this.refillMs);
    this.at = now;
    // What has come back is a sum of fractions.
    if (this.tokens < 1 - 1e-9) return (1 - this.tokens) * this.refillMs;
    this.tokens--;
    return 0;
  }
}
