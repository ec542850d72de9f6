/** The cluster as it is: one reflector for each kind, one snapshot for all of them. */

import { type Clock, systemClock, type Timer } from '../client/clock.ts';
import type { KubeClient } from '../client/kube-client.ts';
import { worst } from '../cluster/reach.ts';
import { type ClusterEvent, ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Coverage } from '../cluster/view.ts';
import { addressOf } from '../kube/address.ts';
import type { WorkloadKind } from '../kube/normalize-workload.ts';
import type { Collection } from '../kube/resources.ts';
import type { Pace } from './backoff.ts';
import { liveReads, type SecretsLevel } from './live-reads.ts';
import { liveSink } from './live-sink.ts';
import { Reflector, type ReflectorState } from './reflector.ts';
import type { Restart, RestartReason } from './restart.ts';
import type { ClusterSource } from './source.ts';
import { type WatchedKind, watchedKinds } from './watched.ts';

export interface LiveOptions {
  readonly client: KubeClient;
  /** Kinds with a Pod template beside the built-in ones. */
  readonly workloads?: readonly WorkloadKind[];
  /** How Secrets may be read now, by name: not at all, only whether they are there, or with their type. */
  secretsLevel(): SecretsLevel;
  /** For the log and the metrics: a list or watch that began anew. */
  readonly onRestart?: (restart: Restart) => void;
  /** Sees each new state of the cluster as it comes into being; what the snapshot knows of itself is not filled in. */
  readonly onSnapshot?: (snapshot: ClusterSnapshot) => void;
  readonly pace?: Pace;
  readonly clock?: Clock;
}

/** One kind, as metrics and people want to know it. */
export interface ResourceState {
  /** Where it is read: `/apis/apps/v1/deployments`. */
  readonly path: string;
  readonly collection: Collection;
  readonly state: ReflectorState;
  /** How long changes may have been missed, in milliseconds; 0 while the watch is up. */
  readonly staleMs: number;
  readonly restarts: ReadonlyMap<RestartReason, number>;
}

export interface LiveSource extends ClusterSource {
  states(): readonly ResourceState[];
  /** Resolves once `hasSynced` is true, or the source is closed. */
  whenSynced(): Promise<void>;
}

/** Events wait for a reader so long, and so many of them: one snapshot is made for all. */
const longestWaitMs = 50;
const longestQueue = 1_000;

/** Starts to list and watch at once. Its `close` closes the client too. */
export function liveSource(options: LiveOptions): LiveSource {
  return new WatchedCluster(options);
}

class WatchedCluster implements LiveSource {
  readonly readByName: ClusterSource['readByName'];
  readonly confirm: ClusterSource['confirm'];
  private readonly clock: Clock;
  private readonly reflectors: readonly { readonly kind: WatchedKind; readonly reflector: Reflector }[];
  private snapshot = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'unsynced' });
  private queued: ClusterEvent[] = [];
  private timer: Timer | undefined;
  private readonly waiting: (() => void)[] = [];
  private closed = false;
  private readonly client: KubeClient;
  private readonly onSnapshot: LiveOptions['onSnapshot'];

  constructor({ client, workloads = [], secretsLevel, onRestart, onSnapshot, pace, clock = systemClock }: LiveOptions) {
    this.clock = clock;
    this.client = client;
    this.onSnapshot = onSnapshot;
    const target = {
      queue: (event: ClusterEvent) => this.queue(event),
      adopt: (kind: WatchedKind, staged: ClusterSnapshot) => this.adopt(kind, staged),
    };
    const told = (restart: Restart): void => {
      this.wake();
      onRestart?.(restart);
    };
    this.reflectors = watchedKinds(workloads).map((kind) => {
      const [first, ...others] = kind.apiVersions.map((version) => addressOf(version, kind.resource));
      const sink = liveSink(kind, { workloads }, target);
      const settings = { client, clock, sink, onRestart: told, ...(pace && { pace }) };
      return { kind, reflector: new Reflector({ ...settings, paths: [first as string, ...others] }) };
    });
    const served = this.reflectors.map(({ kind, reflector }) => ({ kind, address: () => reflector.path, state: () => reflector.state }));
    const reads = liveReads({ client, secretsLevel, workloads, served, current: () => this.current() });
    this.readByName = reads.readByName;
    this.confirm = reads.confirm;
    for (const { reflector } of this.reflectors) reflector.start();
  }

  current(): ClusterSnapshot {
    this.apply();
    const coverages = new Map<Collection, Coverage>();
    const ages = new Map<Collection, number>();
    for (const { collection, state, staleMs } of this.states()) {
      coverages.set(collection, worse(coverages.get(collection), state));
      ages.set(collection, Math.max(ages.get(collection) ?? 0, staleMs));
    }
    return this.snapshot.knowing({
      observedAt: this.clock.wallNow(),
      // As it was at this moment: the snapshot does not learn what came later. Secrets are in no list of ours.
      coverage: (collection) => coverages.get(collection) ?? 'forbidden',
      staleMs: (collection) => ages.get(collection) ?? 0,
    });
  }

  hasSynced(): boolean {
    return this.reflectors.every(({ kind, reflector }) => reflector.state !== 'unsynced' || (kind.isForeign && isBroken(reflector)));
  }

  states(): readonly ResourceState[] {
    const now = this.clock.now();
    return this.reflectors.map(({ kind, reflector: { path, state, staleSince, restarts } }) => ({
      path,
      collection: kind.collection,
      state,
      staleMs: staleSince === undefined ? 0 : now - staleSince,
      restarts,
    }));
  }

  whenSynced(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.wake();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.timer?.stop();
    await Promise.all(this.reflectors.map(({ reflector }) => reflector.close()));
    await this.client.close();
    this.wake();
  }

  private queue(event: ClusterEvent): void {
    this.queued.push(event);
    if (this.queued.length >= longestQueue) this.apply();
    else this.timer ??= this.clock.after(longestWaitMs, () => this.apply());
  }

  private apply(): void {
    this.timer?.stop();
    this.timer = undefined;
    if (this.queued.length === 0) return;
    this.become(this.snapshot.applying(this.queued));
    this.queued = [];
  }

  private adopt(kind: WatchedKind, staged: ClusterSnapshot): void {
    this.apply(); // what came before the list must not come after it
    this.become(this.snapshot.adopting(kind, staged));
    queueMicrotask(() => this.wake()); // the reflector is synced only after this call
  }

  private become(snapshot: ClusterSnapshot): void {
    this.snapshot = snapshot;
    this.onSnapshot?.(snapshot);
  }

  private wake(): void {
    if (!this.closed && !this.hasSynced()) return;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** So many answers of a server that has the kind and cannot list it: a conversion webhook that is gone, a record it cannot read. */
const answersOfBroken = 3;

function isBroken({ restarts }: Reflector): boolean {
  const answers = (restarts.get('refused') ?? 0) + (restarts.get('unreadable') ?? 0);
  return answers >= answersOfBroken;
}

/** Of several kinds that are one collection, the worst. */
function worse(a: Coverage | undefined, state: ReflectorState): Coverage {
  const b = state === 'synced' ? 'complete' : state;
  return a === undefined ? b : worst(a, b);
}
