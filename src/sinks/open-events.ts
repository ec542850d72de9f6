/**
 * Whose Events are on their way. A report is all that the next leader knows of what was told, so it is written when they are:
 * what was left in the middle is then told, or cleared, by whoever leads next.
 */
import type { Clock } from '../client/clock.ts';
import { isFinal, type Write } from './write-queue.ts';

interface Open {
  /** By the Event's name, the newest write. */
  readonly writes: Map<string, Write>;
  readonly sinceMs: number;
}

export class OpenEvents {
  private readonly clock: Pick<Clock, 'now'>;
  /** By the key of a report. */
  private readonly reports = new Map<string, Open>();
  /** Nothing is on its way any more for the report of this key. */
  private readonly onOver: (key: string) => void;

  constructor(clock: Pick<Clock, 'now'>, onOver: (key: string) => void) {
    this.clock = clock;
    this.onOver = onOver;
  }

  keys(): Iterable<string> {
    return this.reports.keys();
  }

  has(key: string): boolean {
    return this.reports.has(key);
  }

  /** For how many milliseconds something has been on its way; 0 if nothing is. */
  ageOf(key: string): number {
    const now = this.clock.now();
    return now - (this.reports.get(key)?.sinceMs ?? now);
  }

  /** The same write; it is under way until it was made, or refused for good. */
  add(key: string, name: string, write: Write): Write {
    const watched: Write = async (signal) => {
      try {
        const result = await write(signal);
        this.end(key, name, watched);
        return result;
      } catch (error) {
        if (isFinal(error)) this.end(key, name, watched);
        throw error;
      }
    };
    const open = this.reports.get(key) ?? { writes: new Map<string, Write>(), sinceMs: this.clock.now() };
    open.writes.set(name, watched);
    this.reports.set(key, open);
    return watched;
  }

  private end(key: string, name: string, write: Write): void {
    const writes = this.reports.get(key)?.writes;
    if (writes?.get(name) !== write) return;
    writes.delete(name);
    if (writes.size > 0) return;
    this.reports.delete(key);
    this.onOver(key);
  }
}
