/**
 * The API server as policies see it: an address, since it runs on nodes or outside the cluster; in some clusters Pods on their
 * host's network, or Pods that carry its connections. Read on 2026-11-21.
 */
import { labelsOf } from '../../kube/labels.ts';
import type { LabelSelector, Labels } from '../../kube/resources.ts';
import type { Openers, PlacedOpener } from '../openness.ts';
import type { Outside, PortOfPod } from '../traffic/flow.ts';
import { peersHold } from '../traffic/peers.ts';
import type { ClusterView } from '../view.ts';

/** Nothing but its ports can be asked about: which address it is, no object tells. */
export const unknownAddress: Outside = { address: '' };

/**
 * The ports on which the API server answers Pods: that of its Service, and the one behind it, since plugins judge one or the other.
 * It writes the true one there itself (pkg/controlplane/controller/kubernetesservice). None where the Service is not known.
 */
export function apiServerPorts(view: ClusterView): readonly PortOfPod[] {
  // Every cluster has it and hardly any set of files, from which nothing is concluded then.
  if (view.coverage('Service', 'default') !== 'complete') return [];
  const ports = view.get('Service', 'default', 'kubernetes')?.spec.ports ?? [];
  const numbers = ports.flatMap(({ port, targetPort }) => (typeof targetPort === 'number' ? [port, targetPort] : [port]));
  return [...new Set(numbers)].map((port) => ({ protocol: 'TCP', port }));
}

interface PodsSomewhere {
  readonly namespace: string;
  readonly labels: Labels;
}

const podsOf = (namespace: string, labels: Labels): PodsSomewhere => ({ namespace, labels: labelsOf(labels) });

/** Who speaks for the API server, where that is a Pod. */
const speakers: readonly PodsSomewhere[] = [
  // kubeadm, cmd/kubeadm/app/phases/controlplane/manifests.go; its static Pods are on the host's network.
  podsOf('kube-system', { component: 'kube-apiserver' }),
  // openshift/cluster-kube-apiserver-operator, bindata/assets/kube-apiserver/pod.yaml; so are these.
  podsOf('openshift-kube-apiserver', { app: 'openshift-kube-apiserver' }),
  // kubernetes.io/docs/tasks/extend-kubernetes/setup-konnectivity: it carries what the API server sends into the cluster; so on GKE.
  podsOf('kube-system', { 'k8s-app': 'konnectivity-agent' }),
  // The same as AKS and HyperShift label it.
  podsOf('kube-system', { app: 'konnectivity-agent' }),
  // gardener/gardener, pkg/component/networking/vpn/shoot: a tunnel of its own kind.
  podsOf('kube-system', { app: 'vpn-shoot' }),
];

/** OVN-Kubernetes takes namespaces with this label for the hosts' network (docs.openshift.com, network policy). */
const hostNetworkLabel = 'policy-group.network.openshift.io/host-network';

/** Whether one of these peers may hold the API server; false only where certainly none does. Any block may hold its address. */
export const mayBeApiServer = (view: ClusterView, openers: Openers): boolean =>
  openers === 'anybody' ||
  openers.some(({ peer }) => peer.ipBlock !== undefined || asksForHosts(peer.namespaceSelector)) ||
  openers.some((opener) => holdsSpeakers(view, opener));

/** Looked up last, since before a denial each look-up is made once more. */
const holdsSpeakers = (view: ClusterView, { peer, namespace }: PlacedOpener): boolean =>
  speakers
    .flatMap((one) => view.workloadsSelectedBy(one.labels, one.namespace))
    .some((pod) => peersHold(view, [peer], namespace, { peer: pod, via: [] }) !== false);

const asksForHosts = (selector: LabelSelector | undefined): boolean =>
  selector !== undefined &&
  [...Object.keys(selector.matchLabels), ...selector.matchExpressions.map(({ key }) => key)].includes(hostNetworkLabel);
