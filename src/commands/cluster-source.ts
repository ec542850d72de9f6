/** Where the webhook knows the cluster from: files, or the API server. */

import type { KubeClient } from '../client/kube-client.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Configuration } from '../config/settings.ts';
import { OperatorError } from '../errors.ts';
import type { Collection } from '../kube/resources.ts';
import type { Log } from '../server/log.ts';
import type { Metrics } from '../server/metrics.ts';
import type { Pace } from '../sources/backoff.ts';
import { fileSource } from '../sources/file-source.ts';
import { loadManifests } from '../sources/manifests.ts';
import type { ClusterSource } from '../sources/source.ts';
import { collectionAt, readAlways } from '../sources/watched.ts';
import { restartLog } from './restart-log.ts';

export interface Observers {
  readonly log: Log;
  readonly metrics: Metrics;
  /** How patient the watches are; as in a cluster, if left out. */
  readonly pace?: Pace;
  /** Sees each new state of a live cluster. */
  readonly onSnapshot?: (snapshot: ClusterSnapshot) => void;
}

/** From a live cluster, which is not waited for, or from paths of manifests. Rejects with an OperatorError if the files cannot be used. */
export const clusterSource = (
  from: KubeClient | readonly string[],
  configuration: () => Configuration,
  observers: Observers,
): Promise<ClusterSource> => ('watch' in from ? live(from, configuration, observers) : embedded(from, configuration()));

async function embedded(paths: readonly string[], { workloads }: Configuration): Promise<ClusterSource> {
  const { manifests, errors } = await loadManifests(paths, { workloads });
  const [first] = errors;
  // Half a cluster would be judged as if the other half did not exist.
  if (first !== undefined) {
    const place = first.line === undefined ? first.file : `${first.file}:${first.line}`;
    throw new OperatorError('PC0002', `${place}: ${first.message}`, first.hint);
  }
  return fileSource(manifests, { observedAt: Date.now(), assumeComplete: true });
}

/** The workloads are those of the first configuration: what is watched does not change while we run. */
async function live(
  client: KubeClient,
  configuration: () => Configuration,
  { log, metrics, pace, onSnapshot }: Observers,
): Promise<ClusterSource> {
  const { liveSource } = await import('../sources/live.ts');
  const { workloads } = configuration();
  const tell = restartLog(log, undefined, (path) => isNeeded(collectionAt(path, workloads), configuration()));
  const source = liveSource({
    client,
    workloads,
    secretsLevel: () => configuration().secrets.level,
    ...(pace && { pace }),
    ...(onSnapshot && { onSnapshot }),
    onRestart: (restart) => {
      metrics.watchRestarted(restart.path.slice(restart.path.lastIndexOf('/') + 1), restart.reason);
      tell(restart);
    },
  });
  void source.whenSynced().then(() => {
    if (source.hasSynced()) log.info({ collections: summary(source.states()) }, 'the cluster is known: ready');
  });
  return source;
}

/** Of the configuration as it is now: another rule may be on after a reload. */
const isNeeded = (collection: Collection | undefined, { rules }: Configuration): boolean =>
  collection !== undefined && (readAlways.includes(collection) || rules.some(({ meta }) => meta.reads.includes(collection)));

const summary = (states: readonly { readonly path: string; readonly state: string }[]): Readonly<Record<string, string>> =>
  Object.fromEntries(states.map(({ path, state }) => [path, state]));
