/** Which peers of policies hold what has the address of a node: Pods on its network among it. */
import type { NetworkPolicyPeer } from '../kube/policy-parts.ts';
import { type PlacedRule, rulesInForce } from './policy-peers.ts';
import type { ClusterView } from './view.ts';

/** OVN-Kubernetes takes these labels of namespaces for what stands on the network of nodes: routers, and all the rest. */
const hostGroup = /^(policy-group\.network\.openshift\.io\/|network\.openshift\.io\/policy-group$)/;

/** Whether a peer asks for one of those. */
export const meansHosts = ({ namespaceSelector }: NetworkPolicyPeer): boolean =>
  namespaceSelector !== undefined &&
  [...Object.keys(namespaceSelector.matchLabels), ...namespaceSelector.matchExpressions.map(({ key }) => key)].some((key) =>
    hostGroup.test(key),
  );

/** Whether a rule of the namespace names addresses, or nobody in particular, for one of the same ports: that may be the way for nodes. */
export const mayHoldNodes = (view: ClusterView, namespace: string, rule: PlacedRule): boolean =>
  view.list('NetworkPolicy', namespace).some((policy) => {
    for (const other of rulesInForce(policy, view))
      if (other.direction === rule.direction && holdsAddresses(other) && sharePorts(rule, other)) return true;
    return false;
  });

const holdsAddresses = ({ peers }: PlacedRule): boolean => peers === undefined || peers.some(({ ipBlock }) => ipBlock !== undefined);

/** A range counts as all ports of its protocol: better silent than wrong. */
function sharePorts({ ports: some }: PlacedRule, { ports: others }: PlacedRule): boolean {
  if (some === undefined || others === undefined) return true;
  const keys = new Set(
    others.map(({ protocol, port, endPort }) => (port === undefined || endPort !== undefined ? protocol : `${protocol}/${port}`)),
  );
  return some.some(({ protocol, port }) => port === undefined || keys.has(protocol) || keys.has(`${protocol}/${port}`));
}
