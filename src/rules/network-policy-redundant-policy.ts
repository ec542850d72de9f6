/**
 * Policies only add to what is allowed. One whose every rule another policy for the same Pods has as well changes nothing:
 * whoever edits or removes it later will wonder why nothing happens.
 */
import { z } from 'zod';
import { rulesOf } from '../cluster/traffic/policy-rules.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { selectsEverything } from '../kube/labels.ts';
import { formatRef, type LabelSelector, type NetworkPolicy, type ObjectRef, refOf } from '../kube/resources.ts';

export const networkPolicyRedundantPolicy = defineRule({
  id: 'network-policy-redundant-policy',
  kinds: ['NetworkPolicy'],
  orderClass: 'exclusive',
  summary: 'A NetworkPolicy allows something that no other policy for the same Pods allows',
  reads: ['NetworkPolicy'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    changesNothing: {
      severity: 'info',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'namespace',
      text: ({ other, rules, of }: Redundant): Explanation => ({
        what: `${formatRef(other)} has ${rules === 1 ? 'this rule' : `all ${rules} rules`} of this policy among its ${of}, and isolates the same Pods`,
        why: 'Policies add up, so this one changes nothing.',
        fixes: [{ text: 'remove one of the two policies, or give this one another purpose' }],
      }),
    },
  },

  *check({ object: policy, cluster, finding }) {
    const own = shapeOf(policy, cluster);
    // Who shuts everything first, and opens by further policies, wants the first one to stay when those go.
    if (own.rules.length === 0) return;
    for (const other of cluster.list('NetworkPolicy', policy.metadata.namespace)) {
      cluster.step();
      if (other.metadata.name === policy.metadata.name || !mayHold(other, policy)) continue;
      const theirs = shapeOf(other, cluster);
      const isTheirs = (rule: string): boolean => {
        cluster.step();
        return theirs.set.has(rule);
      };
      if (!own.rules.every(isTheirs)) continue;
      // Of two that are alike, the later one is too many.
      const isAlike =
        theirs.set.size === own.set.size &&
        textOf(other.spec.podSelector) === textOf(policy.spec.podSelector) &&
        isSameTypes(other, policy);
      if (isAlike && other.metadata.name > policy.metadata.name) continue;
      const facts = { other: refOf(other), rules: own.rules.length, of: theirs.rules.length };
      yield finding('changesNothing', ['spec'], facts, [refOf(other)]);
      return;
    }
  },
});

interface Redundant {
  readonly other: ObjectRef;
  /** Of this policy. */
  readonly rules: number;
  /** Of the other one. */
  readonly of: number;
}

/** For all Pods of this one, and in all its directions. */
const mayHold = ({ spec: other }: NetworkPolicy, { spec }: NetworkPolicy): boolean =>
  (selectsEverything(other.podSelector) || textOf(other.podSelector) === textOf(spec.podSelector)) &&
  spec.policyTypes.every((type) => other.policyTypes.includes(type));

const isSameTypes = ({ spec: a }: NetworkPolicy, { spec: b }: NetworkPolicy): boolean =>
  new Set(a.policyTypes).symmetricDifference(new Set(b.policyTypes)).size === 0;

interface PolicyShape {
  /** Each rule as text, with its direction. */
  readonly rules: readonly string[];
  readonly set: ReadonlySet<string>;
}

const shapes = new WeakMap<NetworkPolicy['spec'], PolicyShape>();

/** Made once for each policy that is stored. */
function shapeOf(policy: NetworkPolicy, view: ClusterView): PolicyShape {
  const known = shapes.get(policy.spec);
  if (known !== undefined) return known;
  const rules = (['Ingress', 'Egress'] as const).flatMap((direction) =>
    policy.spec.policyTypes.includes(direction)
      ? rulesOf(policy, direction).map((rule) => {
          view.step();
          return `${direction} ${JSON.stringify(rule)}`;
        })
      : [],
  );
  const made = { rules, set: new Set(rules) };
  shapes.set(policy.spec, made);
  return made;
}

/** Pairs in an order of their own: two files seldom write them in the same one. */
const textOf = ({ matchLabels, matchExpressions }: LabelSelector): string =>
  JSON.stringify([Object.entries(matchLabels).sort(([a], [b]) => (a < b ? -1 : 1)), matchExpressions]);
