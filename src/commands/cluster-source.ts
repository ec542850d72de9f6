/** Where the webhook knows the cluster from: files, or the API server. */

import type { KubeClient } from '../client/kube-client.ts';
import type { Configuration } from '../config/settings.ts';
import { OperatorError } from '../errors.ts';
import type { Log } from '../server/log.ts';
import type { Metrics } from '../server/metrics.ts';
import { fileSource } from '../sources/file-source.ts';
import { loadManifests } from '../sources/manifests.ts';
import type { Restart } from '../sources/reflector.ts';
import type { ClusterSource } from '../sources/source.ts';

export interface Observers {
  readonly log: Log;
  readonly metrics: Metrics;
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
async function live(client: KubeClient, configuration: () => Configuration, { log, metrics }: Observers): Promise<ClusterSource> {
  const { liveSource } = await import('../sources/live.ts');
  const source = liveSource({
    client,
    workloads: configuration().workloads,
    secretsLevel: () => configuration().secrets.level,
    onRestart: (restart) => {
      metrics.watchRestarted(restart.path.slice(restart.path.lastIndexOf('/') + 1), restart.reason);
      logRestart(log, restart);
    },
  });
  void source.whenSynced().then(() => {
    if (source.hasSynced()) log.info({ collections: summary(source.states()) }, 'the cluster is known: ready');
  });
  return source;
}

/**
 * The end of a watch after some minutes is the ordinary case, and so is a cluster without cert-manager. Rules that lack a
 * collection are skipped, which only this tells.
 */
function logRestart(log: Log, { path, reason, cause }: Restart): void {
  const why = cause instanceof Error ? { why: cause.message } : {};
  if (reason === 'notServed') log.info({ path }, 'not served by this cluster, so not watched');
  else if (reason === 'forbidden')
    log.warn({ path, ...why }, 'may not be watched: rules that need it are left out until the role allows it');
  else if (reason !== 'ended') log.warn({ path, reason, ...why }, 'a watch begins anew');
}

const summary = (states: readonly { readonly path: string; readonly state: string }[]): Readonly<Record<string, string>> =>
  Object.fromEntries(states.map(({ path, state }) => [path, state]));
