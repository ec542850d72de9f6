/** What operators do to a webhook on purpose, one function each: two replicas behind a Service, on a control plane of their own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Balancer, startBalancer } from './balancer.ts';
import { until } from './child-process.ts';
import { type Cluster, connectCluster } from './cluster.ts';
import { type ControlPlane, freePort } from './control-plane.ts';
import { newControlPlane } from './control-plane-provider.ts';
import { installWebhook, type Registration, type Replica, type Webhook } from './webhook.ts';

export interface Rig {
  readonly plane: ControlPlane;
  readonly cluster: Cluster;
  readonly webhook: Webhook;
  readonly balancer: Balancer;
  /** Those that run; an operation may put others in their place. */
  replicas: readonly Replica[];
  close(): Promise<void>;
}

/** `connections`: requests to the API server at a time. */
export async function newRig(purpose: string, configuration: unknown, connections: number): Promise<Rig> {
  const closes: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closes.splice(0).toReversed()) await one();
  };
  const held = <T>(part: T, end: (part: T) => Promise<unknown>): T => {
    closes.push(() => end(part));
    return part;
  };
  try {
    // In one file: what is rotated away cannot be a witness any more.
    const plane = held(await newControlPlane(console.error, { apiServerFlags: { 'audit-log-maxsize': '4000' } }), (one) => one.stop());
    const cluster = held(connectCluster(plane.address, { connections }), (one) => one.close());
    const port = await freePort();
    const balancer = held(await startBalancer(port, { listen: plane.address.here.listen }), (one) => one.close());
    const webhook = held(await installWebhook(cluster, { purpose, configuration, port, registrations }), (one) => one.remove());
    const replicas = [await newReplica(webhook, 1), await newReplica(webhook, 1)];
    balancer.setReady(replicas.map((replica) => replica.port));
    return { plane, cluster, webhook, balancer, replicas, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** As shipped but for the time: a busy machine must not lose for us what an operation would not. */
const registrations = (deployed: Registration): readonly Registration[] => [
  { ...deployed, webhooks: deployed.webhooks.map((entry) => ({ ...entry, timeoutSeconds: 10 })) },
];

const newReplica = async (webhook: Webhook, drainSeconds: number): Promise<Replica> =>
  webhook.startReplica({ port: await freePort(), flags: ['--drain-seconds', String(drainSeconds)] });

/** What the drain time must cover beside the endpoints' lag. */
const marginSeconds = 2;
/** `terminationGracePeriodSeconds` of deploy/. */
const graceMs = 30_000;

/** Each replica in turn, as a Deployment with `maxUnavailable: 0` does; new connections reach the old one for so long after SIGTERM. */
export async function updateByRolling(rig: Rig, lagSeconds: number): Promise<void> {
  for (const old of rig.replicas) {
    const next = await newReplica(rig.webhook, lagSeconds + marginSeconds);
    rig.replicas = [...rig.replicas, next];
    rig.balancer.setReady(rig.replicas.map(({ port }) => port));
    const exit = old.process.stop('SIGTERM', graceMs);
    await sleep(lagSeconds * 1000);
    rig.replicas = rig.replicas.filter((replica) => replica !== old);
    rig.balancer.setReady(rig.replicas.map(({ port }) => port));
    const code = await exit;
    if (code !== 0) throw new Error(`a replica ended with ${code}; it wrote:\n${old.process.output().slice(-2000)}`);
  }
}

/** Puts a configuration before all replicas. Resolves once all of them have taken it, or have refused it. */
export async function reload({ webhook, replicas }: Rig, configuration: unknown, taken: boolean): Promise<void> {
  const startedAt = Date.now() / 1000;
  webhook.configure(configuration);
  for (const replica of replicas)
    await until(`the configuration is ${taken ? 'in effect' : 'refused'}`, async () => {
      const metrics = await metricsOf(replica);
      const success = metrics.get('portcullis_config_reload_success');
      return taken ? success === 1 && (metrics.get('portcullis_config_reload_timestamp_seconds') ?? 0) >= startedAt : success === 0;
    });
}

/** How long it was not there, as far as its clients know. */
export async function restartApiServer(
  { plane }: Rig,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<{ readonly from: number; readonly to: number }> {
  const { apiServer } = plane.programs as NonNullable<ControlPlane['programs']>;
  const from = performance.now();
  await apiServer.kill(signal);
  await apiServer.start();
  return { from, to: performance.now() };
}

/** By series, as they are written: `portcullis_cache_staleness_seconds{resource="Pod"}`. */
export async function metricsOf({ healthPort }: Pick<Replica, 'healthPort'>): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text();
  return new Map([...text.matchAll(/^(portcullis_\S+(?: \S+)*) (\S+)$/gm)].map(([, series = '', value]) => [series, Number(value)]));
}

/** Of all series of a metric that carry these labels, the sum. */
export const sumOf = (metrics: ReadonlyMap<string, number>, name: string, ...labels: readonly string[]): number =>
  [...metrics]
    .filter(([series]) => series.startsWith(`${name}{`) && labels.every((label) => series.includes(label)))
    .reduce((sum, [, value]) => sum + value, 0);
