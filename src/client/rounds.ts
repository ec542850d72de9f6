/** Work that is done again and again, one round after the other, never two at once. */
import { type Clock, sleep } from './clock.ts';

export interface Rounds {
  /** Aborts the round that runs, and resolves when it is over. */
  close(): Promise<void>;
}

/** `round` returns how many milliseconds to wait for the next one, and must not throw. The first one begins at once. */
export function rounds(clock: Clock, round: (signal: AbortSignal) => Promise<number>): Rounds {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) await sleep(clock, await round(stop.signal), stop.signal);
  };
  const running = run();
  return {
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

/** Tells of a problem once, until it is another one or is over. */
export class Complaint {
  private told: string | undefined;
  private readonly tell: (problem: Error) => void;

  constructor(tell: (problem: Error) => void) {
    this.tell = tell;
  }

  is(problem: Error): void {
    if (problem.message !== this.told) this.tell(problem);
    this.told = problem.message;
  }

  isOver(): void {
    this.told = undefined;
  }
}
