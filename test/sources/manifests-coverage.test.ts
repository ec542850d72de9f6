import { describe, expect, it } from 'vitest';
import type { Collection } from '../../src/kube/resources.ts';
import { fileSource } from '../../src/sources/file-source.ts';
import { loadManifests } from '../../src/sources/manifests.ts';

const object = (kind: string, namespace: string, name = 'a', apiVersion = 'v1') => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === '' ? {} : { namespace }) },
  ...(kind === 'Service' ? { spec: { ports: [{ port: 80 }] } } : {}),
});
async function source(objects: readonly object[], assumeComplete = false) {
  const { manifests, errors } = await loadManifests(['-'], {
    stdin: async () => Buffer.from(objects.map((one) => JSON.stringify(one)).join('\n')),
  });
  expect(errors).toEqual([]);
  return fileSource(manifests, { observedAt: 42, assumeComplete });
}
const coverage = async (objects: readonly object[], collection: Collection, namespace: string, assumeComplete = false) =>
  (await source(objects, assumeComplete)).current().coverage(collection, namespace);

describe('what files allow to conclude', () => {
  const shop = [object('Deployment', 'shop', 'web', 'apps/v1'), object('Service', 'shop'), object('ConfigMap', 'tools')];

  it.each<[Collection, string, string]>([
    ['Pod', 'shop', 'complete'],
    ['Template', 'shop', 'complete'],
    ['Pod', 'tools', 'notGiven'],
    ['Template', '*', 'notGiven'],
    ['Service', 'shop', 'complete'],
    ['Service', '*', 'complete'],
    ['Service', 'tools', 'partial'],
    ['Service', 'kube-system', 'notGiven'],
    ['NetworkPolicy', 'shop', 'notGiven'],
    ['Namespace', '', 'notGiven'],
    ['Secret', 'shop', 'notGiven'],
    ['Certificate', 'shop', 'notGiven'],
  ])('%s of %s is %s', async (collection, namespace, expected) => {
    expect(await coverage(shop, collection, namespace)).toBe(expected);
    expect(await coverage(shop, collection, namespace, true)).toBe('complete');
  });

  it('takes one object of a collection for all of it', async () => {
    expect(await coverage([object('NetworkPolicy', 'a', 'p', 'networking.k8s.io/v1')], 'NetworkPolicy', 'b')).toBe('complete');
    expect(await coverage([object('Namespace', '', 'b'), object('Service', 'a')], 'Service', 'b')).toBe('partial');
    expect(await coverage([object('Pod', 'a')], 'Template', 'a')).toBe('complete');
  });
  it('takes TLS Secrets of a namespace for all of them there, and no password', async () => {
    const tls = { ...object('Secret', 'a'), type: 'kubernetes.io/tls' };
    expect(await coverage([tls], 'Secret', 'a')).toBe('complete');
    expect(await coverage([tls], 'Secret', 'b')).toBe('partial');
    expect(await coverage([object('Secret', 'a')], 'Secret', 'a')).toBe('partial');
  });
  it('takes classes for some of those that the cluster has', async () => {
    const nginx = object('IngressClass', '', 'nginx', 'networking.k8s.io/v1');
    expect(await coverage([nginx], 'IngressClass', '')).toBe('partial');
    expect(await coverage([nginx], 'IngressClass', '', true)).toBe('complete');
  });

  const beside = async (custom: object, namespace = 'shop') =>
    Promise.all((['Pod', 'Template', 'Service'] as const).map((collection) => coverage([...shop, custom], collection, namespace)));

  it.each([
    ['a kind that nobody knows', object('Kibana', 'shop', 'logs', 'kibana.k8s.elastic.co/v1')],
    ['one without a namespace', object('Thing', '', 'a', 'example.org/v1')],
    ['what delivers applications to any namespace', object('HelmRelease', 'flux-system', 'a', 'helm.toolkit.fluxcd.io/v2')],
    ['a Gateway', object('Gateway', 'shop', 'a', 'gateway.networking.k8s.io/v1')],
  ])('knows in part what stands beside %s, of which more may be made', async (_, custom) => {
    expect(await beside(custom)).toEqual(['partial', 'partial', 'partial']);
    expect(await coverage([...shop, custom], 'Service', 'shop', true)).toBe('complete');
    expect(await coverage([...shop, custom], 'Service', '*')).toBe('complete');
  });
  it.each([
    ['a kind that nobody knows in another namespace', object('Kibana', 'logs', 'logs', 'kibana.k8s.elastic.co/v1')],
    ['a Role', object('Role', 'shop', 'a', 'rbac.authorization.k8s.io/v1')],
    ['a custom kind that only configures', object('ServiceMonitor', 'shop', 'a', 'monitoring.coreos.com/v1')],
    ['a group that only configures', object('VirtualService', 'shop', 'a', 'networking.istio.io/v1')],
    ['a route', object('HTTPRoute', 'shop', 'a', 'gateway.networking.k8s.io/v1')],
    ['a Rollout, whose template is read', object('Rollout', 'shop', 'a', 'argoproj.io/v1alpha1')],
  ])('knows all beside %s', async (_, custom) => {
    expect(await beside(custom)).toEqual(['complete', 'complete', 'complete']);
  });
  it('knows nothing of Pods where the files hold none, whatever may be made', async () => {
    expect(await coverage([object('Kibana', 'shop', 'logs', 'kibana.k8s.elastic.co/v1')], 'Pod', 'shop')).toBe('notGiven');
  });

  it('takes Secrets for everything that brings Secrets', async () => {
    for (const kind of ['Certificate', 'ExternalSecret', 'SealedSecret'] as const)
      expect(await coverage([object('Secret', 'a')], kind, 'b')).toBe('complete');
    expect(await coverage([object('Certificate', 'a', 'c', 'cert-manager.io/v1')], 'Certificate', 'b')).toBe('complete');
    expect(await coverage([object('Certificate', 'a', 'c', 'cert-manager.io/v1')], 'Secret', 'b')).toBe('notGiven');
  });
  it('takes one whom the API server calls for all of them', async () => {
    const webhook = object('ValidatingWebhookConfiguration', '', 'w', 'admissionregistration.k8s.io/v1');
    for (const kind of ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration', 'APIService'] as const) {
      expect(await coverage([webhook], kind, '')).toBe('complete');
      expect(await coverage(shop, kind, '')).toBe('notGiven');
    }
  });
});

