/**
 * Writes of one kind, one after the other and no more in a second than allowed. Of several for one object only the newest
 * is made. What the API server cannot do now is tried again until the term ends; what it refuses, it would refuse again.
 */
import { backoffMs, type Clock, sleep } from '../client/clock.ts';
import { KubeError } from '../client/kube-client.ts';
import { Complaint } from '../client/rounds.ts';
import { TokenBucket } from './token-bucket.ts';

export type WriteResult = 'written' | 'deleted' | 'retried' | 'refused';

/** Returns what it came to; undefined: nothing had to be written any more. */
export type Write = (signal: AbortSignal) => Promise<'written' | 'deleted' | undefined>;

export interface WriteQueueOptions {
  readonly clock: Clock;
  readonly perSecond: number;
  readonly burst: number;
  /** Asked before each write: where a machine slept, the signal of a term does not know yet that it is over. */
  readonly leads: () => boolean;
  readonly onWrite: (result: WriteResult) => void;
  /** The API server has refused for good. */
  readonly onRefused: (error: KubeError) => void;
  /** Nothing can be written at present: once, until the reason is another. */
  readonly onProblem: (error: Error) => void;
}

const callMs = 15_000;
/** For one call: one that hangs must not hold up all others. */
export const inTime = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(callMs)]);

const longestWaitMs = 60_000;
/** About half a minute of waiting. */
const manyFailures = 6;
const askAgainMs = 1_000;

export class WriteQueue {
  private readonly options: WriteQueueOptions;
  private readonly bucket: TokenBucket;
  private readonly complaint: Complaint;
  /** By whose turn it is, and then by key. */
  private readonly waiting = new Map<string, Map<string, Write>>();
  private wake = Promise.withResolvers<void>();
  private failures = 0;

  constructor(options: WriteQueueOptions) {
    this.options = options;
    const { clock, perSecond, burst, onProblem } = options;
    this.bucket = new TokenBucket(clock, { burst, refillMs: 1_000 / perSecond });
    this.complaint = new Complaint(onProblem);
  }

  /** Nothing has gone through for a while. */
  get isStuck(): boolean {
    return this.failures >= manyFailures;
  }

  /** In place of what still waits under this key. Namespaces take turns: one with thousands of writes delays no other. */
  put(namespace: string, key: string, write: Write): void {
    const own = this.waiting.get(namespace) ?? new Map<string, Write>();
    this.waiting.set(namespace, own.set(key, write));
    this.wake.resolve();
  }

  private takeNext(): readonly [namespace: string, key: string, write: Write] {
    const [namespace, own] = this.waiting.entries().next().value as [string, Map<string, Write>];
    const [key, write] = own.entries().next().value as [string, Write];
    own.delete(key);
    this.waiting.delete(namespace);
    if (own.size > 0) this.waiting.set(namespace, own);
    return [namespace, key, write];
  }

  /** Writes until the signal aborts; what then still waits is dropped. */
  async run(signal: AbortSignal): Promise<void> {
    const end = (): void => this.wake.resolve();
    signal.addEventListener('abort', end);
    while (!signal.aborted) {
      if (this.waiting.size > 0) await this.next(signal);
      else await this.more();
    }
    signal.removeEventListener('abort', end);
    this.waiting.clear();
  }

  private async more(): Promise<void> {
    await this.wake.promise;
    this.wake = Promise.withResolvers<void>();
  }

  private async next(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    for (let wait = this.bucket.take(); wait > 0; wait = this.bucket.take()) {
      await sleep(clock, wait, signal);
      if (signal.aborted) return;
    }
    if (!this.options.leads()) return sleep(clock, askAgainMs, signal);
    const [namespace, key, write] = this.takeNext();
    try {
      const result = await write(inTime(signal));
      this.succeeded(result);
    } catch (error) {
      if (signal.aborted) return;
      const pause = this.failed([namespace, key, write], error as Error);
      if (pause > 0) await sleep(clock, pause, signal);
    }
  }

  private succeeded(result: Awaited<ReturnType<Write>>): void {
    this.failures = 0;
    this.complaint.isOver();
    if (result !== undefined) this.options.onWrite(result);
  }

  /** Returns for how long to leave the API server alone: what it could not do for one object, it hardly can for another. */
  private failed(attempt: Parameters<WriteQueue['put']>, error: Error): number {
    const { onWrite, onRefused, clock } = this.options;
    if (isFinal(error)) {
      onWrite('refused');
      onRefused(error);
      return 0;
    }
    const [namespace, key] = attempt;
    if (this.waiting.get(namespace)?.has(key) !== true) this.put(...attempt);
    onWrite('retried');
    this.complaint.is(error);
    this.failures++;
    const asked = error instanceof KubeError ? error.retryAfterMs : 0;
    return Math.min(longestWaitMs, Math.max(asked, backoffMs(patience.firstMs, patience.longestMs, this.failures, clock.random())));
  }
}

/** As a reflector waits (sources/backoff.ts). */
export const patience = { firstMs: 800, longestMs: 30_000 } as const;

/** 401: the token is read again. 409: somebody was faster. 410: what a list was read from is gone. */
const passing: ReadonlySet<number> = new Set([401, 408, 409, 410, 429]);

/** Refused for what it is: no right, no such namespace or kind, not valid. */
export const isFinal = (error: unknown): error is KubeError =>
  error instanceof KubeError && error.status >= 400 && error.status < 500 && !passing.has(error.status);

export const isStatus = (error: unknown, status: number): boolean => error instanceof KubeError && error.status === status;
