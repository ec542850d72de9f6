/** What is known of controllers, where it decides over a denial: whether two Ingresses of one host and path meet for certain. */
import { expect, it } from 'vitest';
import { ingressControllers } from '../../src/cluster/ingress-controllers.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import { isJudged } from '../../src/kube/collections.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { ingressHostPathConflict } from '../../src/rules/ingress-host-path-conflict.ts';

const ingress = (namespace: string, annotations: RawObject): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web', namespace, annotations },
  spec: {
    ingressClassName: 'edge',
    rules: [
      {
        host: 'shop.example',
        http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] },
      },
    ],
  },
});

/** What is found of two Ingresses of two namespaces, each with its annotations. */
function found(controller: string, mine: RawObject = {}, theirs: RawObject = {}): readonly string[] {
  const raws = [
    { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'edge' }, spec: { controller } },
    ingress('blog', theirs),
  ];
  const view = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(raws.flatMap((raw) => normalize(raw) ?? []));
  const object = normalize(ingress('shop', mine));
  if (object === undefined || !isJudged(object)) throw new Error('no Ingress');
  const rule = ingressHostPathConflict.configure();
  const { findings } = evaluate({ object, operation: 'WRITE', before: undefined }, view.with([object]), [rule], { tellsOfOthers: true });
  return findings.map(({ messageId }) => messageId);
}

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
  ['one over TLS alone', traefik, { [`${router}.tls`]: 'true' }, {}, []],
  ['another priority', traefik, { [`${router}.priority`]: '42' }, {}, []],
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
  ['one over TLS alone there', contour, { 'kubernetes.io/ingress.allow-http': 'false' }, {}, []],
  ['of another class there', contour, { 'projectcontour.io/ingress.class': 'internal' }, {}, []],
  ['Istio', 'istio.io/ingress-controller', {}, {}, ['takenElsewhere']],
  ['Application Gateway, which listens to each protocol apart', 'azure/application-gateway', {}, {}, ['mayBeTaken']],
  ['another port there', 'azure/application-gateway', { 'appgw.ingress.kubernetes.io/override-frontend-port': '8080' }, {}, []],
  ['routers of OpenShift, of which there may be shards', 'openshift.io/ingress-to-route', {}, {}, ['mayBeTaken']],
  ['a load balancer for each', 'ingress.k8s.aws/alb', {}, {}, []],
  ['Cilium, shared or for each', 'cilium.io/ingress-controller', {}, {}, ['mayBeTaken']],
  ['a controller that nobody knows', 'example.com/edge', {}, {}, ['mayBeTaken']],
])('%s', (_, controller, mine, theirs, messages) => {
  expect(found(controller, mine, theirs)).toEqual(messages);
  expect(found(controller, theirs, mine)).toEqual(messages);
});

it('says of each controller under which two are denied where that was looked up', () => {
  const certain = ingressControllers.filter(({ addresses }) => addresses === 'one');
  expect(certain.length).toBeGreaterThan(3);
  for (const { title, claimsSource } of certain) expect(claimsSource, title).toMatch(/^https:/);
});
