import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/client/clock.ts';
import { type KubeClient, kubeClient } from '../../src/client/kube-client.ts';
import { PodAddresses } from '../../src/cluster/pod-addresses.ts';
import type { Read } from '../../src/cluster/view.ts';
import type { Wanted } from '../../src/cluster/wanted.ts';
import type { Labels, ObjectRef } from '../../src/kube/resources.ts';
import { type LiveOptions, type LiveSource, liveSource } from '../../src/sources/live.ts';
import { FakeApiServer, type FakeObject, refuse } from '../support/fake-api-server.ts';

const pace = {
  backoff: { firstMs: 2, longestMs: 20, unansweredMs: 20 },
  refusedMs: 20,
  silenceMs: 5_000,
  watchSeconds: 300,
  steadyMs: 0,
  pageSize: 500,
};
const object = (apiVersion: string, kind: string, name: string, more: Record<string, unknown> = {}, labels: Labels = {}): FakeObject => ({
  apiVersion,
  kind,
  metadata: { ...(kind !== 'Namespace' && { namespace: 'shop' }), name, labels },
  ...more,
});
const pod = (name: string, labels: Labels, more: Record<string, unknown> = {}): FakeObject =>
  object('v1', 'Pod', name, { spec: { containers: [{ name: 'main' }] }, ...more }, labels);
const service = (name: string): FakeObject => object('v1', 'Service', name, { spec: { selector: { app: name }, ports: [{ port: 80 }] } });
const deployment = (name: string, labels: Labels): FakeObject =>
  object('apps/v1', 'Deployment', name, { spec: { template: { metadata: { labels }, spec: {} } } });
const secret = (name: string): FakeObject => object('v1', 'Secret', name, { type: 'kubernetes.io/tls', data: { 'tls.key': 'c2VjcmV0' } });

let server: FakeApiServer;
let client: KubeClient;
let source: LiveSource;

function watch(options: Partial<LiveOptions> = {}): LiveSource {
  source = liveSource({ client, secretsLevel: () => 'existence', pace, ...options });
  return source;
}
const names = (found: readonly { metadata: { name: string } }[]): string[] => found.map(({ metadata }) => metadata.name);
const signal = (): AbortSignal => AbortSignal.timeout(1_000);

beforeEach(async () => {
  server = new FakeApiServer();
  await server.start();
  client = kubeClient({ server: server.url, identity: async () => ({ headers: {}, tls: {} }) });
  for (const one of [object('v1', 'Namespace', 'shop'), service('web'), pod('web-1', { app: 'web' }), deployment('web', { app: 'web' })])
    server.set(one);
});

afterEach(async () => {
  await source.close();
  await client.close();
  await server.stop();
});

