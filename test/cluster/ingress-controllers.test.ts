/** What is known of controllers, where it decides over a denial: whether two Ingresses of one host and path meet for certain. */
import { expect, it } from 'vitest';
import { ingressControllers } from '../../src/cluster/ingress-controllers.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import type { Finding } from '../../src/engine/finding.ts';
import { isJudged } from '../../src/kube/collections.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { ingressHostPathConflict } from '../../src/rules/ingress-host-path-conflict.ts';

interface Marks {
  readonly annotations?: RawObject;
  readonly labels?: RawObject;
  readonly path?: RawObject;
  readonly createdAt?: string;
}

const ingress = (namespace: string, { annotations = {}, labels = {}, path = {}, createdAt }: Marks): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web', namespace, annotations, labels, ...(createdAt && { creationTimestamp: createdAt }) },
  spec: {
    ingressClassName: 'edge',
    rules: [
      {
        host: 'shop.example',
        http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } }, ...path }] },
      },
    ],
  },
});

/** What is found of two Ingresses of two namespaces, or of this one, each with its annotations. */
function foundOf(controller: string, mine: Marks, theirs: Marks, namespace = 'blog'): readonly Finding[] {
  const raws = [
    { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'edge' }, spec: { controller } },
    { ...ingress(namespace, theirs), metadata: { ...(ingress(namespace, theirs)['metadata'] as RawObject), name: 'theirs' } },
  ];
  const view = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(raws.flatMap((raw) => normalize(raw) ?? []));
  const object = normalize(ingress('shop', mine));
  if (object === undefined || !isJudged(object)) throw new Error('no Ingress');
  const rule = ingressHostPathConflict.configure();
  const { findings } = evaluate({ object, operation: 'WRITE', before: undefined }, view.with([object]), [rule], { tellsOfOthers: true });
  return findings;
}

const found = (controller: string, mine: Marks, theirs: Marks, namespace?: string): readonly string[] =>
  foundOf(controller, mine, theirs, namespace).map(({ messageId }) => messageId);

const nginx = 'k8s.io/ingress-nginx';
const traefik = 'traefik.io/ingress-controller';
const kong = 'ingress-controllers.konghq.com/kong';
const contour = 'projectcontour.io/ingress-controller';
const router = 'traefik.ingress.kubernetes.io/router';

it.each<[string, string, RawObject, RawObject, readonly string[]]>([
  ['ingress-nginx', nginx, {}, {}, ['takenElsewhere']],
  ['a canary', nginx, { 'nginx.ingress.kubernetes.io/canary': 'True' }, {}, []],
  ['no canary', nginx, { 'nginx.ingress.kubernetes.io/canary': 'false' }, {}, ['takenElsewhere']],
  ['F5 NGINX', 'nginx.org/ingress-controller', {}, {}, ['takenElsewhere']],
  ['a minion', 'nginx.org/ingress-controller', { 'nginx.org/mergeable-ingress-type': 'minion' }, {}, []],
  ['Traefik', traefik, {}, {}, ['takenElsewhere']],
  ['other entry points', traefik, { [`${router}.entrypoints`]: 'web' }, { [`${router}.entrypoints`]: 'websecure' }, []],
  ['the same entry point', traefik, { [`${router}.entrypoints`]: 'web' }, { [`${router}.entrypoints`]: 'web' }, ['takenElsewhere']],
  ['one over TLS alone', traefik, { [`${router}.tls`]: 'true' }, {}, ['mayBeTaken']],
  ['another priority, which takes all', traefik, { [`${router}.priority`]: '42' }, {}, ['mayBeTaken']],
  ['other middlewares, which choose nothing', traefik, { [`${router}.middlewares`]: 'shop-auth@kubernetescrd' }, {}, ['takenElsewhere']],
  ['Kong, which may tell them apart by headers', kong, {}, {}, ['mayBeTaken']],
  ['by a header', kong, { 'konghq.com/headers.x-v': '1' }, { 'konghq.com/headers.x-v': '2' }, ['mayBeTaken']],
  ['by a method', kong, { 'konghq.com/methods': 'GET' }, { 'konghq.com/methods': 'POST' }, []],
  ['HAProxy, which may by an annotation of a Service', 'haproxy.org/ingress-controller', {}, {}, ['mayBeTaken']],
  ['HAProxy Ingress, likewise', 'haproxy-ingress.github.io/controller', {}, {}, ['mayBeTaken']],
  [
    'by a header there',
    'haproxy-ingress.github.io/controller',
    { 'haproxy-ingress.github.io/http-header-match': 'X-Env: a' },
    { 'haproxy-ingress.github.io/http-header-match': 'X-Env: b' },
    [],
  ],
  ['Contour', contour, {}, {}, ['takenElsewhere']],
  ['one over TLS alone there', contour, { 'kubernetes.io/ingress.allow-http': 'false' }, {}, ['mayBeTaken']],
  ['of another class there', contour, { 'projectcontour.io/ingress.class': 'internal' }, { 'projectcontour.io/ingress.class': 'edge' }, []],
  ['Istio', 'istio.io/ingress-controller', {}, {}, ['takenElsewhere']],
  ['Application Gateway, which listens to each protocol apart', 'azure/application-gateway', {}, {}, ['mayBeTaken']],
  [
    'another port there',
    'azure/application-gateway',
    { 'appgw.ingress.kubernetes.io/override-frontend-port': '8080' },
    { 'appgw.ingress.kubernetes.io/override-frontend-port': '80' },
    [],
  ],
  ['routers of OpenShift, of which there may be shards', 'openshift.io/ingress-to-route', {}, {}, ['mayBeTaken']],
  ['a load balancer for each', 'ingress.k8s.aws/alb', {}, {}, []],
  ['Cilium, shared or for each', 'cilium.io/ingress-controller', {}, {}, ['mayBeTaken']],
  ['an address of its own there', 'cilium.io/ingress-controller', { 'ingress.cilium.io/loadbalancer-mode': 'dedicated' }, {}, []],
  ['a controller that nobody knows', 'example.com/edge', {}, {}, ['mayBeTaken']],
])('%s', (_, controller, mine, theirs, messages) => {
  expect(found(controller, { annotations: mine }, { annotations: theirs })).toEqual(messages);
  expect(found(controller, { annotations: theirs }, { annotations: mine })).toEqual(messages);
});

