/** A cluster: 50 namespaces with 10,000 Pods of 350 workloads, their Services and Ingresses, and a policy each. */
import type { FakeObject } from '../test/support/fake-api-server.ts';

const namespaces = 50;
export const pods = 10_000;
const podsPerWorkload = 30;

const labelsOf = (app: string) => ({ app, 'app.kubernetes.io/part-of': 'shop', 'pod-template-hash': '7c5d9f' });

const names = Array.from({ length: 25 }, (_, index) => `SETTING_NUMBER_${index}`);
/** What makes Pods large and no rule reads: with it, one is 5 kB as JSON. */
const env = names.map((name) => ({ name, value: `value-of-${name.toLowerCase()}` }));
const managedFields = [
  {
    manager: 'kube-controller-manager',
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-11-20T10:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:spec': { 'f:env': Object.fromEntries(names.map((name) => [`k:{"name":"${name}"}`, { '.': {}, 'f:name': {}, 'f:value': {} }])) },
    },
  },
];

const pod = (namespace: string, app: string, index: number): FakeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `${app}-7c5d9f-${index}`,
    namespace,
    labels: labelsOf(app),
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${app}-7c5d9f`, controller: true }],
    managedFields,
  },
  spec: {
    nodeName: `node-${index % 100}`,
    containers: [
      {
        name: app,
        image: `shop/${app}:1.0.0`,
        env,
        ports: [
          { name: 'http', containerPort: 8080 },
          { name: 'metrics', containerPort: 9100 },
        ],
      },
    ],
  },
  status: { phase: 'Running', podIPs: [{ ip: `10.${index % 200}.${index % 250}.7` }], conditions: [{ type: 'Ready', status: 'True' }] },
});

/** As the API server keeps what rules judge. */
const stored = (name: string, namespace: string, kind: string) => ({
  name,
  namespace,
  uid: `${kind}-${namespace}-${name}`,
  creationTimestamp: '2026-11-20T10:00:00Z',
});

const service = (namespace: string, app: string, targetPort: string): FakeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: stored(app, namespace, 'service'),
  spec: { selector: { app }, ports: [{ name: 'http', port: 80, targetPort }] },
});

const ingress = (namespace: string, app: string): FakeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: stored(app, namespace, 'ingress'),
  spec: {
    rules: [
      {
        host: `${app}.${namespace}.example.com`,
        http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: app, port: { number: 80 } } } }] },
      },
    ],
  },
});

const allowDns = (namespace: string): FakeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: stored('allow-dns', namespace, 'policy'),
  spec: {
    podSelector: {},
    policyTypes: ['Egress'],
    egress: [
      {
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      },
    ],
  },
});

const namespaceNamed = (name: string): FakeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

/**
 * `count` Pods in all; they and their workloads are spread over the namespaces evenly. Of each so many Services, one leads to
 * a port that no Pod has.
 */
export function* clusterObjects(count: number, perWorkload = podsPerWorkload, brokenEvery = 0): Generator<FakeObject> {
  for (let at = 0; at < namespaces; at++) {
    const name = `team-${at}`;
    const here = count / namespaces;
    const apps = Array.from({ length: Math.ceil(here / perWorkload) }, (_, index) => `app-${index + 1}`);
    yield namespaceNamed(name);
    yield allowDns(name);
    for (const [index, app] of apps.entries()) {
      yield service(name, app, brokenEvery > 0 && index % brokenEvery === 0 ? 'htpp' : 'http');
      yield ingress(name, app);
    }
    for (let index = 0; index < here; index++) yield pod(name, apps[index % apps.length] as string, index);
  }
}