describe('the source', () => {
  const ref = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', namespace: 'a', name });
  const signal = AbortSignal.timeout(1000);

  it('answers Secrets by name, and keeps nothing of what is in them', async () => {
    const files = await source([{ ...object('Secret', 'a', 'tls'), type: 'kubernetes.io/tls', data: { 'tls.key': 'c2VjcmV0' } }]);
    const read = await files.readByName([ref('tls'), ref('none')], signal);
    expect(read.get('Secret a/tls')).toMatchObject({ kind: 'Secret', type: 'kubernetes.io/tls' });
    expect(JSON.stringify([...read])).not.toContain('c2VjcmV0');
    expect(read.get('Secret a/none')).toBe('absent');
  });
  it('does not know of Secrets where the files hold none', async () => {
    const files = await source([object('Service', 'a')]);
    expect((await files.readByName([ref('tls')], signal)).get('Secret a/tls')).toBe('unknown');
    const all = await source([object('Service', 'a')], true);
    expect((await all.readByName([ref('tls')], signal)).get('Secret a/tls')).toBe('absent');
  });
  it('is there at once, at the time given, and nothing is more live', async () => {
    const files = await source([object('Service', 'a')]);
    expect([files.hasSynced(), files.current().observedAt]).toEqual([true, 42]);
    expect(await files.confirm([], signal)).toBe(files.current());
    await files.close();
  });
});
