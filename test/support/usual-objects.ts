/** What stands in generated clusters as it does in real ones. */
import type { RawObject } from '../../src/kube/resources.ts';

/** The cluster's DNS, as kubeadm sets it up. */
export const resolver: readonly RawObject[] = [
  { kind: 'Namespace', metadata: { name: 'kube-system' } },
  {
    kind: 'Service',
    metadata: { name: 'kube-dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
    spec: {
      clusterIP: '10.96.0.10',
      selector: { 'k8s-app': 'kube-dns' },
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53 },
      ],
    },
  },
  {
    kind: 'Deployment',
    metadata: { name: 'coredns', namespace: 'kube-system' },
    spec: {
      template: {
        metadata: { labels: { 'k8s-app': 'kube-dns' } },
        spec: { containers: [{ ports: [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 53 }] }] },
      },
    },
  },
];

/** The cache on each node, in some worlds. */
export const nodeCache: RawObject = {
  kind: 'DaemonSet',
  metadata: { name: 'node-local-dns', namespace: 'kube-system' },
  spec: {
    template: {
      metadata: { labels: { 'k8s-app': 'node-local-dns' } },
      spec: { hostNetwork: true, dnsPolicy: 'Default', containers: [{ args: ['-localip', '169.254.20.10,10.96.0.10'] }] },
    },
  },
};

/** A Service with Pods that listen on another port than it does, and a policy that lets everybody send to it. */
export const usual: readonly RawObject[] = [
  {
    kind: 'Deployment',
    metadata: { name: 'usual', namespace: 'shop' },
    spec: {
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] } },
    },
  },
  {
    kind: 'Service',
    metadata: { name: 'usual', namespace: 'shop' },
    spec: { clusterIP: '10.96.0.80', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  },
  {
    kind: 'NetworkPolicy',
    metadata: { name: 'usual', namespace: 'shop' },
    spec: {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ to: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ protocol: 'TCP', port: 80 }] }],
    },
  },
];
