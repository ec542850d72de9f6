/** Snapshots of a cluster as files, without a cluster. */
import type { Reaches } from '../../src/cluster/reach.ts';
import type { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import type { ObjectRef } from '../../src/kube/resources.ts';
import { type DecodedSnapshot, decodeSnapshot } from '../../src/snapshots/decode.ts';
import { encodeSnapshot, type Taken } from '../../src/snapshots/encode.ts';
import { collections } from '../../src/snapshots/schema.ts';

/** Everything is known. */
export const everywhere: Reaches = new Map(collections.map((one) => [one, { everywhere: 'complete', namespaces: new Map() }]));

export const encoded = (snapshot: ClusterSnapshot, reaches = everywhere, more: Partial<Taken> = {}): string =>
  encodeSnapshot({ snapshot, reaches, context: 'test', secrets: { present: [], absent: [] }, readsAnnotation: () => true, ...more });

/** What comes of a snapshot that is written and read again. */
export const throughFile = (snapshot: ClusterSnapshot, secrets: readonly ObjectRef[] = []): DecodedSnapshot =>
  decodeSnapshot('cluster.json', encoded(snapshot, everywhere, { secrets: { present: secrets, absent: [] } }));
