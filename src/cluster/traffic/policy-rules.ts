/** The rules of a policy in one direction, in one shape for both. */
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../kube/resources.ts';
import type { Direction } from './flow.ts';

export interface PolicyRule {
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
  readonly ports: readonly NetworkPolicyPort[] | undefined;
}

const rules = { Ingress: new WeakMap<NetworkPolicy, readonly PolicyRule[]>(), Egress: new WeakMap<NetworkPolicy, readonly PolicyRule[]>() };

/** Made once for a policy, since very many connections ask. */
export function rulesOf(policy: NetworkPolicy, direction: Direction): readonly PolicyRule[] {
  const known = rules[direction].get(policy);
  if (known !== undefined) return known;
  const made: readonly PolicyRule[] =
    direction === 'Egress'
      ? policy.spec.egress.map(({ to, ports }) => ({ peers: to, ports }))
      : policy.spec.ingress.map(({ from, ports }) => ({ peers: from, ports }));
  rules[direction].set(policy, made);
  return made;
}

/** By the policy's list of types, which `normalize` fills as the API server does. */
export const isolatesIn = ({ spec }: NetworkPolicy, direction: Direction): boolean => spec.policyTypes.includes(direction);