describe('the watched cluster', () => {
  it('is unsynced, then complete', async () => {
    watch();
    expect(source.hasSynced()).toBe(false);
    expect(source.current().coverage('Pod', 'shop')).toBe('unsynced');
    await source.whenSynced();
    const cluster = source.current();
    expect(source.hasSynced()).toBe(true);
    expect(cluster.coverage('Pod', 'shop')).toBe('complete');
    expect(cluster.coverage('Template', 'shop')).toBe('complete');
    expect(names(cluster.list('Service', 'shop'))).toEqual(['web']);
    expect(cluster.workloadsSelectedBy({ app: 'web' }, 'shop').map(({ kind }) => kind)).toEqual(['Deployment', 'Pod']);
    expect(Math.abs(cluster.observedAt - Date.now())).toBeLessThan(60_000);
  });

  it('hands out snapshots that later events leave alone, in objects and in what is known', async () => {
    watch();
    const early = source.current();
    await source.whenSynced();
    const before = source.current();
    server.set(service('db'));
    await vi.waitFor(() => expect(names(source.current().list('Service', 'shop'))).toEqual(['db', 'web']));
    expect(names(before.list('Service', 'shop'))).toEqual(['web']);
    expect(early.coverage('Service', 'shop')).toBe('unsynced');
  });

  it('shows each new state as it comes, whether anybody asks for it or not', async () => {
    const addresses = new PodAddresses();
    const at = (ip: string): FakeObject => pod('web-1', { app: 'web' }, { status: { podIP: ip } });
    server.set(at('10.0.0.1'));
    await watch({ onSnapshot: (snapshot) => addresses.follow(snapshot) }).whenSynced();
    expect(addresses.namespacesAt('10.0.0.1')).toEqual(['shop']);
    server.set(at('10.0.0.2'));
    await vi.waitFor(() => expect(addresses.namespacesAt('10.0.0.2')).toEqual(['shop']));
    expect(addresses.size).toBe(1);
  });

  it('applies a burst of events in their order', async () => {
    await watch().whenSynced();
    for (let round = 0; round < 1_500; round++) server.set(pod('web-2', { app: 'web', round: String(round) }));
    server.delete(pod('web-1', {}));
    await vi.waitFor(() => expect(source.current().workloadsSelectedBy({ round: '1499' }, 'shop')).toHaveLength(1));
    await vi.waitFor(() => expect(source.current().count('Pod')).toBe(1));
  });

  it('does not bring back with a late event what a list has found gone', async () => {
    const patient = { ...systemClock, after: (ms: number, action: () => void) => systemClock.after(ms === 50 ? 600_000 : ms, action) };
    await watch({ clock: patient }).whenSynced();
    await vi.waitFor(() => expect(server.openWatches).toBe(source.states().length));
    server.set(service('ghost'));
    await new Promise((resolve) => setTimeout(resolve, 30)); // the event waits in the queue
    server.delete(service('ghost'));
    server.compact();
    server.reset();
    const restarts = () => source.states().find(({ path }) => path === '/api/v1/services')?.restarts;
    await vi.waitFor(() => expect(restarts()?.get('expired')).toBe(1));
    await vi.waitFor(() => expect(source.states().every(({ staleMs }) => staleMs === 0)).toBe(true));
    expect(names(source.current().list('Service', 'shop'))).toEqual(['web']);
  });

  it.each([
    ['succeeded', { status: { phase: 'Succeeded' } }],
    ['failed', { status: { phase: 'Failed' } }],
  ])('forgets a Pod that has %s, and is not confused when it is deleted', async (_, more) => {
    await watch().whenSynced();
    server.set(pod('web-1', { app: 'web' }, more));
    await vi.waitFor(() => expect(source.current().count('Pod')).toBe(0));
    server.delete(pod('web-1', {}));
    server.set(pod('web-2', { app: 'web' }));
    await vi.waitFor(() => expect(source.current().count('Pod')).toBe(1));
  });

  it('forgets a ReplicaSet that its controller scales to nothing', async () => {
    const owned = (replicas: number): FakeObject => {
      const set = object('apps/v1', 'ReplicaSet', 'web-1', { spec: { replicas, template: { metadata: { labels: { app: 'roll' } } } } });
      const ownerReferences = [{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name: 'web', controller: true }];
      return { ...set, metadata: { ...set.metadata, ownerReferences } };
    };
    server.set(owned(1));
    await watch().whenSynced();
    expect(source.current().workloadsSelectedBy({ app: 'roll' }, 'shop')).toHaveLength(1);
    server.set(owned(0));
    await vi.waitFor(() => expect(source.current().workloadsSelectedBy({ app: 'roll' }, 'shop')).toEqual([]));
    expect(names(source.current().list('Template', 'shop'))).toEqual(['web']);
  });

  it('keeps kinds of one name and several groups apart', async () => {
    const template = { spec: { template: { metadata: { labels: { app: 'batch' } } } } };
    server.set(object('batch/v1', 'Job', 'train', template));
    server.set(object('batch.volcano.sh/v1alpha1', 'Job', 'train', template));
    await watch({
      workloads: [{ apiVersion: 'batch.volcano.sh/v1alpha1', kind: 'Job', resource: 'jobs', template: ['spec', 'template'] }],
    }).whenSynced();
    expect(source.current().workloadsSelectedBy({ app: 'batch' }, 'shop')).toHaveLength(2);
    server.delete(object('batch/v1', 'Job', 'train'));
    await vi.waitFor(() => expect(source.current().workloadsSelectedBy({ app: 'batch' }, 'shop')).toHaveLength(1));
  });

  it('is ready although some kinds are forbidden or not served, and says which', async () => {
    server.forbidden.add('/apis/networking.k8s.io/v1/networkpolicies');
    server.absent.add('/apis/cert-manager.io/v1/certificates');
    await watch().whenSynced();
    const cluster = source.current();
    expect(cluster.coverage('NetworkPolicy', 'shop')).toBe('forbidden');
    expect(cluster.coverage('Certificate', 'shop')).toBe('notServed');
    expect(cluster.coverage('Service', 'shop')).toBe('complete');
    server.forbidden.clear();
    await vi.waitFor(() => expect(source.current().coverage('NetworkPolicy', 'shop')).toBe('complete'));
  });

  it('knows templates only as well as the least known kind of them, and lacks nothing where one is not served', async () => {
    server.absent.add('/apis/example.com/v1/things');
    const things = { apiVersion: 'example.com/v1', kind: 'Thing', resource: 'things', template: ['spec', 'template'] };
    await watch({ workloads: [things] }).whenSynced();
    expect(source.current().coverage('Template', 'shop')).toBe('complete');
    server.forbidden.add('/apis/batch/v1/jobs');
    server.reset();
    await vi.waitFor(() => expect(source.current().coverage('Template', 'shop')).toBe('forbidden'));
  });

  it('tells how old a broken watch is', async () => {
    await watch().whenSynced();
    expect(source.current().staleMs('Service')).toBe(0);
    server.next((response) => refuse(response, 500, 'InternalError'), {
      when: (url) => url.pathname === '/api/v1/services',
      times: 10_000,
    });
    server.reset();
    await vi.waitFor(() => expect(source.current().staleMs('Service')).toBeGreaterThan(0));
    expect(source.hasSynced()).toBe(true);
    expect(names(source.current().list('Service', 'shop'))).toEqual(['web']);
    const state = source.states().find(({ path }) => path === '/api/v1/services');
    expect(state?.restarts.get('disconnected')).toBe(1);
    await vi.waitFor(() => expect(source.current().staleMs('Pod')).toBe(0));
  });

  it('does not wait for a kind of somebody else that the server cannot list, and does for its own', async () => {
    const broken = { when: ({ pathname }: URL) => pathname.endsWith('/certificates'), times: Number.POSITIVE_INFINITY };
    server.next((response) => refuse(response, 500, 'InternalError'), broken);
    watch();
    await source.whenSynced();
    expect(source.current().coverage('Certificate', 'shop')).toBe('unsynced');
    expect(source.current().coverage('Pod', 'shop')).toBe('complete');
    await source.close();

    server.next((response) => refuse(response, 500, 'InternalError'), {
      ...broken,
      when: ({ pathname }) => pathname.endsWith('/ingresses'),
    });
    client = kubeClient({ server: server.url, identity: async () => ({ headers: {}, tls: {} }) });
    watch();
    await vi.waitFor(() =>
      expect(
        source
          .states()
          .find(({ path }) => path.endsWith('/ingresses'))
          ?.restarts.get('refused'),
      ).toBeGreaterThan(6),
    );
    expect(source.hasSynced()).toBe(false);
  });

  it('stops waiting when it is closed', async () => {
    server.next((response) => response.flushHeaders(), { times: 100 });
    const waiting = watch().whenSynced();
    await source.close();
    await waiting;
    expect(source.hasSynced()).toBe(false);
  });
});

