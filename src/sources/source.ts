import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Found, Read } from '../cluster/view.ts';
import type { ObjectRef } from '../kube/resources.ts';

/** Something that knows the state of a cluster: a live watch, or manifest files. */
export interface ClusterSource {
  /** The latest state, events that just arrived included. Cheap: it hands out an immutable snapshot. */
  current(): ClusterSnapshot;
  /** False until every collection that may be read was listed once. Readiness depends on it. */
  hasSynced(): boolean;
  /** Reads objects by name, now, by `formatRef`: what does not answer before the signal aborts is `unknown`. Never rejects. */
  readByName(refs: readonly ObjectRef[], signal: AbortSignal): Promise<ReadonlyMap<string, Found>>;
  /** The current state with these reads done again, live; undefined if they cannot all be done within the bounds. Never rejects. */
  confirm(reads: readonly Read[], signal: AbortSignal): Promise<ClusterSnapshot | undefined>;
  close(): Promise<void>;
}
