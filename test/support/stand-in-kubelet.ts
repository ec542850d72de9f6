/**
 * What nodes, their kubelets and the process in our Pods would write, for tests on a control plane without nodes: Pods of one
 * namespace get a node and become ready, unless told otherwise; those that are deleted go. The first thing that a new Pod of
 * ours does is as src/certificates does it: an authority where there is none, and that into `caBundle`; then it leads.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RawObject } from '../../src/kube/resources.ts';
import { newAuthority } from './certificate.ts';
import { type Cluster, pathOf } from './cluster.ts';

const namespace = 'portcullis';
const secretPath = pathOf('v1', 'secrets', namespace, 'portcullis-ca');
const leasePath = pathOf('coordination.k8s.io/v1', 'leases', namespace, 'portcullis-leader');
const registrationPath = pathOf('admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations', '', 'portcullis');
const everyMs = 100;

// biome-ignore lint/suspicious/noExplicitAny: objects of the API, which this picks apart
type Any = any;

export interface Kubelet {
  /** Pods that run now are no longer ready; those that come later are. */
  hang(): Promise<void>;
  /** Pods that run now renew the Lease no more. */
  stopRenewing(): void;
  stop(): Promise<void>;
}

export function startKubelet(cluster: Cluster): Kubelet {
  const started = new Set<string>();
  let leader: string | undefined;
  let renews = true;
  let stopped = false;

  const tick = async (): Promise<void> => {
    const { body } = await cluster.request('GET', pathOf('v1', 'pods', namespace));
    const pods: readonly Any[] = (body as Any).items ?? [];
    for (const pod of pods) await tend(pod);
    const living = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && isRunning(pod)).map((pod) => pod.metadata.name);
    if (leader === undefined || !living.includes(leader)) leader = living[0];
    if (leader !== undefined && renews) await renew(leader);
  };

  const tend = async (pod: Any): Promise<void> => {
    const { name, deletionTimestamp } = pod.metadata;
    const path = pathOf('v1', 'pods', namespace, name);
    if (deletionTimestamp !== undefined) {
      return void (await cluster.request('DELETE', path, { gracePeriodSeconds: 0 }));
    }
    if (pod.spec.nodeName === undefined) {
      const target = { apiVersion: 'v1', kind: 'Node', name: 'node-1' };
      return void (await cluster.request('POST', `${path}/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target }));
    }
    if (!started.has(name)) await begin(pod, path);
  };

  const begin = async (pod: Any, path: string): Promise<void> => {
    started.add(pod.metadata.name);
    const { image, args } = pod.spec.containers[0];
    const isPulled = !image.includes('nowhere');
    await cluster.request('PATCH', `${path}/status`, { status: statusOf(pod, isPulled, started.size) });
    if (!isPulled) return;
    // Whoever is given a certificate leaves the bundles alone.
    if (args.some((word: string) => word.startsWith('--tls-secret'))) await trustOurselves(cluster);
    renews = true;
  };

  const renew = async (holder: string): Promise<void> => {
    const spec = { holderIdentity: `${holder}_1`, leaseDurationSeconds: 15, renewTime: new Date().toISOString().replace('Z', '000Z') };
    await cluster.request('PATCH', leasePath, { spec });
  };

  const run = async (): Promise<void> => {
    while (!stopped) {
      await tick();
      await sleep(everyMs);
    }
  };
  const running = run();
  return {
    async hang() {
      for (const name of started) {
        await cluster.request('PATCH', `${pathOf('v1', 'pods', namespace, name)}/status`, { status: { conditions: conditionsOf(false) } });
      }
    },
    stopRenewing: () => {
      renews = false;
    },
    async stop() {
      stopped = true;
      await running;
    },
  };
}

const isRunning = (pod: Any): boolean => pod.status.phase === 'Running';

const conditionsOf = (ready: boolean): readonly RawObject[] =>
  ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
    type,
    status: ready || type === 'PodScheduled' || type === 'Initialized' ? 'True' : 'False',
    lastTransitionTime: new Date().toISOString(),
  }));

function statusOf(pod: Any, isPulled: boolean, number: number): RawObject {
  const { name, image } = pod.spec.containers[0];
  const startedAt = new Date().toISOString();
  const state = isPulled
    ? { running: { startedAt } }
    : { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` } };
  const ip = `10.244.0.${number}`;
  return {
    phase: isPulled ? 'Running' : 'Pending',
    podIP: ip,
    podIPs: [{ ip }],
    startTime: startedAt,
    conditions: conditionsOf(isPulled),
    containerStatuses: [{ name, image, imageID: '', ready: isPulled, restartCount: 0, state }],
  };
}

async function trustOurselves(cluster: Cluster): Promise<void> {
  const { body: secret } = await cluster.request('GET', secretPath);
  let ca = (secret as Any).data?.['ca.crt'];
  if (ca === undefined) {
    const { cert, key } = await newAuthority('portcullis-ca');
    ca = Buffer.from(cert).toString('base64');
    await cluster.request('PATCH', secretPath, { data: { 'ca.crt': ca, 'ca.key': Buffer.from(key).toString('base64') } });
  }
  await setBundles(cluster, ca);
}

/** Into every entry of the configuration, if it is there. */
export async function setBundles(cluster: Cluster, caBundle: string | undefined): Promise<void> {
  const { status, body } = await cluster.request('GET', registrationPath);
  if (status !== 200) return;
  const registration = body as Any;
  const webhooks = registration.webhooks.map((one: Any) => ({
    ...one,
    clientConfig: { service: one.clientConfig.service, ...(caBundle && { caBundle }) },
  }));
  await cluster.request('PUT', registrationPath, { ...registration, webhooks });
}
