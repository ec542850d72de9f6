/**
 * A Pod that no policy isolates any more is open: to every Pod of the cluster, and to whatever is routed there. Policies only
 * add up, so this happens only where the last policy for such Pods and a direction goes; nothing fails, and nobody notices.
 */
import { z } from 'zod';
import { asBackends, type Backend, tallyOf } from '../cluster/backends.ts';
import { selectedBy } from '../cluster/dns-rules.ts';
import { freed } from '../cluster/isolation.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { formatRef } from '../kube/resources.ts';

interface Exposed {
  readonly backends: readonly Backend[];
  /** How many workloads the policy selects. */
  readonly of: number;
}

const defects = ({ backends }: Exposed): readonly string[] => backends.map(({ ref }) => formatRef(ref));

const fixes: Explanation['fixes'] = [{ text: 'keep it, or first apply another policy with the same podSelector and policyTypes' }];

export const networkPolicyRemovalExposes = defineRule({
  id: 'network-policy-removal-exposes',
  kinds: ['NetworkPolicy'],
  orderClass: 'destructive',
  summary: 'Pods that a policy isolates are still isolated once it is removed',
  reads: ['NetworkPolicy', 'Pod', 'Template'],
  judgesDelete: true,
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    openToAll: {
      severity: 'medium',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      defects,
      text: ({ backends, of }: Exposed): Explanation => ({
        what: `without this policy no other one isolates ${tallyOf(backends, of)} for ingress`,
        why: 'Every Pod of the cluster reaches them, on every port.',
        fixes,
      }),
    },
    mayReachAll: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      defects,
      text: ({ backends, of }: Exposed): Explanation => ({
        what: `without this policy no other one isolates ${tallyOf(backends, of)} for egress`,
        why: 'They may send to every Pod of the cluster and to every address outside it.',
        fixes,
      }),
    },
  },

  *check({ object: policy, operation, cluster, known, finding }) {
    if (operation !== 'DELETE') return;
    const selected = selectedBy(cluster, policy);
    const exposed = (open: typeof selected): Exposed => ({
      backends: asBackends(open, known),
      of: asBackends(selected, known).length,
    });
    const [ingress, egress] = [freed(cluster, policy, 'Ingress'), freed(cluster, policy, 'Egress')];
    if (ingress.length > 0) yield finding('openToAll', ['spec', 'ingress'], exposed(ingress));
    if (egress.length > 0) yield finding('mayReachAll', ['spec', 'egress'], exposed(egress));
  },
});
