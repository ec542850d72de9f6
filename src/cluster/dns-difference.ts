/** In which label the peers of a rule differ from the cluster's DNS, for which the rule is meant. */
import { formatLabels, formatSelector } from '../kube/labels.ts';
import type { NetworkPolicyPeer } from '../kube/policy-parts.ts';
import type { NetworkPolicy, Workload } from '../kube/resources.ts';
import { isUdp, type Resolver } from './resolver.ts';
import { namespaceMatches } from './traffic/peers.ts';
import { selects } from './traffic/selecting.ts';
import type { ClusterView } from './view.ts';

/** A half of a peer that misses, in words; undefined where it fits. */
interface Differences {
  readonly ofNamespace: string | undefined;
  readonly ofPods: string | undefined;
}

/** Of the peer that comes nearest. The resolver's namespace, labels and ports are for everybody to know. */
export function differenceFrom(view: ClusterView, resolver: Resolver, policy: NetworkPolicy, rule: number): string {
  const peers = policy.spec.egress[rule]?.to ?? [];
  const pods = resolver.destinations.filter(isUdp).map(({ workload }) => workload);
  const all = peers.map((peer) => differencesOf(view, resolver, policy, peer, pods));
  const nearest = all.find(({ ofNamespace }) => ofNamespace === undefined) ?? all.find(({ ofPods }) => ofPods === undefined) ?? all[0];
  return [nearest?.ofNamespace, nearest?.ofPods].filter((text) => text !== undefined).join(', and ');
}

function differencesOf(
  view: ClusterView,
  { service: { metadata, spec } }: Resolver,
  policy: NetworkPolicy,
  { namespaceSelector, podSelector }: NetworkPolicyPeer,
  pods: readonly Workload[],
): Differences {
  const here = policy.metadata.namespace;
  const fits =
    namespaceSelector === undefined ? here === metadata.namespace : namespaceMatches(view, namespaceSelector, metadata.namespace) !== false;
  const podsFit = podSelector === undefined || pods.some((workload) => selects(podSelector, workload) !== false);
  const missed =
    namespaceSelector === undefined
      ? `a podSelector alone selects Pods of ${here}, and these are in ${metadata.namespace}`
      : `namespace ${metadata.namespace} is not one with ${formatSelector(namespaceSelector)}`;
  return {
    ofNamespace: fits ? undefined : missed,
    ofPods: podsFit ? undefined : `its Pods carry ${formatLabels(spec.selector)}, not ${podSelector && formatSelector(podSelector)}`,
  };
}
