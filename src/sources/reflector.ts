/**
 * Keeps one kind of object in step with the API server, as client-go's reflector does: list once, then watch, and begin
 * anew only when the server has forgotten where we were. What a list brings stays out of sight until it is whole.
 */

import { backoffMs, type Clock, sleep, systemClock, type Timer } from '../client/clock.ts';
import { type KubeClient, KubeError } from '../client/kube-client.ts';
import { objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { defaultPace, type Pace } from './backoff.ts';
import { isRefusal, type Refusal, type Restart, type RestartReason, reasonOf } from './restart.ts';
import { eventOf, isOlder, itemType, Lost, type WatchEvent } from './watch-event.ts';

/** Where the objects go. All calls are synchronous: whoever reads in between sees whole states only. */
export interface ReflectorSink {
  /** A list begins: forget what an earlier one staged. */
  begin(): void;
  stage(object: RawObject): void;
  /** An object that was staged went away before the list ended. */
  unstage(object: RawObject): void;
  /** The list is whole: what was staged is now all there is. */
  commit(): void;
  set(object: RawObject): void;
  remove(object: RawObject): void;
  /** There is nothing to be known any more: forbidden, or not served. */
  clear(): void;
}

export type ReflectorState = 'unsynced' | 'synced' | 'forbidden' | 'notServed';

export interface ReflectorOptions {
  readonly client: Pick<KubeClient, 'get' | 'watch'>;
  /** `/apis/apps/v1/deployments`. More than one: versions of the same kind, tried in turn until one is served. */
  readonly paths: readonly [string, ...string[]];
  readonly sink: ReflectorSink;
  readonly pace?: Pace;
  readonly clock?: Clock;
  readonly onRestart?: (restart: Restart) => void;
}

/** So often in a row a kind is refused for a new reason before we believe it: a starting API server forbids all for a moment. */
const believedRefusals = 3;

export class Reflector {
  private readonly options: ReflectorOptions;
  private readonly clock: Clock;
  private readonly pace: Pace;
  private readonly counts = new Map<RestartReason, number>();
  private readonly closing = new AbortController();
  private running: Promise<void> = Promise.resolve();

  private current: ReflectorState = 'unsynced';
  private brokenSince: number | undefined;
  private lastFrame = 0;
  private upSince: number | undefined;
  /** Where to go on; undefined if a list must come first. */
  private version: string | undefined;
  private newest = '';
  private pathAt = 0;
  /** False for a server that refuses watch-lists; `skip` for the next list alone. */
  private watchList: boolean | 'skip' = true;
  private failures = 0;
  /** Counted apart: a server that was away for long and refuses while it starts has refused once. */
  private unanswered = 0;
  /** Whether a watch was up for a while since the last time that the server had forgotten us. */
  private hasLived = false;
  /** In a row, for the same reason. */
  private refusals = 0;
  private refusedAs: ReflectorState = 'unsynced';

  constructor(options: ReflectorOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.pace = options.pace ?? defaultPace;
  }

  get state(): ReflectorState {
    return this.current;
  }

  /** Since when (of the clock's `now`) changes may have been missed; undefined while the watch is up, and before the first list. */
  get staleSince(): number | undefined {
    return this.current === 'synced' ? this.brokenSince : undefined;
  }

  get restarts(): ReadonlyMap<RestartReason, number> {
    return this.counts;
  }

  get path(): string {
    return this.options.paths[this.pathAt] ?? this.options.paths[0];
  }

  start(): void {
    this.running = this.run();
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.closing.signal.aborted) {
      const { path, state } = this;
      const { reason, cause, waitMs } = await this.attempt();
      if (this.closing.signal.aborted) return;
      const told = isRefusal(reason) && this.current === 'synced' ? 'refused' : reason; // not believed yet
      this.tell({ path, reason: told, ...(cause !== undefined && { cause }) }, reason === state);
      if (waitMs > 0) await sleep(this.clock, waitMs, this.closing.signal);
    }
  }

  /** A kind that is still forbidden, or still not served, is counted in silence: it would be a line in the log for ever. */
  private tell(restart: Restart, isKnown = false): void {
    this.counts.set(restart.reason, (this.counts.get(restart.reason) ?? 0) + 1);
    if (!isKnown) this.options.onRestart?.(restart);
  }

  /** One list, one watch, or both in one; returns why it ended and how long to wait. */
  private async attempt(): Promise<{ reason: RestartReason; cause?: unknown; waitMs: number }> {
    try {
      if (this.version === undefined && this.watchList !== true) await this.list();
      await this.watch();
      return { reason: 'ended', waitMs: 0 };
    } catch (cause) {
      const reason = reasonOf(cause);
      this.brokenSince ??= reason === 'silent' ? this.lastFrame : this.clock.now();
      if (cause instanceof Lost || reason === 'expired') this.version = undefined;
      const waitMs = isRefusal(reason) ? this.afterRefusal(reason) : this.afterFailure(cause, reason);
      return { reason, cause, waitMs };
    }
  }

  private afterFailure(cause: unknown, reason: RestartReason): number {
    this.refusals = 0;
    // The server is there, and forgot us: after a good time with it that is the first failure, whatever came in between.
    if (reason === 'expired' && this.hasLived) this.failures = 0;
    if (reason === 'expired') this.hasLived = false;
    const { firstMs, longestMs, unansweredMs } = this.pace.backoff;
    const asked = cause instanceof KubeError ? Math.min(cause.retryAfterMs, longestMs) : 0;
    const isUnanswered = reason === 'disconnected';
    const nth = isUnanswered ? ++this.unanswered : ++this.failures;
    const own = backoffMs(firstMs, isUnanswered ? unansweredMs : longestMs, nth, this.clock.random());
    return Math.max(asked, own);
  }

  private afterRefusal(reason: Refusal): number {
    this.refusals = this.refusedAs === reason ? this.refusals + 1 : 1;
    this.refusedAs = reason;
    const { paths } = this.options;
    if (reason === 'notServed' && this.refusals % paths.length !== 0) {
      this.pathAt = (this.pathAt + 1) % paths.length;
      this.version = undefined;
      return 0;
    }
    const isNews = this.current !== reason && this.current !== 'unsynced';
    if (isNews && this.refusals < believedRefusals * paths.length)
      return backoffMs(this.pace.backoff.firstMs, this.pace.backoff.longestMs, this.refusals, this.clock.random());
    if (reason === 'notServed') this.pathAt = (this.pathAt + 1) % paths.length;
    this.version = undefined;
    this.options.sink.clear();
    this.current = reason;
    return this.pace.refusedMs * (1 + this.clock.random());
  }

  /** All pages of a list: for servers that refuse watch-lists. */
  private async list(): Promise<void> {
    const { client, sink } = this.options;
    sink.begin();
    let next = '';
    do {
      const query = `limit=${this.pace.pageSize}${next && `&continue=${encodeURIComponent(next)}`}`;
      const path = this.path;
      const page = await this.guarded(this.pace.silenceMs, (signal) => client.get(`${path}?${query}`, signal));
      const { kind, apiVersion } = itemType(page);
      for (const item of objectsAt(page, 'items')) sink.stage({ apiVersion, kind, ...item });
      const metadata = objectAt(page, 'metadata');
      next = stringAt(metadata, 'continue') ?? '';
      if (next === '') this.synced(stringAt(metadata, 'resourceVersion') ?? '');
    } while (next !== '');
  }

  private async watch(): Promise<void> {
    const isList = this.version === undefined;
    const seconds = Math.floor(this.pace.watchSeconds * (1 + this.clock.random()));
    const query = isList
      ? 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan'
      : `resourceVersion=${encodeURIComponent(this.version ?? '')}`;
    const path = `${this.path}?watch=true&allowWatchBookmarks=true&timeoutSeconds=${seconds}&${query}`;
    if (isList) this.options.sink.begin();
    const deadline = this.clock.after(seconds * 1_000 + this.pace.silenceMs, () => lifetime.abort());
    const lifetime = new AbortController();
    try {
      await this.guarded(this.pace.silenceMs, (signal, frame) => this.readWatch(path, AbortSignal.any([signal, lifetime.signal]), frame));
    } catch (cause) {
      if (isList) this.withoutWatchList(cause);
      if (lifetime.signal.aborted && this.version !== undefined) return;
      throw cause;
    } finally {
      deadline.stop();
    }
  }

  private async readWatch(path: string, signal: AbortSignal, frame: () => void): Promise<void> {
    this.upSince = undefined;
    const opened = (): void => {
      frame();
      this.refusals = 0;
      if (this.version !== undefined) this.isUp();
    };
    try {
      for await (const line of this.options.client.watch(path, signal, opened)) {
        frame();
        this.apply(eventOf(line));
      }
      if (this.version === undefined) throw new Lost('unreadable', new Error('the watch ended before the end of its list'));
      if (!this.wasSteady()) throw new Error('the watch ended at once');
    } finally {
      if (this.wasSteady()) {
        this.hasLived = true;
        this.failures = 0;
        this.unanswered = 0;
      }
    }
  }

  private isUp(): void {
    this.brokenSince = undefined;
    this.upSince = this.clock.now();
  }

  private wasSteady(): boolean {
    return this.upSince !== undefined && this.clock.now() - this.upSince >= this.pace.steadyMs;
  }

  /** Old servers, and those that have the gate off, refuse a watch-list as invalid; one that hangs or ends early may do better with a list. */
  private withoutWatchList(cause: unknown): void {
    if (cause instanceof KubeError && (cause.status === 400 || cause.status === 422)) this.watchList = false;
    else if (this.version === undefined && cause instanceof Lost && cause.reason !== 'expired') this.watchList = 'skip';
  }

  /** Until the bookmark that ends it, what a watch tells belongs to the list. */
  private apply({ type, object, version, endsList }: WatchEvent): void {
    const { sink } = this.options;
    const isListing = this.version === undefined;
    if (type === 'bookmark' && isListing && endsList) this.synced(version);
    else if (type === 'set') isListing ? sink.stage(object) : sink.set(object);
    else if (type === 'remove') isListing ? sink.unstage(object) : sink.remove(object);
    if (isListing) return;
    this.version = version;
    this.newest = version;
  }

  private synced(version: string): void {
    this.options.sink.commit();
    if (isOlder(version, this.newest)) this.tell({ path: this.path, reason: 'wentBack' });
    this.version = version;
    this.newest = version;
    this.current = 'synced';
    this.isUp();
    if (this.watchList === 'skip') this.watchList = true;
  }

  /** Does something that shows signs of life (`frame`); without one for the time given it is aborted, and that is a verdict. */
  private async guarded<T>(ms: number, work: (signal: AbortSignal, frame: () => void) => Promise<T>): Promise<T> {
    const silent = new AbortController();
    this.lastFrame = this.clock.now();
    const watchdog: Timer = this.clock.after(ms, () => silent.abort());
    try {
      return await work(AbortSignal.any([silent.signal, this.closing.signal]), () => {
        this.lastFrame = this.clock.now();
        watchdog.restart();
      });
    } catch (cause) {
      if (silent.signal.aborted) throw new Lost('silent', cause);
      throw cause;
    } finally {
      watchdog.stop();
    }
  }
}
