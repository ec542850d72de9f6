/**
 * client-go's limits for Events (tools/record/events_cache.go): of one object 25 at once and then one in five minutes, and
 * from the tenth of a kind within ten minutes on, one Event that stands for them all.
 */
import type { Clock } from '../client/clock.ts';
import { TokenBucket } from './token-bucket.ts';

const spam = { burst: 25, refillMs: 300_000 } as const;
const similar = { most: 10, withinMs: 600_000 } as const;
const mostRemembered = 4096;

/** How an Event is to be told: by itself, as one of many, or not at all. */
export type Admission = 'alone' | 'combined' | 'dropped';

interface Group {
  readonly notes: Set<string>;
  lastMs: number;
}

export class EventLimits {
  private readonly clock: Pick<Clock, 'now'>;
  private readonly buckets = new Recent<TokenBucket>();
  private readonly groups = new Recent<Group>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.clock = clock;
  }

  /** `object`: its uid. Events of one object, type and reason are alike, whatever their notes. */
  admit(object: string, type: string, reason: string, note: string): Admission {
    const isOneOfMany = this.isOneOfMany(`${object} ${type} ${reason}`, note);
    const bucket = this.buckets.get(`${object} ${type}`) ?? new TokenBucket(this.clock, spam);
    this.buckets.set(`${object} ${type}`, bucket);
    if (bucket.take() > 0) return 'dropped';
    return isOneOfMany ? 'combined' : 'alone';
  }

  private isOneOfMany(key: string, note: string): boolean {
    const now = this.clock.now();
    const known = this.groups.get(key);
    const group: Group = known === undefined || now - known.lastMs > similar.withinMs ? { notes: new Set(), lastMs: now } : known;
    group.notes.add(note);
    group.lastMs = now;
    this.groups.set(key, group);
    if (group.notes.size < similar.most) return false;
    const [oldest] = group.notes;
    group.notes.delete(oldest as string);
    return true;
  }
}

/** As client-go's lru.Cache: the 4,096 that were used last. */
class Recent<T> {
  private readonly values = new Map<string, T>();

  get(key: string): T | undefined {
    return this.values.get(key);
  }

  set(key: string, value: T): void {
    this.values.delete(key);
    this.values.set(key, value);
    if (this.values.size <= mostRemembered) return;
    const [oldest] = this.values.keys();
    this.values.delete(oldest as string);
  }
}
