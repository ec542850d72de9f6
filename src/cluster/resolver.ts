/** The DNS resolver of this cluster: the Service that Pods ask, the Pods behind it, and the ports on which those listen. */
import { targetPortIn } from '../kube/ports.ts';
import type { Protocol, Service, Workload } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

/** Where the resolver lives: upstream and nearly everybody in kube-system, OpenShift in openshift-dns. */
const resolverNamespaces = ['kube-system', 'openshift-dns'] as const;
/** Names of the Service where it lacks the label `k8s-app: kube-dns` (rules.md D.5, 44). */
const resolverNames: ReadonlySet<string> = new Set(['kube-dns', 'coredns', 'dns-default', 'rke2-coredns-rke2-coredns']);

export interface Resolver {
  readonly service: Service;
  readonly workloads: readonly Workload[];
  /** Ports on the Pods, after the Service's translation: the ones that policies are about. */
  readonly ports: readonly { readonly protocol: Protocol; readonly port: number }[];
  /** A DNS cache on each node stands between (NodeLocal DNSCache): Pods ask a node address, not the resolver's Pods. */
  readonly nodeLocal: boolean;
}

/** The cluster's resolver, or undefined where no Service is known for one. */
export function findResolver(view: ClusterView): Resolver | undefined {
  for (const namespace of resolverNamespaces) {
    const service = view.list('Service', namespace).find(isResolver);
    if (service === undefined) continue;
    const workloads = view.workloadsSelectedBy(service.spec.selector, namespace);
    const nodeLocal = view
      .list('Template', namespace)
      .some(({ kind, pod }) => kind === 'DaemonSet' && pod.labels['k8s-app'] === 'node-local-dns');
    return { service, workloads, ports: portsOf(service, workloads), nodeLocal };
  }
  return undefined;
}

const isResolver = ({ metadata, spec }: Service): boolean =>
  (metadata.labels['k8s-app'] === 'kube-dns' || resolverNames.has(metadata.name)) &&
  spec.ports.some(({ port, protocol }) => port === 53 && protocol === 'UDP') &&
  Object.keys(spec.selector).length > 0;

function portsOf({ spec }: Service, workloads: readonly Workload[]): Resolver['ports'] {
  const found = new Map<string, { protocol: Protocol; port: number }>();
  for (const servicePort of spec.ports.filter(({ port }) => port === 53))
    for (const { pod } of workloads) {
      const port = targetPortIn(pod, servicePort);
      if (port !== undefined) found.set(`${servicePort.protocol}/${port}`, { protocol: servicePort.protocol, port });
    }
  return [...found.values()].sort((a, b) => (a.protocol === b.protocol ? a.port - b.port : a.protocol > b.protocol ? -1 : 1)); // UDP first
}

/** Whether such Pods ask the cluster's resolver at all (kubelet pkg/kubelet/network/dns: getPodDNSType). */
export function asksResolver({ pod }: Workload, { service }: Resolver): boolean {
  if (pod.dnsPolicy === 'ClusterFirstWithHostNet') return true;
  if (pod.dnsPolicy === 'ClusterFirst') return !pod.hostNetwork;
  return pod.dnsPolicy === 'None' && pod.nameservers.some((address) => service.spec.clusterIPs.includes(address));
}
