import type { Clock, Timer } from '../../src/client/clock.ts';

/** Time that moves when it is told to. Chance is always `chance`. */
export class FakeClock implements Clock {
  chance = 0;
  private time: number;
  private jumped = 0;
  private readonly timers = new Set<{ at: number; ms: number; action: () => void }>();

  constructor(startMs = 1_000_000) {
    this.time = startMs;
  }

  now(): number {
    return this.time;
  }
  wallNow(): number {
    return this.time + this.jumped;
  }
  random(): number {
    return this.chance;
  }
  after(ms: number, action: () => void): Timer {
    const timer = { at: this.time + ms, ms, action };
    this.timers.add(timer);
    return {
      restart: () => {
        timer.at = this.time + ms;
        this.timers.add(timer);
      },
      stop: () => this.timers.delete(timer),
    };
  }

  /** How long each thing that waits was told to wait, the shortest first. */
  get waits(): readonly number[] {
    return Array.from(this.timers, ({ ms }) => ms).sort((a, b) => a - b);
  }

  /** The clock on the wall is set, or the machine has slept: nothing else has gone on meanwhile. */
  jump(ms: number): void {
    this.jumped += ms;
  }

  /** Moves on, and lets everything settle that this sets off. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settled();
      const next = [...this.timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.time = next.at;
      this.timers.delete(next);
      next.action();
    }
    this.time = end;
    await settled();
  }
}

/** Promises that wait for nothing but each other are through after a turn of the event loop. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
