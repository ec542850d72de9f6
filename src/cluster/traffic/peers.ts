/** Whether the peers of a rule hold who is at the other end of a connection. */
import { type IpBlock, ipBlockHolds, isLinkLocal } from '../../kube/cidr.ts';
import { labelsOf, matchesSelector, nameLabel } from '../../kube/labels.ts';
import { onceFor } from '../../kube/once-for.ts';
import type { NetworkPolicyPeer } from '../../kube/policy-parts.ts';
import type { LabelSelector, Labels, Workload } from '../../kube/resources.ts';
import type { ClusterView } from '../view.ts';
import type { Endpoint, Outside } from './flow.ts';
import { anyOf, bothOf, type Known } from './known.ts';
import { selects } from './selecting.ts';

export const isWorkload = (endpoint: Endpoint): endpoint is Workload => 'pod' in endpoint;

/** Who is at the other end, and through which addresses of Services the connection goes. */
export interface OtherEnd {
  readonly peer: Endpoint;
  readonly via: readonly string[] | undefined;
}

/** Whether one of the peers of a policy of this namespace holds the other end. No list means everybody. */
export const peersHold = (view: ClusterView, peers: readonly NetworkPolicyPeer[] | undefined, namespace: string, other: OtherEnd): Known =>
  peers === undefined ? true : anyOf(peers.map((peer) => peerHolds(view, peer, namespace, other)));

function peerHolds(view: ClusterView, peer: NetworkPolicyPeer, namespace: string, other: OtherEnd): Known {
  view.step();
  if (!isWorkload(other.peer)) return peer.ipBlock === undefined ? false : blockHoldsOutside(peer.ipBlock, other.peer, other.via);
  return peer.ipBlock === undefined
    ? selectorsHold(view, peer, namespace, other.peer)
    : blockHoldsPods(view, peer.ipBlock, other.peer, other.via);
}

function selectorsHold(view: ClusterView, { podSelector, namespaceSelector }: NetworkPolicyPeer, namespace: string, pods: Workload): Known {
  const podsFit = podsHold(podSelector, pods);
  if (podsFit === false) return false;
  const namespaceFits =
    namespaceSelector === undefined
      ? namespace === pods.metadata.namespace
      : namespaceMatches(view, namespaceSelector, pods.metadata.namespace);
  return bothOf(namespaceFits, podsFit);
}

/** Whether a peer's selector holds such Pods, if it does their namespace. No selector means all of them. */
export function podsHold(selector: LabelSelector | undefined, pods: Workload): Known {
  const selected = selector === undefined ? true : selects(selector, pods);
  const fits = selected === 'label' ? [selected] : selected;
  // Its address is the node's: plugins differ on whether a selector reaches it.
  return pods.pod.hostNetwork ? bothOf(fits, ['hostNetwork']) : fits;
}

/** A block that certainly covers no address of the Pods is a definite no; one that may cover one is the plugin's affair. */
function blockHoldsPods(view: ClusterView, block: IpBlock, pods: Workload, via: readonly string[] | undefined): Known {
  // What is not known of Pods is none of a link, unless they have those of their node.
  const addresses = view.pods(pods).addresses() ?? (isLinkLocal(block) && !pods.pod.hostNetwork ? [] : undefined);
  if (addresses === undefined || via === undefined) return ['address'];
  const mayHold = (address: string): boolean => ipBlockHolds(block, address) !== false;
  return addresses.some(mayHold) || via.some(mayHold) ? ['address'] : false;
}

/** Certain where the block holds the address and every Service's on the way, or none of them. */
function blockHoldsOutside(block: IpBlock, { address, ofNode }: Outside, via: readonly string[] | undefined): Known {
  const held = [address, ...(via ?? [])].map((each) => ipBlockHolds(block, each));
  if (held.includes(undefined)) return ['block'];
  if (via !== undefined && !held.includes(true)) return false;
  return via !== undefined && ofNode !== true && !held.includes(false) ? true : ['address'];
}

/** What a selector asks of the namespace's name, and whether it asks for nothing else. */
interface AskedName {
  readonly selector: LabelSelector;
  readonly isAll: boolean;
}

const askedNameOf = onceFor((selector: LabelSelector): AskedName => {
  const isName = (key: string): boolean => key === nameLabel;
  const matchExpressions = selector.matchExpressions.filter(({ key }) => isName(key));
  const isAll = matchExpressions.length === selector.matchExpressions.length && Object.keys(selector.matchLabels).every(isName);
  return { selector: { matchLabels: labelsOf(selector.matchLabels, isName), matchExpressions }, isAll };
});

/** Whether the namespace of this name has these labels. Its own name needs no look-up: the API server sets that label. */
export const namespaceMatches = (view: ClusterView, selector: LabelSelector, name: string): Known =>
  namespaceFits(selector, name, () => view.get('Namespace', '', name)?.metadata.labels);

/** The same, where its labels are at hand, or looked up if need be. Files often hold no Namespace: then its name alone is known. */
export function namespaceFits(selector: LabelSelector, name: string, labels: () => Labels | undefined): Known {
  const asked = askedNameOf(selector);
  if (!matchesSelector(asked.selector, labelsOf({ [nameLabel]: name }))) return false;
  if (asked.isAll) return true;
  const known = labels();
  return known === undefined ? ['namespace'] : matchesSelector(selector, known);
}
