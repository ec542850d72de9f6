/** The rules of a policy in one direction, in one shape for both. */
import { onceFor } from '../../kube/once-for.ts';
import type { NetworkPolicyPeer, NetworkPolicyPort } from '../../kube/policy-parts.ts';
import type { NetworkPolicy } from '../../kube/resources.ts';
import type { Direction } from './flow.ts';

export interface PolicyRule {
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
  readonly ports: readonly NetworkPolicyPort[] | undefined;
}

/** Made once for a policy, since very many connections ask. */
const rulesIn = {
  Ingress: onceFor(({ spec }: NetworkPolicy) => spec.ingress.map(({ from, ports }): PolicyRule => ({ peers: from, ports }))),
  Egress: onceFor(({ spec }: NetworkPolicy) => spec.egress.map(({ to, ports }): PolicyRule => ({ peers: to, ports }))),
};

export const rulesOf = (policy: NetworkPolicy, direction: Direction): readonly PolicyRule[] => rulesIn[direction](policy);

/** By the policy's list of types, which `normalize` fills as the API server does. */
export const isolatesIn = ({ spec }: NetworkPolicy, direction: Direction): boolean => spec.policyTypes.includes(direction);
