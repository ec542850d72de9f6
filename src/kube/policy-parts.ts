/** What a NetworkPolicy is made of: its rules, with their peers and ports. */
import type { IpBlock } from './cidr.ts';
import type { LabelSelector, Protocol } from './resources.ts';

export interface NetworkPolicyPort {
  readonly protocol: Protocol;
  readonly port?: number | string;
  readonly endPort?: number;
}

export interface NetworkPolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: IpBlock;
}

/** An absent and an empty list of peers or ports both mean "any" (rules.md D.4, 33); `normalize` leaves both out. */
export interface NetworkPolicyIngressRule {
  readonly from?: readonly NetworkPolicyPeer[];
  readonly ports?: readonly NetworkPolicyPort[];
}

export interface NetworkPolicyEgressRule {
  readonly to?: readonly NetworkPolicyPeer[];
  readonly ports?: readonly NetworkPolicyPort[];
}

/** What a policy did not say, or said with an empty list, before an API server wrote its defaults: paths, as `formatPath` prints them. */
export interface PolicyOmissions {
  /** Of ports. */
  readonly protocols: readonly string[];
  /** Of rules: `from: []` and `to: []`, which mean any peer, and which no API server keeps. */
  readonly emptyPeers: readonly string[];
}
