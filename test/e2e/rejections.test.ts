/** Kubernetes is the oracle: of an Ingress or a NetworkPolicy in a file we say that the API server refuses it where it does, and nowhere else. */
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

const policy = (spec: RawObject | null, metadata: RawObject = {}): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'shut', namespace: 'default', ...metadata },
  spec,
});
const fromPeer = (peer: RawObject): RawObject => policy({ podSelector: {}, ingress: [{ from: [peer] }] });
const toBlock = (cidr: string, ...except: readonly string[]): RawObject => policy({ egress: [{ to: [{ ipBlock: { cidr, except } }] }] });
const onPort = (port: RawObject): RawObject => policy({ ingress: [{ ports: [port] }] });

const blocks = [
  ...['', '10.0.0.0', '10.0.0.0/', '/8', '10.0.0.0/8/8', '300.1.2.3/99', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/-1', '10.0.0.0/0x8'],
  ...[
    '10.0.0.0/8',
    '10.0.0.1/32',
    '0.0.0.0/0',
    '::/0',
    'fd00::/64',
    'FD00::0:0/64',
    'fd00::/129',
    'fd00:::/64',
    'fe80::%eth0/64',
    '1.2.3.256/32',
  ],
];
/** Before Kubernetes 1.36 they are taken, so that we must not say of them that they are refused. */
const blocksOfOld = ['10.0.0.1/8', '010.0.0.0/8', '10.0.0.0/08', '::ffff:10.0.0.0/104'];
const exceptions = [
  ...[
    '10.0.0.0/8',
    '11.0.0.0/8',
    '10.1.0.0/16',
    '10.0.0.0/9',
    '0.0.0.0/0',
    '10.1.0.0',
    'fd00::/64',
    '10.0.0.1/32',
    '::a00:0/112',
    '',
    'web',
  ],
];
const keys = [
  'app',
  'a b',
  '',
  'example.com/app',
  'Example.com/app',
  'a/b/c',
  '/a',
  'a/',
  '-a',
  'a_',
  'A.b-c_d',
  long,
  `${'a'.repeat(63)}`,
  'constructor',
];
const values = ['', 'web', 'a b', '-x', 'x-', 'A_b.c', long, 'ä'];
const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Equals', ''];
const portsOfPolicies: readonly RawObject[] = [
  ...[
    {},
    { port: 0 },
    { port: 80 },
    { port: 65_536 },
    { port: -1 },
    { port: '' },
    { port: '80' },
    { port: 'http' },
    { port: 'a'.repeat(16) },
    { port: null },
  ],
  ...[{ protocol: '' }, { protocol: 'tcp' }, { protocol: 'SCTP' }, { protocol: 'ICMP' }, { protocol: null }],
  ...[{ endPort: 80 }, { port: 'http', endPort: 80 }, { port: 80, endPort: 79 }, { port: 80, endPort: 80 }, { port: 80, endPort: 70_000 }],
];
const typos: readonly RawObject[] = [
  ...[{ ingres: [{}] }, { Ingress: [] }, { podselector: {} }, { podSelector: { matchlabels: {} } }, { podSelector: { app: 'web' } }],
  ...[{ ingress: [{ to: [] }] }, { egress: [{ from: [] }] }, { ingress: [{ port: 80 }] }, { ingress: [{ ports: [{ number: 80 }] }] }],
  ...[{ ingress: [{ from: [{ namespace: 'a' }] }] }, { ingress: [{ from: [{ ipBlock: { cidr: '::/0', exept: [] } }] }] }],
];

const policies: readonly (readonly [what: string, object: RawObject])[] = [
  ...blocks.map((block) => [`block "${block}"`, toBlock(block)] as const),
  ...exceptions.map((inner) => [`10.0.0.0/8 but "${inner}"`, toBlock('10.0.0.0/8', inner)] as const),
  ...keys.map((key) => [`label "${key}"`, policy({ podSelector: { matchLabels: { [key]: 'a' } } })] as const),
  ...keys.map((key) => [`"${key}" exists`, fromPeer({ podSelector: { matchExpressions: [{ key, operator: 'Exists' }] } })] as const),
  ...values.map((value) => [`label of "${value}"`, fromPeer({ namespaceSelector: { matchLabels: { a: value } } })] as const),
  ...values.map(
    (value) =>
      [`not in "${value}"`, policy({ podSelector: { matchExpressions: [{ key: 'a', operator: 'NotIn', values: [value] }] } })] as const,
  ),
  ...operators.flatMap((operator) =>
    [[], ['a']].map(
      (some) =>
        [`${operator} of ${some.length}`, policy({ podSelector: { matchExpressions: [{ key: 'a', operator, values: some }] } })] as const,
    ),
  ),
  ...portsOfPolicies.map((port) => [`port ${JSON.stringify(port)}`, onPort(port)] as const),
  ...typos.map((spec) => [JSON.stringify(spec), policy(spec)] as const),
  ...[[], ['Ingress'], ['Egress', 'Egress'], ['ingress'], ['']].map(
    (policyTypes) => [`types ${policyTypes}`, policy({ policyTypes })] as const,
  ),
  ...names.map((name) => [`called "${name}"`, policy({}, { name })] as const),
  ['a block with an empty exception', fromPeer({ ipBlock: { cidr: '10.0.0.0/8', except: [null] } })],
  ['an exception behind an empty one', fromPeer({ ipBlock: { cidr: '10.0.0.0/8', except: [null, 'web'] } })],
  ['an empty type', policy({ policyTypes: [null] })],
  ...['In', 'Exists'].map(
    (operator) =>
      [`${operator} of an empty value`, policy({ podSelector: { matchExpressions: [{ key: 'a', operator, values: [null] }] } })] as const,
  ),
  ['more types than there are', policy({ policyTypes: ['Ingress', 'Egress', 'Ingress'] })],
  ['a peer of nothing', fromPeer({})],
  ['a block beside a selector', fromPeer({ ipBlock: { cidr: '::/0' }, podSelector: {} })],
  ['both selectors', fromPeer({ namespaceSelector: {}, podSelector: {} })],
  ['no spec', policy(null)],
];

describeOnCluster('what the API server refuses to create', () => {
  let cluster: Cluster;
  beforeAll(() => {
    cluster = connectCluster();
  });
  afterAll(() => cluster?.close());

  /** As strict as kubectl asks it to be. */
  const statusOf = async (resource: string, object: RawObject): Promise<number> => {
    const path = `${pathOf('networking.k8s.io/v1', resource, 'default')}?dryRun=All&fieldValidation=Strict`;
    return (await cluster.request('POST', path, object)).status;
  };

  describe('an Ingress', () => {
    it.each(objects)('%s', async (_, object) => {
      expect(rejectionsOf(object).length > 0 ? 422 : 201).toBe(await statusOf('ingresses', object));
    });
  });

  describe('a NetworkPolicy', () => {
    it.each(policies)('%s', async (_, object) => {
      expect(rejectionsOf(object).length > 0 ? [400, 422] : [201]).toContain(await statusOf('networkpolicies', object));
    });

    it.each(blocksOfOld)('%s, since it is strict', async (block) => {
      expect(await statusOf('networkpolicies', toBlock(block))).toBe(422);
      expect(rejectionsOf(toBlock(block))).toEqual([]);
    });
  });
});
