import { expect, it } from 'vitest';
import { areKeptTogether } from '../../src/cluster/managed-together.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { JudgedResource, RawObject } from '../../src/kube/resources.ts';

const object = (kind: 'Service' | 'Ingress', metadata: RawObject): JudgedResource =>
  normalize({
    apiVersion: kind === 'Service' ? 'v1' : 'networking.k8s.io/v1',
    kind,
    metadata: { namespace: 'shop', name: 'web', ...metadata },
    spec: {},
  }) as JudgedResource;

const release = (name: string, namespace: string): RawObject => ({
  annotations: { 'meta.helm.sh/release-name': name, 'meta.helm.sh/release-namespace': namespace },
});
const tracked = (id: string): RawObject => ({ annotations: { 'argocd.argoproj.io/tracking-id': id } });
const labelled = (key: string, value: string): RawObject => ({ labels: { [`${key}/name`]: value, [`${key}/namespace`]: 'flux-system' } });
const owned = (name: string): RawObject => ({
  ownerReferences: [{ apiVersion: 'example.com/v1', kind: 'Shop', name, uid: name, controller: true }],
});

it.each<[string, boolean, RawObject, RawObject]>([
  ['nobody says so', false, {}, {}],
  ['one Helm release', true, release('web', 'shop'), release('web', 'shop')],
  ['two releases', false, release('web', 'shop'), release('edge', 'shop')],
  ['releases of one name', false, release('web', 'shop'), release('web', 'ops')],
  [
    'half of a mark',
    false,
    { annotations: { 'meta.helm.sh/release-name': 'web' } },
    { annotations: { 'meta.helm.sh/release-name': 'web' } },
  ],
  ['one application', true, tracked('web:/Service:shop/web'), tracked('web:networking.k8s.io/Ingress:shop/web')],
  ['two applications', false, tracked('web:/Service:shop/web'), tracked('edge:networking.k8s.io/Ingress:shop/web')],
  [
    'one application, by label',
    true,
    { labels: { 'argocd.argoproj.io/instance': 'web' } },
    { labels: { 'argocd.argoproj.io/instance': 'web' } },
  ],
  ['one Kustomization', true, labelled('kustomize.toolkit.fluxcd.io', 'web'), labelled('kustomize.toolkit.fluxcd.io', 'web')],
  ['a Kustomization and a HelmRelease', false, labelled('kustomize.toolkit.fluxcd.io', 'web'), labelled('helm.toolkit.fluxcd.io', 'web')],
  ['one HelmRelease', true, labelled('helm.toolkit.fluxcd.io', 'web'), labelled('helm.toolkit.fluxcd.io', 'web')],
  [
    'a label that people set by hand',
    false,
    { labels: { 'app.kubernetes.io/instance': 'web' } },
    { labels: { 'app.kubernetes.io/instance': 'web' } },
  ],
  ['one owner', true, owned('web'), owned('web')],
  ['two owners', false, owned('web'), owned('edge')],
])('%s: %s', (_, expected, service, ingress) => {
  expect(areKeptTogether(object('Service', service), object('Ingress', ingress))).toBe(expected);
});
