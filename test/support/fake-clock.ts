import type { Clock, Timer } from '../../src/sources/clock.ts';

/** Time that moves when it is told to. Chance is always `chance`. */
export class FakeClock implements Clock {
  chance = 0;
  private time = 1_000_000;
  private readonly timers = new Set<{ at: number; ms: number; action: () => void }>();

  now(): number {
    return this.time;
  }
  wallNow(): number {
    return this.time;
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
