/**
 * The API server stores every NetworkPolicy, and has nobody enforce it: that is the network plugin's affair, or that of something
 * beside it. Flannel alone connects Pods and enforces nothing, and a policy there has no effect at all, without a word.
 */
import { z } from 'zod';
import type { Elsewhere } from '../cluster/elsewhere.ts';
import type { Bystander } from '../cluster/network-plugins.ts';
import { findBystander, findEnforcer, type Sighting } from '../cluster/policy-enforcement.ts';
import { rulesInForce } from '../cluster/policy-peers.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { formatRef, type NetworkPolicy, refOf } from '../kube/resources.ts';

export const networkPolicyNotEnforced = defineRule({
  id: 'network-policy-not-enforced',
  kinds: ['NetworkPolicy'],
  orderClass: 'backward',
  summary: 'Something in the cluster enforces NetworkPolicies',
  reads: ['NetworkPolicy', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    nobodyEnforces: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'public',
      text: ({ seen }: { readonly seen: Sighting<Bystander> | undefined }): Explanation => ({
        what: `this cluster's network plugin enforces no NetworkPolicies${seen === undefined ? '' : ` (${titleOf(seen)})`}, and nothing beside it is seen to`,
        why: 'The policy is stored and has no effect: what it would cut stays open.',
        fixes: [{ text: 'install what enforces policies: kube-network-policies, Calico or kube-router' }],
      }),
    },
  },

  *check({ object: policy, cluster, known, elsewhere, offline, isSurvey, finding }) {
    if (opensEverything(policy, cluster)) return;
    const enforcer = findEnforcer(known);
    if (enforcer !== undefined) {
      // Where it is found, that namespace alone is what the answer rests on: audits would else judge every policy again with each template.
      cluster.coverage('Template', enforcer.daemonSet.metadata.namespace);
      return;
    }
    // Among files the network plugin is mostly not: that nobody knows it is not worth telling.
    if (offline && findBystander(known) === undefined) return;
    const bystander = findBystander(cluster);
    if (bystander === undefined || (isSurvey && isToldBeside(policy, cluster))) return;
    const seen = mayTell(bystander, elsewhere) ? bystander : undefined;
    yield finding('nobodyEnforces', ['spec'], { seen }, seen === undefined ? [] : [refOf(seen.daemonSet)]);
  },
});

/** It is one fact of the cluster: who looks at all policies is told it once in each namespace, and who writes one each time. */
const isToldBeside = ({ metadata: { namespace, name } }: NetworkPolicy, cluster: ClusterView): boolean =>
  cluster.list('NetworkPolicy', namespace).some((other) => other.metadata.name < name && !opensEverything(other, cluster));

/** In each direction some rule lets everybody use any port: nobody misses its enforcement. */
const opensEverything = (policy: NetworkPolicy, cluster: ClusterView): boolean => {
  const open = rulesInForce(policy, cluster).filter(({ peers, ports }) => peers === undefined && ports === undefined);
  const directions = new Set<string>(open.map(({ direction }) => direction));
  return policy.spec.policyTypes.every((type) => directions.has(type));
};

/** That there is such a plugin, each Pod finds out by connecting; what it is called and where it runs is for who may list it. */
const mayTell = ({ daemonSet }: Sighting<Bystander>, elsewhere: Elsewhere | undefined): boolean =>
  elsewhere !== undefined && elsewhere.those('Template', (one) => one === daemonSet).length > 0;

const titleOf = ({ plugin, daemonSet }: Sighting<Bystander>): string => `${plugin.title}: ${formatRef(refOf(daemonSet))}`;
