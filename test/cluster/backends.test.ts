import { describe, expect, it } from 'vitest';
import { asBackends, backendsOf, declaredPorts } from '../../src/cluster/backends.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { formatRef, type RawObject } from '../../src/kube/resources.ts';
import { complete } from '../support/objects.ts';
import { service } from '../support/toy-rules.ts';

const labels = { app: 'web' };
const owned = (kind: string, name: string) => [{ apiVersion: 'x', kind, name, uid: 'u', controller: true }];
const workload = (kind: string, name: string, more: RawObject = {}, spec: RawObject = {}): RawObject => ({
  kind,
  metadata: { name, namespace: 'shop', ...more },
  spec: { template: { metadata: { labels } }, ...spec },
});
const pod = (name: string, ownerReferences: unknown = [], hash?: string, port?: number): RawObject => ({
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels: { ...labels, ...(hash && { 'pod-template-hash': hash }) }, ownerReferences },
  ...(port && { spec: { containers: [{ ports: [{ containerPort: port }] }] } }),
});

const backends = (...objects: readonly RawObject[]) => {
  const view = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(
    objects.flatMap((raw) => normalize(complete(raw)) ?? []),
  );
  return backendsOf(service({ selector: labels }), view).map(({ title, ref, pods, scaledToZero }) => ({
    title,
    ref: formatRef(ref),
    pods,
    scaledToZero,
  }));
};
const one = (title: string, ref: string, pods: number, scaledToZero = false) => [{ title, ref, pods, scaledToZero }];

describe('what stands behind a Service', () => {
  it('a Deployment and its Pods are one', () =>
    expect(
      backends(workload('Deployment', 'web'), pod('a', owned('ReplicaSet', 'web-1'), '1'), pod('b', owned('ReplicaSet', 'web-1'), '1')),
    ).toEqual(one('Deployment web', 'Deployment shop/web', 2)));

  it('the Pods of two revisions are one', () =>
    expect(
      backends(workload('Deployment', 'web'), pod('a', owned('ReplicaSet', 'web-1'), '1'), pod('b', owned('ReplicaSet', 'web-2'), '2')),
    ).toEqual(one('Deployment web', 'Deployment shop/web', 2)));

  it('Pods whose Deployment no longer carries the labels are still called after it', () =>
    expect(backends(pod('a', owned('ReplicaSet', 'web-1'), '1'))).toEqual(one('Deployment web', 'Deployment shop/web', 1)));

  it('a ReplicaSet of an unknown controller and its Pods are one', () =>
    expect(
      backends(workload('ReplicaSet', 'web-x', { ownerReferences: owned('Rollout', 'web') }), pod('a', owned('ReplicaSet', 'web-x'))),
    ).toEqual(one('ReplicaSet web-x', 'ReplicaSet shop/web-x', 1)));

  it('bare Pods are counted by shape, and called after the first', () => {
    expect(backends(pod('a'), pod('b'))).toEqual(one('Pod a and 1 more', 'Pod shop/a', 2));
    expect(
      backends(pod('a'), pod('b', [], undefined, 80))
        .map(({ title }) => title)
        .sort(),
    ).toEqual(['Pod a', 'Pod b']);
  });

  it('a workload is scaled to zero if it asks for no Pod and has none', () => {
    expect(backends(workload('Deployment', 'web', {}, { replicas: 0 }))[0]?.scaledToZero).toBe(true);
    expect(backends(workload('Deployment', 'web', {}, { replicas: 0 }), pod('a', owned('ReplicaSet', 'web-1'), '1'))[0]?.scaledToZero).toBe(
      false,
    );
    expect(backends(workload('Deployment', 'web'))[0]?.scaledToZero).toBe(false);
  });

  it.each([
    ['ExternalName', { type: 'ExternalName', externalName: 'x.example', selector: labels }],
    ['no selector', {}],
  ])('nothing with %s', (_, spec) => {
    const view = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'unsynced' });
    expect(backendsOf(service(spec), view)).toEqual([]);
  });

  it('of the namespace and the moment that are asked of', () => {
    const held = (...objects: readonly RawObject[]) => objects.flatMap((raw) => normalize(complete(raw)) ?? []);
    const shop = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(held(workload('Deployment', 'web')));
    const elsewhere = workload('Deployment', 'other', { namespace: 'bank' });
    const asked = service({ selector: labels });
    const titles = (view: ClusterSnapshot, namespace: string) =>
      backendsOf({ ...asked, metadata: { ...asked.metadata, namespace } }, view).map(({ title, pods }) => `${title}: ${pods}`);
    expect(titles(shop, 'shop')).toEqual(['Deployment web: 0']);
    expect(titles(shop, 'bank')).toEqual([]);
    const later = shop.with(held(elsewhere, pod('a', owned('Deployment', 'web'))));
    expect(titles(later, 'shop')).toEqual(['Deployment web: 1']);
    expect(titles(later, 'bank')).toEqual(['Deployment other: 0']);
    expect(titles(shop, 'shop')).toEqual(['Deployment web: 0']);
  });

  it('lists each declared port once, in the order of the containers', () => {
    const view = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(
      [pod('a', [], undefined, 80), pod('b', [], undefined, 443), pod('c', [], 'h', 80)].flatMap((raw) => normalize(complete(raw)) ?? []),
    );
    const ports = declaredPorts(asBackends(view.workloads('shop'), view)).map(({ containerPort }) => containerPort);
    expect(ports.toSorted((a, b) => a - b)).toEqual([80, 443]);
  });
});
