/**
 * Two selectors in one list entry of a NetworkPolicy mean Pods that both select; in two entries they mean what either
 * selects. One dash too many turns "these Pods of that namespace" into "everything of that namespace, and such Pods here".
 * The API server takes both, so only what the entries select tells which was meant.
 */
import { z } from 'zod';
import { asBackends } from '../cluster/backends.ts';
import type { Elsewhere } from '../cluster/elsewhere.ts';
import { isOffer, isOfOwnNamespace, meansSomebody, namespacesMeant, type PlacedRule, rulesInForce } from '../cluster/policy-peers.ts';
import { selects } from '../cluster/traffic/selecting.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { display } from '../kube/display.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { formatSelector, selectsEverything } from '../kube/labels.ts';
import type { LabelSelector, NetworkPolicyPeer, Workload } from '../kube/resources.ts';

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
      text: (pair: Pair): Explanation => ({
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
      text: (pair: Pair & Sizes): Explanation => ({
        what: `as written ${pair.asWritten} workloads are allowed, as one entry ${pair.asOne}: ${shown(pair.podSelector)} matches none in this namespace`,
        why: 'Two entries mean what either selects; one entry with both selectors means Pods that both select.',
        fixes: fixesFor(pair),
      }),
    },
  },

  *check({ object: policy, cluster, known, elsewhere, finding }) {
    const own = policy.metadata.namespace;
    const pairs = [...rulesInForce(policy, cluster)].flatMap((rule) => pairsOf(rule, cluster));
    const isWhole = ({ namespaceSelector }: Pair): boolean =>
      selectsEverything(namespaceSelector) || isOfOwnNamespace({ namespaceSelector }, own);
    for (const pair of pairs) {
      if (isWhole(pair) || meansSomebody(cluster, pair.podSelector, own)) continue;
      const sizes = elsewhere && sizesOf(pair, cluster, elsewhere, known);
      if (sizes !== undefined) yield finding('podsAreThere', pathOf(pair), { ...pair, ...sizes });
    }
    for (const pair of pairs) if (isWhole(pair)) yield finding('addsNothing', pathOf(pair), pair);
  },
});

/** Two entries side by side, of which one has a namespaceSelector and the other a podSelector, and nothing else. */
interface Pair {
  readonly namespaceSelector: LabelSelector;
  readonly podSelector: LabelSelector;
  /** Where the entries stand. */
  readonly list: FieldPath;
  readonly namespacesAt: number;
  readonly podsAt: number;
}

const pathOf = ({ list, podsAt }: Pair): FieldPath => [...list, podsAt];

/** What the pair allows, in workloads that the reader may list. */
interface Sizes {
  readonly asWritten: number;
  readonly asOne: number;
}

const pairsOf = ({ peers = [], path, peersKey }: PlacedRule, cluster: ClusterView): readonly Pair[] =>
  peers.flatMap((_, index) => {
    cluster.step();
    return pairAt(peers, index, [...path, peersKey]) ?? [];
  });

/** The entry before this one, and this one, where they are such a pair. */
function pairAt(peers: readonly NetworkPolicyPeer[], index: number, list: FieldPath): Pair | undefined {
  const [before, here] = [peers[index - 1], peers[index]];
  const isInOrder = before?.namespaceSelector !== undefined;
  const [namespaces, pods] = isInOrder ? [before, here] : [here, before];
  const { namespaceSelector } = namespaces ?? {};
  const { podSelector } = pods ?? {};
  if (namespaceSelector === undefined || namespaces?.podSelector !== undefined) return undefined;
  if (podSelector === undefined || pods?.namespaceSelector !== undefined || selectsEverything(podSelector)) return undefined;
  const [namespacesAt, podsAt] = isInOrder ? [index - 1, index] : [index, index - 1];
  return { namespaceSelector, podSelector, list, namespacesAt, podsAt };
}

/** Undefined where no such Pods are in the namespaces either, or the reader may not list them: then nothing tells what was meant. */
function sizesOf(
  { namespaceSelector, podSelector }: Pair,
  cluster: ClusterView,
  elsewhere: Elsewhere,
  known: ClusterView,
): Sizes | undefined {
  // Whoever puts such a label on is let in: here as well as there.
  if (isOffer(podSelector)) return undefined;
  cluster.list('Namespace', '');
  const namespaces = new Set(namespacesMeant(elsewhere, namespaceSelector));
  // Looked for by the index first: of what is not there nobody need be asked.
  const mayBe = [...namespaces].some((name) => {
    cluster.step();
    return meansSomebody(known, podSelector, name);
  });
  if (!mayBe) return undefined;
  const those = (matches: (one: Workload) => boolean): number => {
    const isMeant = (one: Workload): boolean => {
      cluster.step();
      return namespaces.has(one.metadata.namespace) && matches(one);
    };
    return asBackends([...elsewhere.those('Template', isMeant), ...elsewhere.those('Pod', isMeant)], elsewhere).length;
  };
  const asOne = those((one) => selects(podSelector, one) === true);
  return asOne === 0 ? undefined : { asOne, asWritten: those(() => true) };
}

const longestSelector = 60;
const shown = (selector: LabelSelector): string => display(formatSelector(selector), longestSelector);

const scopeOf = ({ namespaceSelector }: Pair): string => (selectsEverything(namespaceSelector) ? 'all namespaces' : 'this namespace');

function fixesFor({ namespaceSelector, podSelector, list, namespacesAt, podsAt }: Pair): readonly [...Fix[], Fix] {
  const first = Math.min(namespacesAt, podsAt);
  const text = 'write both selectors in one entry, without the dash between them, if Pods that both select are meant';
  const merged: Fix = {
    text,
    patch: [
      { op: 'replace', path: [...list, first], value: { podSelector, namespaceSelector } },
      { op: 'remove', path: [...list, first + 1] },
    ],
  };
  return [merged, { text }];
}
