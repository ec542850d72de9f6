/** Kubernetes is the oracle: of an Ingress in a file we say that the API server refuses it where it does, and nowhere else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { rejectionsOf } from '../../src/sources/rejections.ts';
import { type Cluster, connectCluster, describeOnCluster, pathOf } from '../support/cluster.ts';

const ingress = (spec: RawObject, metadata: RawObject = {}): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'site', namespace: 'default', ...metadata },
  spec: { rules: [{}], ...spec },
});
const withPath = (path: RawObject): RawObject => {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return ingress({ rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend, ...path }] } }] });
};
const long = 'a'.repeat(64);

const hosts = [
  ...['', 'a.example', '*.a.example', `${long}.example`, '1.2.3', '1.2.3.256', '*.1.2.3.4', '1.2.3.4.5'],
  ...[
    'WWW.Example.com',
    'a.example.',
    '-a.example',
    'a-.example',
    'a..b',
    'a_b',
    'a b',
    'a:80',
    '*',
    '*.',
    'a.*.b',
    '*a.b',
    '*.*.a',
    '::1',
  ],
  ...['10.0.0.1', '010.000.0.1', '00000000001.0.0.1', `${long}.`.repeat(4).slice(0, 254)],
];
const names = ['', 'nginx', 'a.b-c', '1-a', long, 'a'.repeat(254), 'Bad_Name', 'Nginx', 'ns/name', '-a', 'a.'];
const paths = ['/', '/a', '/a/..b/.c%2b*', '/.a', '/a..', '/a//b', '/./a', '/a/../b', '/a%2fb', '/a%2Fb', '/..', '/a/.', 'a', ''];
const types = ['Exact', 'Prefix', 'ImplementationSpecific', 'prefix'];
const ofAnnotation = (value: string, spec: RawObject): RawObject =>
  ingress(spec, { annotations: { 'kubernetes.io/ingress.class': value } });

const objects: readonly (readonly [what: string, object: RawObject])[] = [
  ...hosts.map((host) => [`host "${host}"`, ingress({ rules: [{ host }] })] as const),
  ...hosts.map((host) => [`host "${host}" for TLS`, ingress({ tls: [{ hosts: [host] }] })] as const),
  ...names.map((secretName) => [`Secret "${secretName}"`, ingress({ tls: [{ secretName }] })] as const),
  ...names.map((ingressClassName) => [`class "${ingressClassName}"`, ingress({ ingressClassName })] as const),
  ...names.map((name) => [`called "${name}"`, ingress({}, { name })] as const),
  ...names.map((name) => [`Service "${name}"`, withPath({ backend: { service: { name, port: { number: 80 } } } })] as const),
  ...paths.flatMap((path) => types.map((pathType) => [`${pathType} "${path}"`, withPath({ path, pathType })] as const)),
  ...['', 'b', 'c'].map((value) => [`class c beside annotation "${value}"`, ofAnnotation(value, { ingressClassName: 'c' })] as const),
  ['an annotation alone', ofAnnotation('B', {})],
];

describeOnCluster('what the API server refuses to create', () => {
  let cluster: Cluster;
  beforeAll(() => {
    cluster = connectCluster();
  });
  afterAll(() => cluster?.close());

  describe('an Ingress', () => {
    it.each(objects)('%s', async (_, object) => {
      const { status } = await cluster.request('POST', `${pathOf('networking.k8s.io/v1', 'ingresses', 'default')}?dryRun=All`, object);
      expect(rejectionsOf(object).length > 0 ? 422 : 201).toBe(status);
    });
  });
});
