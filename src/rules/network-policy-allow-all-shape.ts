/**
 * A rule that names neither peers nor ports allows everything, and no other rule takes anything back. Beside rules that
 * restrict, or in a policy that is called a denial, it is hardly meant so: often it is an empty list, `from: []`, which reads
 * like "from nobody" and means from everybody.
 */
import { z } from 'zod';
import { asBackends } from '../cluster/backends.ts';
import { meantBy, type PlacedRule, rulesInForce } from '../cluster/policy-peers.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { formatPath } from '../kube/field-path.ts';
import { omissionsIn } from '../kube/last-applied.ts';

/** No fix is an edit: what this rule lets through alone works today, and only who wrote it knows whether somebody needs that. */
export const networkPolicyAllowAllShape = defineRule({
  id: 'network-policy-allow-all-shape',
  kinds: ['NetworkPolicy'],
  orderClass: 'self-contained',
  summary: 'A NetworkPolicy that restricts has no rule that allows everything',
  reads: [],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    besideOthers: {
      severity: 'medium',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      text: (shape: Shape): Explanation => ({
        what: `this rule allows everything ${ways[shape.peersKey]} ${shape.bound}, and ${shape.others === 1 ? 'the other rule beside it restricts' : `the ${shape.others} other rules beside it restrict`} nothing then`,
        why: whyOf(shape),
        fixes: [{ text: 'name in it who is meant, or remove it, which shuts what the other rules do not allow' }],
      }),
    },
    calledDenial: {
      severity: 'medium',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      text: (shape: Shape): Explanation => ({
        what: `the policy is called ${shape.name}, and this rule allows everything ${ways[shape.peersKey]} ${shape.bound}`,
        why: whyOf(shape),
        fixes: [{ text: 'name in it who is meant, or remove it, which shuts the policy for everybody' }],
      }),
    },
  },

  *check({ object: policy, cluster, known, isSurvey, finding }) {
    const { name } = policy.metadata;
    const restricting = rulesInForce(policy, cluster)
      .filter((rule) => !allowsEverything(rule))
      .toArray();
    if (restricting.length === 0 && !saysDenial.test(name)) return;
    const open = rulesInForce(policy, cluster).filter(allowsEverything).toArray();
    if (open.length === 0) return;
    // What stands is judged by what is stored alone, so that a snapshot, which holds no such annotation, says the same.
    const empty = new Set((isSurvey ? policy.omits : omissionsIn(policy))?.emptyPeers);
    const backends = asBackends(meantBy(policy, known), known);
    const bound = `${backends.length} workload${backends.length === 1 ? '' : 's'}`;
    const othersOf = {
      Ingress: restricting.filter(({ direction }) => direction === 'Ingress').length,
      Egress: restricting.filter(({ direction }) => direction === 'Egress').length,
    };
    for (const { path, peersKey, direction } of open) {
      cluster.step();
      const others = othersOf[direction];
      const shape = { name, peersKey, others, bound, isEmptyList: empty.has(formatPath(path)) };
      if (others > 0) yield finding('besideOthers', path, shape);
      else if (saysDenial.test(name)) yield finding('calledDenial', path, shape);
    }
  },
});

const allowsEverything = ({ peers, ports }: PlacedRule): boolean => peers === undefined && ports === undefined;

interface Shape {
  readonly name: string;
  readonly peersKey: PlacedRule['peersKey'];
  /** Rules of the same direction that name peers or ports. */
  readonly others: number;
  /** `3 workloads`. */
  readonly bound: string;
  readonly isEmptyList: boolean;
}

const ways = { from: 'to reach', to: 'that is sent by' } as const;

/** What people call policies that shut something; `deny-all-except-web` has such a word as well, and means to restrict. */
const saysDenial = /(^|[-.])(deny|denied|block|restrict(ed)?|isolate(d)?|lockdown|quarantine)([-.]|$)/;

const whyOf = ({ isEmptyList, peersKey }: Shape): string =>
  isEmptyList
    ? `An empty list of peers means any peer: \`${peersKey}: []\` is not nobody.`
    : 'Rules add up: what one of them allows, no other takes back.';
