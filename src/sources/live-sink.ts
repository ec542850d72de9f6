/** What one reflector tells → events of the cluster view. Objects are cut down to what rules read as they arrive. */
import { type ClusterEvent, ClusterSnapshot } from '../cluster/snapshot.ts';
import { type NormalizeOptions, normalize } from '../kube/normalize.ts';
import { objectAt, stringAt } from '../kube/read.ts';
import type { RawObject, Resource } from '../kube/resources.ts';
import type { ReflectorSink } from './reflector.ts';
import type { WatchedKind } from './watched.ts';

/** Where the events of all reflectors meet. */
export interface ClusterTarget {
  queue(event: ClusterEvent): void;
  /** All objects of the kind are those of this snapshot from now on. */
  adopt(kind: WatchedKind, staged: ClusterSnapshot): void;
}

/** Staged objects are put together in batches, so that alike Pods share what they have in common from the start. */
const batchSize = 500;

const nothing = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'unsynced' });

export function liveSink(kind: WatchedKind, options: NormalizeOptions, target: ClusterTarget): ReflectorSink {
  let staged = nothing;
  let batch: ClusterEvent[] = [];
  const flush = (): void => {
    staged = staged.applying(batch);
    batch = [];
  };
  const stage = (event: ClusterEvent): void => {
    batch.push(event);
    if (batch.length >= batchSize) flush();
  };
  const begin = (): void => {
    staged = nothing;
    batch = [];
  };
  return {
    begin,
    stage: (raw) => stage(arrived(raw, kind, options)),
    unstage: (raw) => stage(left(raw, kind)),
    commit: () => {
      flush();
      target.adopt(kind, staged);
      begin();
    },
    set: (raw) => target.queue(arrived(raw, kind, options)),
    remove: (raw) => target.queue(left(raw, kind)),
    clear: () => target.adopt(kind, nothing),
  };
}

/** An object that rules need not see any more (a Pod that succeeded, an old ReplicaSet) has left, for all that they know. */
function arrived(raw: RawObject, kind: WatchedKind, options: NormalizeOptions): ClusterEvent {
  const object = normalize(raw, options);
  return object === undefined ? left(raw, kind) : { object, gone: false };
}

const noPod = { labels: {}, ports: [], probePorts: [], hostNetwork: false, dnsPolicy: '', nameservers: [] };

/** Whatever the object was, its place is known by its name. */
function left(raw: RawObject, { collection, apiVersion, kind }: WatchedKind): ClusterEvent {
  const metadata = objectAt(raw, 'metadata');
  const names = { namespace: stringAt(metadata, 'namespace') ?? '', name: stringAt(metadata, 'name') ?? '' };
  const isWorkload = collection === 'Template' || collection === 'Pod';
  const object = { apiVersion, kind, metadata: { ...names, labels: {}, annotations: {} }, ...(isWorkload && { pod: noPod }) };
  return { object: object as unknown as Resource, gone: true };
}
