/** A world in which one text stands wherever a person could write it. */
import type { RawObject } from '../../src/kube/resources.ts';

const dns: readonly RawObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kube-dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
    spec: { clusterIP: '10.96.0.10', selector: { 'k8s-app': 'kube-dns' }, ports: [{ port: 53, protocol: 'UDP' }] },
  },
];

const podSpec = (text: string) => ({
  containers: [
    {
      name: text,
      image: text,
      ports: [
        { name: text, containerPort: 80 },
        { name: `${text}x`, containerPort: 81 },
      ],
    },
  ],
});

/** Objects with the text wherever a person could write it, in a namespace of that name, and broken in every way. */
export function objectsWith(text: string, namespace = text): readonly RawObject[] {
  const annotations = {
    'exempt.portcullis.dev/service-selector-matches-no-pods': text,
    'exempt.portcullis.dev/tls-secret-missing': `moving until ${text}`,
    'exempt.portcullis.dev/network-policy-isolates-dns': `${text} until 2000-01-01`,
    [`exempt.portcullis.dev/${text}`]: text,
    [text]: text,
  };
  const metadata = { name: text, namespace, labels: { app: text, [text]: text }, annotations };
  const port = (more: RawObject): RawObject => ({ name: text, port: 80, ...more });
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { type: 'NodePort', selector: { app: `${text}y`, [text]: text }, ports: [port({ targetPort: text, nodePort: 30_001 })] },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, name: `${text}-2` },
      spec: { selector: { app: text }, ports: [port({ targetPort: `${text}z` }), port({ targetPort: 8080, protocol: text })] },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata,
      spec: {
        ingressClassName: text,
        tls: [{ hosts: [text], secretName: text }],
        rules: [
          { host: text, http: { paths: [{ path: text, pathType: text, backend: { service: { name: text, port: { name: text } } } }] } },
        ],
      },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata,
      spec: {
        podSelector: { matchLabels: { app: text } },
        policyTypes: ['Egress', text],
        egress: [{ to: [{ podSelector: { matchLabels: { [text]: text } } }], ports: [{ port: text, protocol: text }] }],
      },
    },
  ];
}

/** What there is beside them. */
export const worldOf = (text: string, namespace = text): readonly RawObject[] => [
  ...dns,
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { 'portcullis.dev/profile': text, [text]: text } } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: text, namespace },
    spec: { replicas: 1, template: { metadata: { labels: { app: text } }, spec: podSpec(text) } },
  },
];
