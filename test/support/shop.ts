/** A small shop in one namespace, correct; tests break it one field at a time. */
import type { RawObject } from '../../src/kube/resources.ts';

const image = 'registry.invalid/web';

/** Three web servers that listen on `http`, 8080, under a name that is also their label `app`. */
export const labelled = (app: string): RawObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: app },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app } },
    template: {
      metadata: { labels: { app } },
      spec: { containers: [{ name: 'web', image, ports: [{ name: 'http', containerPort: 8080 }] }] },
    },
  },
});

export const deployment = labelled('web');

interface ServiceParts {
  readonly name?: string;
  readonly selector?: RawObject;
  readonly port?: RawObject;
  readonly spec?: RawObject;
  readonly metadata?: RawObject;
}

export const service = ({
  name = 'web',
  selector = { app: 'web' },
  port = {},
  spec = {},
  metadata = {},
}: ServiceParts = {}): RawObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, ...metadata },
  spec: { selector, ports: [{ name: 'http', port: 80, targetPort: 'http', ...port }], ...spec },
});

/** Opaque, since the API server itself warns of one of the TLS type without a real certificate in it. */
export const secret = (name: string): RawObject => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'Opaque' });

interface IngressParts {
  readonly name?: string;
  /** Two Ingresses of the cluster that claim one host are a finding, also where tests share the cluster. */
  readonly host?: string;
  readonly service?: string;
}

/** Leads to the Service. */
export const ingress = (
  secretName: string,
  { name = 'web', host = 'shop.example.com', service: backend = 'web' }: IngressParts = {},
): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name },
  spec: {
    tls: [{ hosts: [host], secretName }],
    rules: [
      {
        host,
        http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: backend, port: { name: 'http' } } } }] },
      },
    ],
  },
});

/** Lets the web servers send to each other and to nobody else, unless more rules are given. */
export const egressPolicy = (rules: readonly RawObject[] = []): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'web-egress' },
  spec: {
    podSelector: { matchLabels: { app: 'web' } },
    policyTypes: ['Egress'],
    egress: [{ to: [{ podSelector: { matchLabels: { app: 'web' } } }] }, ...rules],
  },
});

export const toDns: RawObject = {
  to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
};
