/** The DNS resolver of this cluster: the Service that Pods ask, the Pods behind it, and the ports on which those listen. */
import { formatLabels } from '../kube/labels.ts';
import { targetPortIn } from '../kube/ports.ts';
import type { LabelSelector, Labels, Service, Workload } from '../kube/resources.ts';
import { NotKnown } from './recording.ts';
import type { Destination, PortOfPod } from './traffic/flow.ts';
import type { ClusterView } from './view.ts';

/** Which Service is the resolver, where the configuration says so. */
export interface ResolverName {
  readonly namespace: string;
  readonly name: string;
}

/** What the configuration says of it. */
export interface DnsSettings {
  readonly resolver?: ResolverName | undefined;
  /** At which something on each node answers that is not to be seen in the cluster. */
  readonly dnsNodeAddresses?: readonly string[] | undefined;
}

/** Where the resolver lives: upstream and nearly everybody in kube-system, OpenShift in openshift-dns. */
const usualNamespaces: readonly string[] = ['kube-system', 'openshift-dns'];
/**
 * Names of the Service, the likeliest first; another one counts by its labels: `k8s-app: kube-dns` (rules.md D.5, 44), or
 * those that the chart of CoreDNS gives it as the cluster's (templates/service.yaml). NodeLocal DNSCache adds
 * `kube-dns-upstream` with the first one, which only its own agents ask.
 */
const usualNames: readonly string[] = ['kube-dns', 'dns-default', 'rke2-coredns-rke2-coredns', 'coredns'];

export interface Resolver {
  readonly service: Service;
  /** What answers DNS, at its port behind the Service's translation: a Pod or template for each protocol that it serves. */
  readonly destinations: readonly Destination[];
  /** Ports on the Pods, UDP first: the ones that policies are about. */
  readonly ports: readonly PortOfPod[];
  /**
   * Agents of NodeLocal DNSCache, which answer on each node under an address of its host or the Service's. Which of the
   * two a Pod reaches, and whether policies see it, is the plugin's affair.
   */
  readonly nodeAgents: readonly Destination[];
  /**
   * The addresses of the node on which those answer, as far as they or the configuration say it. None of agents off the host's network,
   * to which a plugin leads what is meant for the Service (a local redirect of Cilium's).
   */
  readonly nodeAddresses: readonly string[];
}

/** `Service kube-system/kube-dns (Pods k8s-app=kube-dns, 53/UDP)`. */
export function formatResolver({ service: { metadata, spec }, ports }: Resolver): string {
  const udp = ports.filter(isUdp).map(({ port }) => `${port}/UDP`);
  return `Service ${metadata.namespace}/${metadata.name} (Pods ${formatLabels(spec.selector)}, ${udp.join(', ')})`;
}

/** Whether a resolver may live in this namespace. */
export const mayHoldResolver = (namespace: string, named?: ResolverName): boolean =>
  named === undefined ? usualNamespaces.includes(namespace) : named.namespace === namespace;

/** Whether a Service of this name, where it serves DNS, is the resolver whatever other Services there are. */
export const ranksFirst = (name: string, named: ResolverName | undefined): boolean => named !== undefined || name === usualNames[0];

/** The cluster's resolver, or undefined where no Service is known for one. */
export function findResolver(view: ClusterView, named?: ResolverName, nodeAddresses: readonly string[] = []): Resolver | undefined {
  const namespaces = named === undefined ? usualNamespaces : [named.namespace];
  // One that is found will do, since no cluster has two: files of OpenShift hold nothing of kube-system.
  const known = namespaces.values().filter((namespace) => view.coverage('Service', namespace) === 'complete');
  const service = firstServiceIn(view, known, named) ?? firstServiceIn(view, namespaces, named);
  return service && resolverBehind(view, service, nodeAddresses);
}

function firstServiceIn(view: ClusterView, namespaces: Iterable<string>, named: ResolverName | undefined): Service | undefined {
  for (const namespace of namespaces) {
    const candidates = view.list('Service', namespace).filter((service) => servesDns(service) && isCalled(service, named));
    const service = candidates.toSorted((a, b) => rankOf(a) - rankOf(b))[0];
    if (service !== undefined) return service;
  }
  return undefined;
}

/** The resolver; ends a rule where none is found, or nothing is known behind its Service: absence proves nothing here. */
export function resolverOf(view: ClusterView, { resolver: named, dnsNodeAddresses }: DnsSettings = {}): Resolver {
  const resolver = findResolver(view, named, dnsNodeAddresses);
  if (resolver === undefined) throw new NotKnown('Service', named?.namespace ?? (usualNamespaces[0] as string), 'notGiven');
  if (!resolver.destinations.some(isUdp)) throw new NotKnown('Pod', resolver.service.metadata.namespace, 'notGiven');
  return resolver;
}

