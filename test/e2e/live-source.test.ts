/** The live source on the real API server: what it knows after writes, without rights, without kinds, and on a bad network. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Credentials, kubeconfigCredentials } from '../../src/client/credentials.ts';
import { kubeClient } from '../../src/client/kube-client.ts';
import { builtInWorkloads } from '../../src/kube/normalize-workload.ts';
import { formatRef } from '../../src/kube/resources.ts';
import { defaultPace, type Pace } from '../../src/sources/backoff.ts';
import { type LiveOptions, type LiveSource, liveSource, type ResourceState } from '../../src/sources/live.ts';
import type { Restart } from '../../src/sources/restart.ts';
import { BadNetwork } from '../support/bad-network.ts';
import { until } from '../support/child-process.ts';
import { type Cluster, connectCluster, describeOnCluster, pathOf } from '../support/cluster.ts';
import { kubeconfigOf, type User } from '../support/control-plane.ts';

const pace: Pace = { ...defaultPace, backoff: { firstMs: 50, longestMs: 500, unansweredMs: 500 }, refusedMs: 300 };
const pod = (name: string, labels: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: { containers: [{ name: 'main', image: 'none', ports: [{ containerPort: 8080 }] }] },
});
const deployment = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'none' }] } },
  },
});

describeOnCluster('the live source', () => {
  let cluster: Cluster;
  let network: BadNetwork;
  let port: number;
  let source: LiveSource;
  let restarts: Restart[];

  beforeAll(async () => {
    cluster = connectCluster();
    network = new BadNetwork(Number(new URL(cluster.address.url).port));
    port = await network.start();
  });
  afterAll(async () => {
    await network.stop();
    await cluster.close();
  });
  afterEach(() => source.close());

  /** As a user, through the network that can be bad. */
  async function watch(user: User, options: Partial<LiveOptions> = {}): Promise<LiveSource> {
    const credentials = await kubeconfigCredentials({ file: kubeconfigOf(cluster.address, user) });
    const server = new URL(cluster.address.url);
    server.port = String(port);
    const through: Credentials = { ...credentials, server };
    restarts = [];
    const onRestart = (restart: Restart): unknown => restarts.push(restart);
    source = liveSource({ client: kubeClient(through), secretsLevel: () => 'existence', pace, onRestart, ...options });
    await source.whenSynced();
    return source;
  }
  const write = async (apiVersion: string, resource: string, namespace: string, body: unknown): Promise<void> => {
    const answer = await cluster.request('POST', pathOf(apiVersion, resource, namespace), body);
    expect(answer.body.message).toBeUndefined();
  };
  const drop = (apiVersion: string, resource: string, namespace: string, name: string) =>
    cluster.request('DELETE', `${pathOf(apiVersion, resource, namespace, name)}?gracePeriodSeconds=0`);
  const kindsFound = (namespace: string, app: string): string[] =>
    source
      .current()
      .workloadsSelectedBy({ app }, namespace)
      .map(({ kind }) => kind);
  const podNames = (namespace: string): readonly string[] => {
    const now = source.current();
    return now.list('Pod', namespace).flatMap((shape) => now.pods(shape).names(9));
  };
  const stateOf = (path: string): ResourceState['state'] | undefined => source.states().find((one) => one.path === path)?.state;

  it('knows all kinds with watch-lists alone, and hears of every write', async () => {
    const namespace = await cluster.newNamespace('live');
    await write('apps/v1', 'deployments', namespace, deployment('web'));
    await watch('admin');
    expect(restarts.filter(({ reason }) => reason !== 'notServed')).toEqual([]);
    expect(source.current().get('Namespace', '', namespace)?.metadata.labels['kubernetes.io/metadata.name']).toBe(namespace);
    expect(kindsFound(namespace, 'web')).toEqual(['Deployment']);
    await write('v1', 'pods', namespace, pod('web-1', { app: 'web' }));
    await until('the Pod is known', () => kindsFound(namespace, 'web').length === 2);
    await cluster.request('PATCH', `${pathOf('v1', 'pods', namespace, 'web-1')}/status`, { status: { phase: 'Succeeded' } });
    await until('the Pod has ended', () => kindsFound(namespace, 'web').length === 1);
    await drop('v1', 'pods', namespace, 'web-1');
    await drop('apps/v1', 'deployments', namespace, 'web');
    await until('all are gone', () => kindsFound(namespace, 'web').length === 0);
    for (const { resource } of builtInWorkloads)
      expect(source.states().find(({ path }) => path.endsWith(`/${resource}`))?.state).toBe('synced');
  });

  it('goes on after cut connections without a list, and loses nothing', async () => {
    const namespace = await cluster.newNamespace('cut');
    await watch('admin');
    for (let round = 0; round < 5; round++) {
      network.cut();
      await write('v1', 'pods', namespace, pod(`p-${round}`, { app: 'cut' }));
      if (round > 0) await drop('v1', 'pods', namespace, `p-${round - 1}`);
      await until('caught up', () => podNames(namespace).join() === `p-${round}`);
    }
    await until('nothing is stale', () => source.states().every(({ staleMs }) => staleMs === 0));
    expect(restarts.map(({ reason }) => reason)).not.toContain('expired');
    expect(source.current().staleMs('Pod')).toBe(0);
  });

  it('finds out that the network loses everything, and catches up', async () => {
    const namespace = await cluster.newNamespace('lost');
    await watch('admin', { pace: { ...pace, silenceMs: 3_000 } });
    network.lose();
    await write('v1', 'pods', namespace, pod('p', { app: 'lost' }));
    await until('caught up', () => kindsFound(namespace, 'lost').length === 1);
    expect(restarts.map(({ reason }) => reason)).toContain('silent');
  });

  it('is ready without rights, says what is forbidden, and sees it when it is granted', async () => {
    const namespace = await cluster.newNamespace('blind');
    await write('v1', 'pods', namespace, pod('p', { app: 'blind' }));
    await watch('blinkered');
    expect(source.hasSynced()).toBe(true);
    expect(source.current().coverage('Pod', namespace)).toBe('forbidden');
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: namespace },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['watch'] }],
    };
    const subjects = [{ kind: 'User', name: 'blinkered', apiGroup: 'rbac.authorization.k8s.io' }];
    const roleRef = { kind: 'ClusterRole', name: namespace, apiGroup: 'rbac.authorization.k8s.io' };
    await write(role.apiVersion, 'clusterroles', '', role);
    await write(role.apiVersion, 'clusterrolebindings', '', { ...role, kind: 'ClusterRoleBinding', rules: undefined, subjects, roleRef });
    await until('Pods are seen', () => source.current().coverage('Pod', namespace) === 'complete');
    expect(kindsFound(namespace, 'blind')).toEqual(['Pod']); // the verb `watch` is enough for a watch-list
    await cluster.request('DELETE', pathOf(role.apiVersion, 'clusterrolebindings', '', namespace));
    await until('the right is gone', async () => {
      network.cut(); // a watch that is open goes on: rights are checked when it begins
      await new Promise((resolve) => setTimeout(resolve, 300));
      return source.current().coverage('Pod', namespace) === 'forbidden';
    });
    expect(kindsFound(namespace, 'blind')).toEqual([]);
  });

  it('starts to watch a kind when its definition is installed, moves with its versions, and stops when it goes', async () => {
    const group = 'external-secrets.io';
    const versions = (served: Readonly<Record<string, boolean>>) =>
      Object.entries(served).map(([name, isServed]) => ({
        name,
        served: isServed,
        storage: name === 'v1beta1',
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      }));
    const names = { plural: 'externalsecrets', singular: 'externalsecret', kind: 'ExternalSecret', listKind: 'ExternalSecretList' };
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `externalsecrets.${group}` },
      spec: { group, scope: 'Namespaced', names, versions: versions({ v1: false, v1beta1: true }) },
    };
    const definitions = pathOf(definition.apiVersion, 'customresourcedefinitions', '');
    const namespace = await cluster.newNamespace('crd');
    await watch('admin');
    expect(source.current().coverage('ExternalSecret', namespace)).toBe('notServed');
    try {
      await write(definition.apiVersion, 'customresourcedefinitions', '', definition);
      await until('it is watched', () => source.current().coverage('ExternalSecret', namespace) === 'complete');
      await write(`${group}/v1beta1`, 'externalsecrets', namespace, {
        apiVersion: `${group}/v1beta1`,
        kind: 'ExternalSecret',
        metadata: { name: 'tls' },
        spec: { target: { name: 'shop-tls' } },
      });
      const secretName = () => source.current().get('ExternalSecret', namespace, 'tls')?.secretName;
      await until('the object is known', () => secretName() === 'shop-tls');
      await cluster.request('PATCH', `${definitions}/${definition.metadata.name}`, {
        spec: { versions: versions({ v1: true, v1beta1: false }) },
      });
      await until('the other version is watched', () => stateOf(`/apis/${group}/v1/externalsecrets`) === 'synced');
      expect(secretName()).toBe('shop-tls');
    } finally {
      await cluster.request('DELETE', `${definitions}/${definition.metadata.name}`);
    }
    await until('it is not served any more', () => source.current().coverage('ExternalSecret', namespace) === 'notServed');
    expect(source.current().get('ExternalSecret', namespace, 'tls')).toBeUndefined();
  });

  it('reads Secrets by name without what they hold, and looks again before a denial', async () => {
    const namespace = await cluster.newNamespace('reads');
    await write('v1', 'secrets', namespace, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'tls' },
      stringData: { 'tls.key': 'private' },
    });
    await watch('admin');
    const ref = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', namespace, name });
    const answers = await source.readByName([ref('tls'), ref('none')], AbortSignal.timeout(5_000));
    expect(answers).toEqual(
      new Map<string, unknown>([
        [formatRef(ref('none')), 'absent'],
        [formatRef(ref('tls')), expect.objectContaining({ kind: 'Secret' })],
      ]),
    );
    const selector = { app: 'web', 'app.kubernetes.io/name': 'web' };
    await write('v1', 'pods', namespace, pod('web-1', selector));
    const confirmed = await source.confirm(
      [
        { collection: 'Template', namespace },
        { collection: 'Pod', namespace, selector },
        { collection: 'Namespace', namespace: '*' },
      ],
      AbortSignal.timeout(5_000),
    );
    expect(confirmed?.workloadsSelectedBy(selector, namespace).map(({ kind }) => kind)).toEqual(['Pod']);
    expect(confirmed?.get('Namespace', '', namespace)?.metadata.name).toBe(namespace);
  });
});