describe('readByName', () => {
  const ref = (name: string, kind = 'Secret'): ObjectRef => ({ apiVersion: 'v1', kind, namespace: 'shop', name });
  const read = async (...refs: Wanted[]) => Object.fromEntries(await source.readByName(refs, signal()));

  it('finds out whether Secrets are there, and never asks for what they hold', async () => {
    server.set(secret('tls'));
    watch();
    const answers = await read(ref('tls'), ref('tls'), ref('missing'));
    expect(answers['Secret shop/missing']).toBe('absent');
    expect(answers['Secret shop/tls']).toMatchObject({ kind: 'Secret', metadata: { name: 'tls', namespace: 'shop' } });
    expect(server.served.filter((body) => body.includes('"kind":"Table"'))).toHaveLength(1);
    expect(server.served.join()).not.toContain('c2VjcmV0');
  });

  it('keeps the type of a Secret that may be read in full, and what its content comes to', async () => {
    server.set(secret('tls'));
    watch({ secretsLevel: () => 'full' });
    const answers = await read(ref('tls'), { ...ref('tls'), content: true });
    expect(answers['Secret shop/tls']).toMatchObject({ type: 'kubernetes.io/tls', tls: { lacks: ['tls.crt'] } });
    expect(JSON.stringify(answers)).not.toMatch(/c2VjcmV0|secret"/);
  });

  it.each(['full', 'existence'] as const)('reads no content that no rule needs, and none that it may not: level %s', async (level) => {
    server.set(secret('tls'));
    watch({ secretsLevel: () => level });
    const answers = await read(level === 'full' ? ref('tls') : { ...ref('tls'), content: true });
    expect(answers['Secret shop/tls']).toMatchObject({ metadata: { name: 'tls' } });
    expect(answers['Secret shop/tls']).not.toHaveProperty('tls');
    expect(server.served.join()).not.toContain('c2VjcmV0');
  });

  it('knows nothing where Secrets are off', async () => {
    const secrets: { level: 'off' | 'existence' } = { level: 'off' };
    watch({ secretsLevel: () => secrets.level });
    expect(await read(ref('tls'))).toEqual({ 'Secret shop/tls': 'unknown' });
    expect(server.requests.filter((url) => url.includes('/secrets/'))).toEqual([]);
    secrets.level = 'existence'; // a new configuration
    await read(ref('tls'));
    expect(server.requests.filter((url) => url.includes('/secrets/'))).toHaveLength(1);
  });

  it.each([
    [403, 'unknown'],
    [429, 'unanswered'],
    [500, 'unanswered'],
    [503, 'unanswered'],
  ])('knows nothing after HTTP %i: %s', async (code, answer) => {
    server.next((response) => refuse(response, code, 'Trouble'), { when: (url) => url.pathname.includes('/secrets/') });
    watch();
    expect(await read(ref('tls'))).toEqual({ 'Secret shop/tls': answer });
  });

  it('gives up when the time is over, and after a reset', async () => {
    server.next(() => undefined, { when: (url) => url.pathname.endsWith('secrets/slow') });
    server.next((response) => response.socket?.resetAndDestroy(), { when: (url) => url.pathname.endsWith('secrets/cut') });
    watch();
    const answers = await source.readByName([ref('slow'), ref('cut')], AbortSignal.timeout(100));
    expect([...answers.values()]).toEqual(['unanswered', 'unanswered']);
    expect([...(await source.readByName([ref('late')], AbortSignal.abort())).values()]).toEqual(['unanswered']);
  });

  it.each(['', '.', '..', '../configmaps/x', 'a/b', 'a%2fb', 'a?b', 'Ä'])(
    'never asks for the name %j, which no object can have',
    async (name) => {
      watch();
      expect([...(await source.readByName([ref(name)], signal())).values()]).toEqual(['absent']);
      expect(server.requests.filter((url) => url.includes('secret') && !url.includes('watch'))).toEqual([]);
    },
  );

  it('reads other kinds too, and knows nothing of kinds that it does not watch', async () => {
    watch();
    const answers = await read(ref('web', 'Service'), ref('x', 'ConfigMap'));
    expect(answers['Service shop/web']).toMatchObject({ spec: { ports: [{ port: 80, targetPort: 80 }] } });
    expect(answers['ConfigMap shop/x']).toBe('unknown');
  });
});

describe('confirm', () => {
  const reads = (...some: Read[]): readonly Read[] => some;
  /** The API server changes, and our watch does not hear of it. */
  async function deaf(): Promise<void> {
    await watch().whenSynced();
    await vi.waitFor(() => expect(server.openWatches).toBe(source.states().filter(({ state }) => state === 'synced').length));
    server.silence();
    server.requests.length = 0;
  }

  it('sees what the watch has missed', async () => {
    await deaf();
    server.set(deployment('late', { app: 'late' }));
    server.set(pod('late-1', { app: 'late' }));
    const selector = { app: 'late' };
    expect(source.current().workloadsSelectedBy(selector, 'shop')).toEqual([]);
    const confirmed = await source.confirm(
      reads({ collection: 'Template', namespace: 'shop' }, { collection: 'Pod', namespace: 'shop', selector }),
      signal(),
    );
    expect(confirmed?.workloadsSelectedBy(selector, 'shop').map(({ kind }) => kind)).toEqual(['Deployment', 'Pod']);
    expect(server.requests).toHaveLength(8);
    expect(server.requests).toContain('/api/v1/namespaces/shop/pods?limit=500&labelSelector=app%3Dlate');
  });

  it('replaces of the Pods only those that it asked for', async () => {
    server.set(pod('db-1', { app: 'db' }));
    server.set(pod('web-2', { app: 'web' }));
    await deaf();
    server.delete(pod('web-1', {}));
    server.set(pod('web-2', { app: 'renamed' }));
    server.set(pod('web-3', { app: 'web' }));
    server.delete(pod('db-1', {}));
    const selector = { app: 'web' };
    const confirmed = await source.confirm(reads({ collection: 'Pod', namespace: 'shop', selector }), signal());
    const podNames = (app: string) =>
      confirmed
        ?.list('Pod', 'shop')
        .filter(({ pod: { labels } }) => labels['app'] === app)
        .flatMap((one) => confirmed.pods(one).names(9));
    expect(podNames('web')).toEqual(['web-3']);
    expect(podNames('db')).toEqual(['db-1']); // not asked for: as we know it
  });

  it('takes a Pod that moved from one answer to another as it is', async () => {
    await deaf();
    server.set(pod('web-1', { app: 'db' }));
    const confirmed = await source.confirm(
      reads(
        { collection: 'Pod', namespace: 'shop', selector: { app: 'db' } },
        { collection: 'Pod', namespace: 'shop', selector: { app: 'web' } },
      ),
      signal(),
    );
    expect(confirmed?.workloadsSelectedBy({ app: 'db' }, 'shop').map(({ kind }) => kind)).toEqual(['Pod']);
    expect(confirmed?.count('Pod')).toBe(1);
  });

  it('reads one object by name with one call, and believes that it is gone', async () => {
    await deaf();
    server.delete(service('web'));
    const confirmed = await source.confirm(reads({ collection: 'Service', namespace: 'shop', name: 'web' }), signal());
    expect(confirmed?.get('Service', 'shop', 'web')).toBeUndefined();
    expect(server.requests).toEqual(['/api/v1/namespaces/shop/services/web']);
  });

  it('reads what is asked for twice once, and no object whose list is read', async () => {
    await deaf();
    await source.confirm(
      reads(
        { collection: 'Service', namespace: 'shop', name: 'web' },
        { collection: 'Service', namespace: 'shop' },
        { collection: 'Service', namespace: 'shop' },
        { collection: 'Pod', namespace: 'shop', selector: { app: 'web' } },
        { collection: 'Pod', namespace: 'shop' },
        { collection: 'Namespace', namespace: '*' },
        { collection: 'Namespace', namespace: '', name: 'shop' },
      ),
      signal(),
    );
    expect(server.requests.toSorted()).toEqual([
      '/api/v1/namespaces/shop/pods?limit=500',
      '/api/v1/namespaces/shop/services?limit=500',
      '/api/v1/namespaces?limit=500',
    ]);
  });

  it('reads all IngressClasses, which are of no namespace, and knows then what is not there', async () => {
    await deaf();
    const ingressClass = object('networking.k8s.io/v1', 'IngressClass', 'nginx', { spec: { controller: 'k8s.io/ingress-nginx' } });
    server.set({ ...ingressClass, metadata: { name: 'nginx', labels: {} } });
    const confirmed = await source.confirm(reads({ collection: 'IngressClass', namespace: '' }), signal());
    expect(server.requests).toEqual(['/apis/networking.k8s.io/v1/ingressclasses?limit=500']);
    expect(names(confirmed?.list('IngressClass', '') ?? [])).toEqual(['nginx']);
    expect(confirmed?.coverage('IngressClass', '')).toBe('complete');
  });

  it.each([
    ['ValidatingWebhookConfiguration', 'admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations'],
    ['MutatingWebhookConfiguration', 'admissionregistration.k8s.io/v1', 'mutatingwebhookconfigurations'],
    ['APIService', 'apiregistration.k8s.io/v1', 'apiservices'],
  ] as const)('reads each %s, whatever namespace is asked about, and keeps no certificate', async (kind, apiVersion, resource) => {
    await deaf();
    const client = { service: { namespace: 'shop', name: 'web' }, caBundle: 'Q0E=' };
    const content = kind === 'APIService' ? { spec: client } : { webhooks: [{ name: 'web.example.com', clientConfig: client }] };
    server.set({ ...object(apiVersion, kind, 'web', content), metadata: { name: 'web', labels: {} } });
    const confirmed = await source.confirm(reads({ collection: kind, namespace: '' }), signal());
    expect(server.requests).toEqual([`/apis/${apiVersion}/${resource}?limit=500`]);
    expect(names(confirmed?.list(kind, '') ?? [])).toEqual(['web']);
    expect(JSON.stringify(confirmed?.list(kind, ''))).not.toContain('Q0E=');
  });

  it('reads all pages', async () => {
    await deaf();
    server.set({ ...object('v1', 'Namespace', 'new') });
    for (let n = 0; n < 600; n++) server.set(object('v1', 'Namespace', `n-${n}`));
    const confirmed = await source.confirm(reads({ collection: 'Namespace', namespace: '*' }), signal());
    expect(confirmed?.count('Namespace')).toBe(602);
  });

  it('knows completely what it has listed, and of the rest what was known', async () => {
    server.forbidden.add('/apis/networking.k8s.io/v1/ingresses');
    await deaf();
    server.next((response) => refuse(response, 500, 'Trouble'), { when: (url) => url.pathname === '/api/v1/services', times: 10_000 });
    server.reset();
    await vi.waitFor(() => expect(source.current().staleMs('Service')).toBeGreaterThan(0));
    const confirmed = await source.confirm(reads({ collection: 'Service', namespace: 'shop' }), signal());
    expect(confirmed?.staleMs('Service')).toBe(0);
    expect(confirmed?.coverage('Service', 'shop')).toBe('complete');
    expect(confirmed?.coverage('Ingress', 'shop')).toBe('forbidden');
  });

  it('reads no Secret again, and no kind that is not served', async () => {
    server.absent.add('/apis/cert-manager.io/v1/certificates');
    await deaf();
    const confirmed = await source.confirm(
      reads({ collection: 'Secret', namespace: 'shop', name: 'tls' }, { collection: 'Certificate', namespace: 'shop' }),
      signal(),
    );
    expect(confirmed?.coverage('Certificate', 'shop')).toBe('notServed');
    expect(server.requests.filter((url) => url.includes('/namespaces/'))).toEqual([]);
  });

  it.each<[string, Read[]]>([
    ['all namespaces', [{ collection: 'Pod', namespace: '*' }]],
    ['more than ten calls', ['a', 'b'].map((namespace) => ({ collection: 'Template', namespace }))],
    ['a kind that is forbidden', [{ collection: 'Ingress', namespace: 'shop' }]],
    ['a name that cannot be', [{ collection: 'Service', namespace: 'shop', name: '..' }]],
  ])('cannot be done for %s, and calls nobody then', async (_, some) => {
    server.forbidden.add('/apis/networking.k8s.io/v1/ingresses');
    await deaf();
    expect(await source.confirm(some, signal())).toBeUndefined();
    expect(server.requests.filter((url) => url.includes('/namespaces/'))).toEqual([]);
  });

  it('cannot be done for labels that no address can hold', async () => {
    watch();
    await source.whenSynced();
    expect(await source.confirm([{ collection: 'Pod', namespace: 'shop', selector: { app: '\ud800' } }], signal())).toBeUndefined();
  });

  it.each([403, 404, 429, 500])('cannot be done when one call of a list meets %i', async (code) => {
    await deaf();
    server.next((response) => refuse(response, code, 'Trouble'), { when: (url) => url.pathname.endsWith('/shop/pods') });
    const some = reads({ collection: 'Pod', namespace: 'shop' }, { collection: 'Service', namespace: 'shop' });
    expect(await source.confirm(some, signal())).toBeUndefined();
  });

  it('cannot be done when the time is over', async () => {
    await deaf();
    server.next(() => undefined, { when: (url) => url.pathname.endsWith('/shop/pods') });
    expect(await source.confirm(reads({ collection: 'Pod', namespace: 'shop' }), AbortSignal.timeout(50))).toBeUndefined();
    expect(await source.confirm(reads({ collection: 'Pod', namespace: 'shop' }), AbortSignal.abort())).toBeUndefined();
  });
});
