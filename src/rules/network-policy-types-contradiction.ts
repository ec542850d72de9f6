/**
 * A NetworkPolicy isolates Pods in the directions that `policyTypes` lists. Rules for another direction do nothing by the
 * API: what they were meant to restrict stays open. Some network plugins apply them all the same, so that the policy means
 * one thing here and another there.
 */
import { z } from 'zod';
import type { Direction } from '../cluster/traffic/flow.ts';
import { rulesOf } from '../cluster/traffic/policy-rules.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';

export const networkPolicyTypesContradiction = defineRule({
  id: 'network-policy-types-contradiction',
  kinds: ['NetworkPolicy'],
  orderClass: 'self-contained',
  summary: 'A NetworkPolicy lists in policyTypes each direction for which it has rules',
  reads: [],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    rulesWithoutType: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'self',
      text: ({ direction, list, rules, isUpdate }: Contradiction): Explanation => ({
        what: `${rules} ${list} rule${rules === 1 ? '' : 's'}, but policyTypes does not list ${direction}`,
        why: `By the API they do nothing, while Cilium applies them.${isUpdate ? defaulted : ''}`,
        // The one shuts what is open, the other throws away what somebody wrote: no edit is made by itself.
        fixes: [{ text: `add ${direction} to policyTypes, which isolates the Pods in this direction, or remove spec.${list}` }],
      }),
      // How many such rules there are, and what they say, changes nothing.
      defects: ({ direction }: Contradiction) => [direction],
    },
  },

  *check({ object: policy, before, finding }) {
    const { namespace, name } = policy.metadata;
    const isUpdate = before?.().get('NetworkPolicy', namespace, name) !== undefined;
    for (const direction of ['Ingress', 'Egress'] as const) {
      const list = direction === 'Egress' ? 'egress' : 'ingress';
      const all = rulesOf(policy, direction);
      if (all.length === 0 || policy.spec.policyTypes.includes(direction)) continue;
      // Everything is allowed, says such a rule, and that is so where the policy does not isolate.
      if (all.some(({ peers, ports }) => peers === undefined && ports === undefined)) continue;
      yield finding('rulesWithoutType', ['spec', list], { direction, list, rules: all.length, isUpdate });
    }
  },
});

interface Contradiction {
  readonly direction: Direction;
  readonly list: 'ingress' | 'egress';
  readonly rules: number;
  readonly isUpdate: boolean;
}

const defaulted = ' Where a manifest has no policyTypes, the API server chose them when the policy was created, and keeps them.';
