/** Where the webhook knows the cluster from: files, or the API server. */
import type { Configuration } from '../config/settings.ts';
import { OperatorError } from '../errors.ts';
import type { Log } from '../server/log.ts';
import type { Metrics } from '../server/metrics.ts';
import { fileSource } from '../sources/file-source.ts';
import { loadManifests } from '../sources/manifests.ts';
import type { ClusterSource } from '../sources/source.ts';
import type { ServeOptions } from './start-server.ts';

export interface Observers {
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Rejects with an OperatorError if the files, or the credentials, cannot be used. */
export async function clusterSource(options: ServeOptions, configuration: Configuration, observers: Observers): Promise<ClusterSource> {
  if (options.cluster === undefined) throw new Error('live');
  return embedded(options.cluster, configuration);
}

async function embedded(path: string, { workloads }: Configuration): Promise<ClusterSource> {
  const { manifests, errors } = await loadManifests([path], { workloads });
  const [first] = errors;
  // Half a cluster would be judged as if the other half did not exist.
  if (first !== undefined)
    throw new OperatorError('PC0002', `${first.file}: ${first.message}`, 'correct the manifests given with --cluster');
  return fileSource(manifests, { observedAt: Date.now(), assumeComplete: true });
}
