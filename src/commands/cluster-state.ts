/** The state of a cluster, once, for commands that look at it: from an API server with the user's own rights, or from a snapshot file. */
import { coverageOf, type Reaches } from '../cluster/reach.ts';
import { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Found } from '../cluster/view.ts';
import type { Profile } from '../engine/mode.ts';
import { display } from '../kube/display.ts';
import { listed } from '../kube/listed.ts';
import type { ObjectRef } from '../kube/resources.ts';
import { listCluster } from '../sources/list-cluster.ts';
import { liveReads } from '../sources/live-reads.ts';
import { listSecretNames, type SecretNames, type SecretPlaces } from '../sources/secret-names.ts';
import { connectCluster, noAnswer } from './cluster-client.ts';
import { clusterConfiguration } from './cluster-configuration.ts';
import { type Sighting, sightingsIn } from './first-seen.ts';
import type { ChosenConfiguration } from './stored-configuration.ts';
import type { Terminal } from './terminal.ts';

export interface ClusterStateOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Only these are judged; and what may not be listed everywhere is listed in them. */
  readonly namespace?: readonly string[];
  /** Without it, the configuration of the installation. */
  readonly config?: string;
  /** The ConfigMap of the installation, as NAMESPACE/NAME. */
  readonly installation?: string;
  readonly profile?: Profile;
  /** Ends the work: Ctrl-C. */
  readonly signal?: AbortSignal;
}

export interface ClusterState extends ChosenConfiguration {
  /** As people call the cluster: its context. */
  readonly name: string;
  readonly snapshot: ClusterSnapshot;
  readonly reaches: Reaches;
  /** Reads what is in no list (Secrets), by `formatRef`. */
  readonly readByName: (refs: readonly ObjectRef[]) => Promise<ReadonlyMap<string, Found>>;
  /** What to say of a snapshot that was taken long ago. */
  readonly stale?: string;
  /** What the reports of the continuous audit tell; of files, none are known. */
  readonly sightings?: () => Promise<readonly Sighting[]>;
  close(): Promise<void>;
}

/** An API server's answer can be asked for more than what a file holds. */
export interface LiveState extends ClusterState {
  readonly secretNames: (places: SecretPlaces) => Promise<SecretNames>;
}

/** Of one round of reads by name. */
const readMs = 10_000;
const never = new AbortController().signal;

export const progressOf = (name: string, objects: number, missing: readonly string[]): string =>
  `reading ${display(name)}: ${objects} objects${missing.length === 0 ? '' : `; waiting for ${listed(missing)}`}`;

/** Rejects with an OperatorError where the cluster, or the configuration, cannot be read at all. */
export async function liveState(options: ClusterStateOptions, terminal: Terminal): Promise<LiveState> {
  const { signal = never, namespace: namespaces = [] } = options;
  const { client, name, title } = await connectCluster(options);
  try {
    const chosen = await clusterConfiguration(options, client, signal);
    const { workloads, secrets } = chosen.configuration;
    const onProgress = (objects: number, missing: readonly string[]): void => terminal.status?.(progressOf(name, objects, missing));
    const { resources, reaches } = await listCluster({ client, workloads, namespaces, signal, onProgress });
    const snapshot = ClusterSnapshot.empty({ observedAt: terminal.now(), coverage: coverageOf(reaches) }).with(resources);
    const { readByName } = liveReads({
      client,
      workloads,
      secretsLevel: () => secrets.level,
      served: [],
      current: () => snapshot,
    });
    return {
      ...chosen,
      name,
      snapshot,
      reaches,
      readByName: (refs) => readByName(refs, AbortSignal.any([signal, AbortSignal.timeout(readMs)])),
      sightings: () => sightingsIn(client, signal),
      secretNames: (places) => listSecretNames(client, places, signal),
      close: () => client.close(),
    };
  } catch (cause) {
    await client.close();
    throw noAnswer(title, cause) ?? cause;
  } finally {
    terminal.status?.('');
  }
}