const unknown = 'example.com/edge';
/** What one writer alone can add, where nothing listens to it. */
it.each<[string, Marks]>([
  ['a minion of F5 NGINX', { annotations: { 'nginx.org/mergeable-ingress-type': 'minion' } }],
  ['a group of the AWS controller', { annotations: { 'alb.ingress.kubernetes.io/group.name': 'g' } }],
  ['a method of Kong', { annotations: { 'konghq.com/methods': 'GET' } }],
  ['an entry point of Traefik', { annotations: { [`${router}.entrypoints`]: 'web' } }],
  ['an address of Cilium', { annotations: { 'ingress.cilium.io/loadbalancer-mode': 'dedicated' } }],
  ["cert-manager's label, at another path", { labels: { 'acme.cert-manager.io/http01-solver': 'true' } }],
  ['ImplementationSpecific, which is Prefix there', { path: { pathType: 'ImplementationSpecific' } }],
])('denies a takeover with an irrelevant mark: %s', (_, mark) => {
  expect(found(nginx, mark, {})).toEqual(['takenElsewhere']);
  expect(found(nginx, {}, mark)).toEqual(['takenElsewhere']);
});

it('is warned of by no mark of anybody, where the controller is not known', () => {
  for (const key of ['nginx.org/mergeable-ingress-type', 'konghq.com/methods', 'nginx.ingress.kubernetes.io/canary']) {
    const mark = { annotations: { [key]: 'true' } };
    expect(found(unknown, mark, {})).toEqual(['mayBeTaken']);
    expect(found(unknown, mark, mark)).toEqual(['mayBeTaken']);
    const elsewhere = { path: { backend: { service: { name: 'next', port: { number: 80 } } } } };
    expect(found(unknown, mark, elsewhere, 'shop')).toEqual([]);
    expect(found(unknown, {}, elsewhere, 'shop')).toEqual(['mayBeTaken']);
  }
});

it('takes values that overlap for no separation', () => {
  const [web, both] = ['web', 'websecure, web'].map((value) => ({ annotations: { [`${router}.entrypoints`]: value } }));
  expect(found(traefik, web ?? {}, both ?? {})).toEqual(['mayBeTaken']);
});

it.each([
  ['k8s.io/ingress-nginx', ['takenElsewhere']],
  ['nginx.org/ingress-controller', ['takenElsewhere']],
  ['traefik.io/ingress-controller', ['takenElsewhere']],
  ['projectcontour.io/ingress-controller', ['takenElsewhere']],
  ['istio.io/ingress-controller', []],
  [unknown, []],
])('reads the type ImplementationSpecific as %s does', (controller, messages) => {
  const own = { pathType: 'ImplementationSpecific' };
  expect(found(controller, { path: { ...own, path: '/api/' } }, { path: { path: '/api' } })).toEqual(messages);
  expect(found(controller, { path: { ...own, path: '/api' } }, { path: { path: '/api', pathType: 'Exact' } })).toEqual([]);
});

it('leaves the challenges of cert-manager alone', () => {
  const solver = { labels: { 'acme.cert-manager.io/http01-solver': 'true' }, path: { path: '/.well-known/acme-challenge/x' } };
  expect(found(nginx, solver, solver)).toEqual([]);
  expect(found(nginx, { path: solver.path }, { path: solver.path })).toEqual(['takenElsewhere']);
});

it.each([
  ['2026-11-21T19:00:00Z', '2025-03-01T08:00:00Z', 'the older, in ingress-nginx, which is Ingress blog/theirs of 2025-03-01'],
  [undefined, '2025-03-01T08:00:00Z', 'the older, in ingress-nginx, which is Ingress blog/theirs of 2025-03-01'],
  ['2025-03-01T08:00:00Z', '2026-11-21T19:00:00Z', 'the older, in ingress-nginx, which is this one'],
  [undefined, undefined, 'the older, in ingress-nginx'],
])('says who wins, where that is known: %s against %s', (mine, theirs, text) => {
  const of = (createdAt: string | undefined): Marks => (createdAt === undefined ? {} : { createdAt });
  expect(foundOf(nginx, of(mine), of(theirs))[0]?.why).toBe(`One of the two takes the other's requests: ${text}.`);
  expect(foundOf(traefik, of(mine), of(theirs))[0]?.why).toContain('only the controller knows');
});

it('says of each controller under which two are denied where that was looked up', () => {
  const certain = ingressControllers.filter(({ addresses }) => addresses === 'one');
  expect(certain.length).toBeGreaterThan(3);
  for (const { title, claimsSource } of certain) expect(claimsSource, title).toMatch(/^https:/);
});
