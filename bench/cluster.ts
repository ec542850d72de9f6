/** A cluster as files: 50 namespaces with 10,000 Pods of 330 workloads, their Services, Ingresses and policies. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const namespaces = 50;
export const pods = 10_000;
const podsPerWorkload = 30;

const labelsOf = (app: string) => ({ app, 'app.kubernetes.io/part-of': 'shop', 'pod-template-hash': '7c5d9f' });

const pod = (namespace: string, app: string, index: number) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `${app}-7c5d9f-${index}`, namespace, labels: labelsOf(app), ownerReferences: [{ kind: 'ReplicaSet', name: `${app}-7c5d9f`, controller: true }] },
  spec: {
    nodeName: `node-${index % 100}`,
    containers: [
      { name: app, image: `shop/${app}:1.0.0`, ports: [{ name: 'http', containerPort: 8080 }, { name: 'metrics', containerPort: 9100 }] },
    ],
  },
  status: { phase: 'Running', podIPs: [{ ip: `10.${index % 200}.${index % 250}.7` }], conditions: [{ type: 'Ready', status: 'True' }] },
});

const service = (namespace: string, app: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: app, namespace },
  spec: { selector: { app }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
});

const ingress = (namespace: string, app: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: app, namespace },
  spec: {
    rules: [
      {
        host: `${app}.${namespace}.example.com`,
        http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: app, port: { number: 80 } } } }] },
      },
    ],
  },
});

const allowDns = (namespace: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'allow-dns', namespace },
  spec: {
    podSelector: {},
    policyTypes: ['Egress'],
    egress: [{ ports: [{ protocol: 'UDP', port: 53 }, { protocol: 'TCP', port: 53 }] }],
  },
});

const namespaceNamed = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

/** Writes one file a namespace. `count` Pods in all; their workloads are spread over the namespaces evenly. */
export function writeCluster(directory: string, count: number): void {
  mkdirSync(directory, { recursive: true });
  for (let at = 0; at < namespaces; at++) {
    const name = `team-${at}`;
    const here = count / namespaces;
    const workloads = Math.ceil(here / podsPerWorkload);
    const apps = Array.from({ length: workloads }, (_, index) => `app-${index + 1}`);
    const objects = [
      namespaceNamed(name),
      allowDns(name),
      ...apps.flatMap((app) => [service(name, app), ingress(name, app)]),
      ...Array.from({ length: here }, (_, index) => pod(name, apps[index % workloads] as string, index)),
    ];
    writeFileSync(join(directory, `${name}.yaml`), objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  }
}
