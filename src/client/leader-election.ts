/**
 * Which of several replicas does what only one may do, by a Lease: client-go's tools/leaderelection with its figures. No
 * clock is compared with another: a candidate takes over when it has seen the Lease unchanged for its whole duration, and a
 * leader stops well before that if it cannot renew. As long as no clock runs half as fast again as another, there are never two.
 *
 * The Lease is made by the chart, empty, so that it goes when the chart goes; here it is only rewritten.
 */
import { addressOf } from '../kube/address.ts';
import { numberAt, objectAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { type Clock, microTime, systemClock, type Timer } from './clock.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import { Complaint, type Rounds, rounds } from './rounds.ts';

export interface Leadership {
  leads(): boolean;
  /** Aborts when the present term ends; aborted already for whom does not lead. */
  term(): AbortSignal;
  /** Gives the leadership up, so that another can have it at once. */
  close(): Promise<void>;
}

/** A process that knows of no other. */
export const onlyOne: Leadership = { leads: () => true, term: () => new AbortController().signal, close: async () => {} };

export interface LeaderElectionOptions {
  readonly client: Pick<KubeClient, 'get' | 'send'>;
  readonly namespace: string;
  readonly name: string;
  /** Another one for each process, and for each start of it. */
  readonly identity: string;
  readonly onChange: (leads: boolean) => void;
  /** Another one holds the Lease, once for each. */
  readonly onFollow?: (holder: string) => void;
  /** Why there is no telling who leads: once, until the reason is another. */
  readonly onProblem: (problem: Error) => void;
  readonly clock?: Clock;
}

/** client-go's defaults, in milliseconds (component-base/config/v1alpha1/defaults.go). */
const leaseTimes = { durationMs: 15_000, deadlineMs: 10_000, retryMs: 2_000 } as const;

/** Of the deadline, so that a call that hangs leaves time for another. */
const callMs = leaseTimes.deadlineMs / 2;

export function leaderElection(options: LeaderElectionOptions): Leadership {
  const candidate = new Candidate(options);
  candidate.start();
  return candidate;
}

interface Moment {
  /** By the clock that only goes on, and by the one on the wall: of a machine that slept, the first may know nothing. */
  readonly now: number;
  readonly wall: number;
}

class Candidate implements Leadership {
  private readonly options: LeaderElectionOptions;
  private readonly clock: Clock;
  private readonly path: string;
  private readonly complaint: Complaint;
  private running: Rounds | undefined;
  /** The Lease as it was last seen, and since when it has said the same. */
  private seen: { readonly lease: RawObject; readonly text: string; readonly at: number } | undefined;
  /** Our last renewal was sent at this moment. */
  private renewed: Moment | undefined;
  /** Who held it when we last could not. */
  private following = '';
  private current = new AbortController();
  private expiry: Timer | undefined;

  constructor(options: LeaderElectionOptions) {
    const { namespace, name, clock = systemClock, onProblem } = options;
    this.options = options;
    this.clock = clock;
    this.path = addressOf('coordination.k8s.io/v1', 'leases', namespace, name);
    this.complaint = new Complaint(onProblem);
    this.current.abort();
  }

  start(): void {
    this.running = rounds(this.clock, (signal) => this.round(signal));
  }

  leads(): boolean {
    return this.renewed !== undefined && this.since(this.renewed) < leaseTimes.deadlineMs;
  }

  term(): AbortSignal {
    if (!this.leads()) this.end();
    return this.current.signal;
  }

  async close(): Promise<void> {
    await this.running?.close();
    const hadIt = this.leads();
    this.end();
    if (hadIt) await this.release(AbortSignal.timeout(callMs)).catch(() => {});
  }

  /** As client-go does it: nobody holds it, for a second. The last renewal may have been cut off, so it is read once more. */
  private async release(signal: AbortSignal): Promise<void> {
    const lease = await this.options.client.get(this.path, signal);
    if (holderOf(lease) !== this.options.identity) return;
    await this.write(lease, { holderIdentity: undefined, leaseDurationSeconds: 1 }, signal);
  }

  private async round(signal: AbortSignal): Promise<number> {
    try {
      await this.acquireOrRenew(AbortSignal.any([signal, AbortSignal.timeout(callMs)]));
      this.complaint.isOver();
    } catch (error) {
      this.failed(error as Error, signal);
    }
    // As client-go: who waits, waits a while of chance longer, lest all come at once.
    return leaseTimes.retryMs * (this.leads() ? 1 : 1 + 1.2 * this.clock.random());
  }

  private async acquireOrRenew(signal: AbortSignal): Promise<void> {
    const lease = await this.options.client.get(this.path, signal);
    this.observe(lease);
    const holder = holderOf(lease);
    if (holder !== this.options.identity) {
      this.end();
      if (holder !== '' && !this.isOver()) return this.follow(holder);
    }
    this.following = '';
    const sent = this.moment();
    const written = await this.write(lease, this.heldSpec(objectAt(lease, 'spec'), holder), signal);
    this.observe(written);
    this.begin(sent);
  }

  private follow(holder: string): void {
    if (holder !== this.following) this.options.onFollow?.(holder);
    this.following = holder;
  }

  private failed(error: Error, stopped: AbortSignal): void {
    const status = error instanceof KubeError ? error.status : 0;
    // No Lease, no leader. What else fails may succeed before the deadline.
    if (status === 404 || status === 403) this.end();
    // Another was faster, which is what the precondition is for.
    if (status !== 409 && !stopped.aborted) this.complaint.is(error);
  }

  private heldSpec(spec: RawObject, holder: string): RawObject {
    const isOurs = holder === this.options.identity;
    return {
      holderIdentity: this.options.identity,
      leaseDurationSeconds: leaseTimes.durationMs / 1000,
      ...(isOurs ? {} : { acquireTime: microTime(this.clock.wallNow()), leaseTransitions: (numberAt(spec, 'leaseTransitions') ?? 0) + 1 }),
    };
  }

  /** Of the version that was read: of two that write at once, one is refused. */
  private write(lease: RawObject, spec: RawObject, signal: AbortSignal): Promise<RawObject> {
    const body = { ...lease, spec: { ...objectAt(lease, 'spec'), ...spec, renewTime: microTime(this.clock.wallNow()) } };
    return this.options.client.send('PUT', this.path, body, signal);
  }

  private observe(lease: RawObject): void {
    const text = JSON.stringify(objectAt(lease, 'spec'));
    this.seen = { lease, text, at: text === this.seen?.text ? this.seen.at : this.clock.now() };
  }

  /** Its holder has not renewed it for as long as it promised to. */
  private isOver(): boolean {
    if (this.seen === undefined) return false;
    const seconds = numberAt(objectAt(this.seen.lease, 'spec'), 'leaseDurationSeconds') ?? leaseTimes.durationMs / 1000;
    return this.clock.now() - this.seen.at >= seconds * 1000;
  }

  private begin(sent: Moment): void {
    const isNew = this.current.signal.aborted;
    this.renewed = sent;
    // The answer took longer than it is worth.
    if (!this.leads()) {
      this.end();
      return;
    }
    if (isNew) this.current = new AbortController();
    this.expiry?.stop();
    this.expiry = this.clock.after(leaseTimes.deadlineMs - this.since(sent), () => this.end());
    if (isNew) this.options.onChange(true);
  }

  private end(): void {
    this.renewed = undefined;
    this.expiry?.stop();
    if (this.current.signal.aborted) return;
    this.current.abort(new Error('no longer the leader'));
    this.options.onChange(false);
  }

  private moment(): Moment {
    return { now: this.clock.now(), wall: this.clock.wallNow() };
  }

  private since({ now, wall }: Moment): number {
    return Math.max(this.clock.now() - now, this.clock.wallNow() - wall);
  }
}

const holderOf = (lease: RawObject): string => stringAt(objectAt(lease, 'spec'), 'holderIdentity') ?? '';
