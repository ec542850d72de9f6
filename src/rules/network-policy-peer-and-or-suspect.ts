/**
 * Two selectors in one list entry of a NetworkPolicy mean Pods that both select; in two entries they mean what either
 * selects. One dash too many turns "these Pods of that namespace" into "everything of that namespace, and such Pods here".
 * The API server takes both, so only what the entries select tells which was meant.
 */
import { z } from 'zod';
import { type PeerPair, pairsIn, type Sizes, sizesOf } from '../cluster/peer-pairs.ts';
import { isOfOwnNamespace, meansSomebody } from '../cluster/policy-peers.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { display } from '../kube/display.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { formatSelector, selectsEverything } from '../kube/labels.ts';
import type { LabelSelector } from '../kube/resources.ts';

export const networkPolicyPeerAndOrSuspect = defineRule({
  id: 'network-policy-peer-and-or-suspect',
  kinds: ['NetworkPolicy'],
  orderClass: 'forward',
  summary: 'A namespaceSelector and a podSelector that belong together stand in one list entry',
  reads: ['Namespace', 'Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    /** Proved by the object alone. */
    addsNothing: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      text: (pair: PeerPair): Explanation => ({
        what: `as an entry of its own, ${shown(pair.podSelector)} adds nothing: the entry beside it allows all Pods of ${scopeOf(pair)}`,
        why: 'Two entries mean what either selects; one entry with both selectors means Pods that both select.',
        // To take the entry out changes nothing, and to join the two shuts many out: nobody but the writer knows what was meant.
        fixes: [{ text: 'write both selectors in one entry, without the dash between them, or remove this entry' }],
      }),
    },
    podsAreThere: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'foreign',
      text: (pair: PeerPair & Sizes): Explanation => ({
        what: `as written ${pair.asWritten} workloads are allowed, as one entry ${pair.asOne}: ${shown(pair.podSelector)} matches none in this namespace`,
        why: 'Two entries mean what either selects; one entry with both selectors means Pods that both select.',
        // As above: who joins the two shuts out what works today.
        fixes: [{ text: 'write both selectors in one entry, without the dash between them, if Pods that both select are meant' }],
      }),
    },
  },

  *check({ object: policy, cluster, known, elsewhere, finding }) {
    const own = policy.metadata.namespace;
    const pairs = [...pairsIn(policy, cluster)];
    const isWhole = ({ namespaceSelector }: PeerPair): boolean =>
      selectsEverything(namespaceSelector) || isOfOwnNamespace({ namespaceSelector }, own);
    for (const pair of pairs) {
      if (isWhole(pair) || meansSomebody(cluster, pair.podSelector, own)) continue;
      const sizes = elsewhere && sizesOf(pair, cluster, elsewhere, known);
      if (sizes !== undefined) yield finding('podsAreThere', pathOf(pair), { ...pair, ...sizes });
    }
    for (const pair of pairs) if (isWhole(pair)) yield finding('addsNothing', pathOf(pair), pair);
  },
});

const pathOf = ({ list, podsAt }: PeerPair): FieldPath => [...list, podsAt];

const longestSelector = 60;
const shown = (selector: LabelSelector): string => display(formatSelector(selector), longestSelector);

const scopeOf = ({ namespaceSelector }: PeerPair): string => (selectsEverything(namespaceSelector) ? 'all namespaces' : 'this namespace');
