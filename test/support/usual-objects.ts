/** What stands in generated clusters as it does in real ones. */
import type { RawObject } from '../../src/kube/resources.ts';

/** The Service of the cluster's DNS, as kubeadm makes it. */
export const dnsService: RawObject = {
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
};

/** The cluster's DNS, as kubeadm sets it up. */
export const resolver: readonly RawObject[] = [
  { kind: 'Namespace', metadata: { name: 'kube-system' } },
  dnsService,
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

/** What leads to the API server, which keeps it itself. */
export const apiServer: RawObject = {
  kind: 'Service',
  metadata: { name: 'kubernetes', namespace: 'default' },
  spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, targetPort: 6443 }] },
};

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

/** A network plugin that enforces nothing, and one that does not understand all, each in some worlds. */
export const flannel = networkPlugin('kube-flannel-ds', 'ghcr.io/flannel-io/flannel:v0.28.11');
export const ovnKubernetes = networkPlugin('ovnkube-node', 'registry.example/ovn-kube-ubuntu:1.2.0');

function networkPlugin(name: string, image: string): RawObject {
  return {
    kind: 'DaemonSet',
    metadata: { name, namespace: 'kube-system' },
    spec: { template: { metadata: { labels: { app: name } }, spec: { hostNetwork: true, dnsPolicy: 'Default', containers: [{ image }] } } },
  };
}

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

/** A workload that is told of a Service, an Ingress controller, and the Pods behind both, which a policy opens to the former; in some worlds. */
export const dependent: readonly RawObject[] = [
  {
    kind: 'Deployment',
    metadata: { name: 'asker', namespace: 'shop' },
    spec: {
      template: {
        metadata: { labels: { app: 'asker' } },
        spec: {
          containers: [
            {
              env: [
                { name: 'BACKEND', value: 'http://asked:80/' },
                { name: 'OTHER', value: 'http://told.hidden-one:80/' },
              ],
            },
          ],
        },
      },
    },
  },
  { kind: 'Deployment', metadata: { name: 'asked', namespace: 'shop' }, spec: { template: { metadata: { labels: { app: 'web' } } } } },
  {
    kind: 'Service',
    metadata: { name: 'asked', namespace: 'shop' },
    spec: { clusterIP: '10.96.0.81', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  },
  {
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { clusterIP: '10.96.0.82', selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  },
  { kind: 'IngressClass', metadata: { name: 'nginx' }, spec: { controller: 'k8s.io/ingress-nginx' } },
  {
    kind: 'Deployment',
    metadata: { name: 'ingress-nginx-controller', namespace: 'ingress-nginx' },
    spec: {
      template: { metadata: { labels: { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' } } },
    },
  },
  {
    kind: 'NetworkPolicy',
    metadata: { name: 'asked', namespace: 'shop' },
    spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] },
  },
];

/** The other ends of what `dependent` are told of, and who is told of them, in a namespace that its readers may not know. */
export const dependentElsewhere: readonly RawObject[] = [
  {
    kind: 'StatefulSet',
    metadata: { name: 'told', namespace: 'hidden-one' },
    spec: {
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ env: [{ name: 'BACKEND', value: 'http://asked.shop:80/' }] }] },
      },
    },
  },
  {
    kind: 'Service',
    metadata: { name: 'told', namespace: 'hidden-one' },
    spec: { clusterIP: '10.96.0.83', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  },
];
