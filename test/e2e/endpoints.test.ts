/** Kubernetes is the oracle: for generated Pods and Services our answer is what the real EndpointSlice controller writes. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject, Resource, Service } from '../../src/kube/resources.ts';
import { until } from '../support/child-process.ts';
import { type Cluster, connectCluster, describeOnCluster, pathOf } from '../support/cluster.ts';
import { type EndpointSlice, kubernetesEndpoints, ourEndpoints } from '../support/endpoints.ts';
import { nodeName, type PodPlan, type World, worlds } from '../support/pod-worlds.ts';

const seed = 20261121;
const namespaces = 40;
const size = { pods: 25, services: 60 };

describeOnCluster('which Pods, which ports', () => {
  let cluster: Cluster;
  const filled: string[] = [];

  beforeAll(async () => {
    cluster = connectCluster();
    await created(pathOf('v1', 'nodes', ''), { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName } });
    for (const world of worlds(namespaces, size, seed)) filled.push(await fill(world));
  });
  afterAll(() => cluster?.close());

  it(`is what the EndpointSlice controller says, for ${namespaces * size.services} Services`, async () => {
    let compared = 0;
    let selecting = 0;
    for (const namespace of filled) {
      const { services, snapshot } = await ourView(namespace);
      const slices = await settledSlices(namespace, services);
      for (const service of services) {
        const theirs = kubernetesEndpoints(slices.get(service.metadata.name) ?? []);
        const ours = ourEndpoints(service, snapshot);
        expect(ours, `${namespace}/${service.metadata.name} (seed ${seed}): ${JSON.stringify(service.spec)}`).toEqual(theirs);
        compared++;
        if (Object.keys(theirs).length > 0) selecting++;
      }
    }
    expect(compared).toBe(namespaces * size.services);
    expect(selecting, 'Services that have endpoints at all').toBeGreaterThan(compared / 4);
  });

  async function fill({ pods, services }: World): Promise<string> {
    const namespace = await cluster.newNamespace('endpoints');
    await Promise.all(pods.map((pod) => createPod(namespace, pod)));
    await Promise.all(services.map((service) => created(pathOf('v1', 'services', namespace), service)));
    return namespace;
  }

  async function createPod(namespace: string, { object, status, terminating }: PodPlan): Promise<void> {
    const path = pathOf('v1', 'pods', namespace, object.metadata.name);
    await created(pathOf('v1', 'pods', namespace), object);
    if (status !== undefined) expect((await cluster.request('PATCH', `${path}/status`, { status })).status).toBe(200);
    if (terminating) expect((await cluster.request('DELETE', path)).status).toBe(200);
  }

  async function created(path: string, object: unknown): Promise<void> {
    const { status, body } = await cluster.request('POST', path, object);
    expect(status, `${JSON.stringify(object)}: ${body.message}`).toBe(201);
  }

  async function list(path: string): Promise<readonly RawObject[]> {
    const { body } = await cluster.request('GET', path);
    return (body.items as RawObject[]).map((item) => ({ apiVersion: 'v1', kind: String(body.kind).replace(/List$/, ''), ...item }));
  }

  async function ourView(namespace: string): Promise<{ readonly services: readonly Service[]; readonly snapshot: ClusterSnapshot }> {
    const objects = [...(await list(pathOf('v1', 'pods', namespace))), ...(await list(pathOf('v1', 'services', namespace)))];
    const resources = objects.flatMap((object) => (normalize(object) as Resource | undefined) ?? []);
    return {
      services: resources.filter((resource) => resource.kind === 'Service') as readonly Service[],
      snapshot: ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(resources),
    };
  }

  /** The slices by Service, once the controller has answered for each and says the same as a second ago. */
  async function settledSlices(namespace: string, services: readonly Service[]): Promise<ReadonlyMap<string, readonly EndpointSlice[]>> {
    const answered = services.filter(({ spec }) => spec.type !== 'ExternalName' && Object.keys(spec.selector).length > 0);
    let before = '';
    const slices = await until(
      `EndpointSlices of ${namespace} settle`,
      async () => {
        const items = await list(pathOf('discovery.k8s.io/v1', 'endpointslices', namespace));
        const byService = Map.groupBy(
          items as unknown as EndpointSlice[],
          ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] ?? '',
        );
        const now = JSON.stringify(items);
        const isSettled = now === before && answered.every(({ metadata }) => byService.has(metadata.name));
        before = now;
        return isSettled && byService;
      },
      { withinMs: 60_000, everyMs: 250 },
    );
    return slices;
  }
});
