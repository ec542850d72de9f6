/** What generated objects seldom meet, and objects that meet it: each rule finds something in one of them. */
import type { RawObject } from '../../src/kube/resources.ts';
import { complete } from '../support/objects.ts';

const workload = (name: string, namespace: string, labels: RawObject, container: RawObject): RawObject => ({
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: { replicas: 1, template: { metadata: { labels }, spec: { containers: [container] } } },
});
const service = (name: string, namespace: string, spec: RawObject): RawObject => ({ kind: 'Service', metadata: { name, namespace }, spec });
const certificate = (name: string, crt: string, key: string): RawObject => ({
  kind: 'Secret',
  metadata: { name, namespace: 'shop' },
  type: 'kubernetes.io/tls',
  stringData: { 'tls.crt': `<${crt}.crt>`, 'tls.key': `<${key}.key>` },
});
const ingress = (name: string, namespace: string, host: string, paths: readonly RawObject[]): RawObject => ({
  kind: 'Ingress',
  metadata: { name, namespace },
  spec: { ingressClassName: 'nginx', rules: [{ host, http: { paths } }] },
});
const to = (name: string, port: RawObject): RawObject => ({ path: `/${name}`, backend: { service: { name, port } } });
const policy = (name: string, spec: RawObject): RawObject => ({ kind: 'NetworkPolicy', metadata: { name, namespace: 'till' }, spec });

/** One selector for two workloads of which one lacks the port, odd certificates, and a resolver named as generated Services are. */
const amongOthers: readonly RawObject[] = [
  workload('front', 'shop', { app: 'web', part: 'front' }, { ports: [{ name: 'http', containerPort: 8080 }] }),
  workload('worker', 'shop', { app: 'web', part: 'worker' }, { ports: [{ name: 'grpc', containerPort: 9090 }] }),
  workload('names', 'kube-system', { app: 'names' }, { ports: [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 53 }] }),
  service('web', 'kube-system', {
    clusterIP: '10.96.0.11',
    selector: { app: 'names' },
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53 },
    ],
  }),
  { kind: 'IngressClass', metadata: { name: 'nginx' }, spec: { controller: 'k8s.io/ingress-nginx' } },
  workload(
    'ingress-nginx-controller',
    'ingress-nginx',
    { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' },
    {},
  ),
  ingress('front', 'rivals', 'shop.example', [{}]),
  certificate('db', 'expired', 'expired'),
  certificate('api', 'shop', 'other'),
  { ...certificate('wbe', 'shop', 'shop'), stringData: { 'tls.crt': 'none' } },
];

const onApp = { podSelector: { matchLabels: { app: 'app' } } };

/** In a namespace in which nothing stands by chance: connections that work, and one that a policy shuts. */
const apart: readonly RawObject[] = [
  { kind: 'Namespace', metadata: { name: 'till' } },
  workload('app', 'till', { app: 'app' }, { ports: [{ name: 'http', containerPort: 8080 }] }),
  service('app', 'till', { clusterIP: '10.96.0.20', selector: { app: 'app' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] }),
  ingress('app', 'till', 'till.example', [to('app', { name: 'http' })]),
  workload('asker', 'till', { app: 'asker' }, { env: [{ name: 'BACKEND', value: 'http://app:80/' }] }),
  workload('hook', 'till', { app: 'hook' }, { ports: [{ containerPort: 8443 }] }),
  service('hook', 'till', { clusterIP: '10.96.0.21', selector: { app: 'hook' }, ports: [{ port: 443, targetPort: 8443 }] }),
  {
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'hook' },
    webhooks: [
      {
        failurePolicy: 'Fail',
        clientConfig: { service: { namespace: 'till', name: 'hook' } },
        rules: [{ apiGroups: [''], resources: ['pods'] }],
      },
    ],
  },
  workload('shut', 'till', { app: 'shut' }, { ports: [{ containerPort: 8080 }] }),
  service('shut', 'till', { clusterIP: '10.96.0.22', selector: { app: 'shut' }, ports: [{ port: 80, targetPort: 8080 }] }),
  policy('shut', { podSelector: { matchLabels: { app: 'shut' } }, policyTypes: ['Ingress'], ingress: [{ from: [onApp] }] }),
  service('empty', 'till', { clusterIP: '10.96.0.23', selector: { app: 'nobody' }, ports: [{ port: 80 }] }),
  workload('names', 'till', { app: 'names' }, { ports: [{ containerPort: 53, protocol: 'UDP' }] }),
];

export const seldomMet: readonly RawObject[] = [...amongOthers, ...apart].map(complete);

/** Valid, and each wrong in several ways. */
export const meeting: readonly RawObject[] = [
  service('app', 'till', {
    type: 'NodePort',
    selector: { app: 'app' },
    internalTrafficPolicy: 'Local',
    externalTrafficPolicy: 'Local',
    ports: [
      { name: 'web', port: 80, targetPort: 8080 },
      { name: 'typo', port: 81, targetPort: 'htpt' },
    ],
  }),
  service('names', 'till', { selector: { app: 'names' }, ports: [{ port: 53 }] }),
  ingress('many', 'till', 'till.example', [
    to('app', { number: 8080 }),
    to('empty', { number: 80 }),
    to('shut', { number: 80 }),
    to('gone', { number: 80 }),
  ]),
  policy('deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
  policy('some', {
    podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['app', 'asker', 'hook'] }] },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ from: [onApp], ports: [{ port: 'http' }, { port: 'grpc' }] }],
    egress: [
      { to: [onApp], ports: [{ port: 80 }] },
      { to: [{ namespaceSelector: {} }], ports: [{ port: 53, protocol: 'UDP' }] },
    ],
  }),
  policy('shut-too', { podSelector: { matchLabels: { app: 'shut' } }, policyTypes: ['Ingress'], ingress: [{ from: [onApp] }] }),
].map(complete);