export const isUdp = ({ protocol }: PortOfPod): boolean => protocol === 'UDP';

const servesDns = ({ spec }: Service): boolean =>
  spec.type !== 'ExternalName' &&
  spec.ports.some(({ port, protocol }) => port === 53 && protocol === 'UDP') &&
  Object.keys(spec.selector).length > 0;

const isCalled = ({ metadata }: Service, named: ResolverName | undefined): boolean =>
  named === undefined ? isLabelled(metadata.labels) || usualNames.includes(metadata.name) : metadata.name === named.name;

const isLabelled = (labels: Labels): boolean =>
  labels['k8s-app'] === 'kube-dns' ||
  (labels['kubernetes.io/cluster-service'] === 'true' && labels['kubernetes.io/name']?.toLowerCase() === 'coredns');

const rankOf = ({ metadata }: Service): number =>
  usualNames.includes(metadata.name) ? usualNames.indexOf(metadata.name) : usualNames.length;

function resolverBehind(view: ClusterView, service: Service, configured: readonly string[]): Resolver {
  const { namespace } = service.metadata;
  const selected = view.workloadsSelectedBy(service.spec.selector, namespace);
  // A template says nothing that its Pods do not say better: those have addresses.
  const live = selected.filter(({ kind }) => kind === 'Pod');
  const workloads = live.length > 0 ? live : selected;
  const destinations = workloads.flatMap((workload) => destinationsIn(workload, service));
  const agents = view.list('Template', namespace).filter(isNodeAgent);
  return {
    service,
    destinations,
    ports: distinct(destinations),
    nodeAgents: agents.map((workload) => ({ workload, protocol: 'UDP', port: 53, serviceAddresses: workload.pod.localAddresses })),
    nodeAddresses: [...new Set([...configured, ...agents.flatMap(({ pod }) => (pod.hostNetwork ? (pod.localAddresses ?? []) : []))])],
  };
}

/** Installers call it `node-local-dns`, `nodelocaldns` and otherwise; what it is started with tells. */
const isNodeAgent = ({ kind, pod }: Workload): boolean =>
  kind === 'DaemonSet' && (pod.localAddresses !== undefined || pod.labels['k8s-app'] === 'node-local-dns');

/**
 * Whether these are the labels by which policies allow the cache on the nodes, be there one or not: those of
 * kubernetes/cluster/addons/dns/nodelocaldns, and Kubespray's.
 */
export const selectsNodeCache = ({ matchLabels }: LabelSelector): boolean =>
  ['node-local-dns', 'nodelocaldns'].includes(matchLabels['k8s-app'] ?? '');

const destinationsIn = (workload: Workload, { spec }: Service): readonly Destination[] =>
  spec.ports.flatMap((servicePort) => {
    const port = servicePort.port === 53 ? targetPortIn(workload.pod, servicePort) : undefined;
    return port === undefined ? [] : [{ workload, protocol: servicePort.protocol, port, serviceAddresses: addressesOf(spec.clusterIPs) }];
  });

/** None of a headless Service; not known of one that has none yet, as in a file. */
export const addressesOf = (clusterIPs: readonly string[]): readonly string[] | undefined =>
  clusterIPs.length === 0 ? undefined : clusterIPs.filter((address) => address !== 'None');

function distinct(destinations: readonly Destination[]): readonly PortOfPod[] {
  const ports = new Map(destinations.map(({ protocol, port }) => [`${protocol}/${port}`, { protocol, port }]));
  return [...ports.values()].sort((a, b) => (a.protocol === b.protocol ? a.port - b.port : a.protocol > b.protocol ? -1 : 1));
}

/**
 * Whether such Pods ask the cluster's resolver at all (kubelet pkg/kubelet/network/dns: getPodDNSType). One on the host's
 * network with ClusterFirst is given the node's resolver.
 */
export function asksResolver({ pod }: Workload, { service, nodeAgents, nodeAddresses }: Resolver): boolean {
  if (pod.dnsPolicy === 'ClusterFirstWithHostNet') return true;
  if (pod.dnsPolicy === 'ClusterFirst') return !pod.hostNetwork;
  const ofAgents = nodeAgents.flatMap(({ serviceAddresses }) => serviceAddresses ?? []);
  const addresses = [...service.spec.clusterIPs, ...nodeAddresses, ...ofAgents];
  return pod.dnsPolicy === 'None' && pod.nameservers.some((address) => addresses.includes(address));
}

/** Where each node has a DNS cache, or may have, Pods can be let to it by the resolver's address alone (rules.md D.5, 45). */
export const mayEndOnNode = ({ service, nodeAgents, nodeAddresses }: Resolver, cluster: ClusterView): boolean =>
  cluster.coverage('Template', service.metadata.namespace) !== 'complete' || nodeAgents.length + nodeAddresses.length > 0;
