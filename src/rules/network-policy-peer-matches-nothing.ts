/**
 * A peer of a NetworkPolicy lets in, or out, the Pods that it selects. Where it selects none, it allows nothing: those who
 * were meant stay shut out, while the policy isolates its Pods all the same. Which of the two selectors fails tells
 * where to look.
 */
import { z } from 'zod';
import { legacyNameIn } from '../cluster/legacy-namespace-label.ts';
import { nearestWord } from '../cluster/near-miss.ts';
import { nearestSelector } from '../cluster/nearest-selector.ts';
import { gapOf, peersInForce } from '../cluster/policy-peers.ts';
import { carriedBy, countOf } from '../cluster/selection.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { display } from '../kube/display.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { formatSelector, nameLabel, noLabels } from '../kube/labels.ts';
import { listed } from '../kube/listed.ts';
import type { LabelSelector, Namespace, Workload } from '../kube/resources.ts';

const allowsNobody = 'This peer allows nothing until such Pods are there; the policy isolates its own Pods all the same.';

export const networkPolicyPeerMatchesNothing = defineRule({
  id: 'network-policy-peer-matches-nothing',
  kinds: ['NetworkPolicy'],
  orderClass: 'forward',
  summary: 'Each peer of a NetworkPolicy selects at least one Pod or Pod template',
  reads: ['Namespace', 'Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    noPodHere: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      text: ({ selector, namespace, workloads, tally, fix }: NoPodHere): Explanation => ({
        what: `${shown(selector)} matches ${tally} in ${namespace}${fix === undefined ? carriedBy(workloads) : ''}`,
        why: allowsNobody,
        fixes: [
          ...(fix === undefined ? [] : [fix]),
          { text: 'correct the labels; without a namespaceSelector beside it in the same entry, a podSelector means this namespace alone' },
        ],
      }),
    },
    noNamespace: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'foreign',
      text: ({ selector, of, fix }: NoNamespace): Explanation => ({
        what: `the namespace part ${shown(selector)} matches 0 of ${of} namespaces`,
        why: allowsNobody,
        fixes: [...(fix === undefined ? [] : [fix]), { text: 'correct the namespaceSelector, or label the namespace that is meant' }],
      }),
    },
    noPodThere: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'foreign',
      text: ({ selector, namespaces }: NoPodThere): Explanation => ({
        what: `the namespace part matches ${listed(namespaces)}, but ${shown(selector)} no Pod and no template there`,
        why: allowsNobody,
        fixes: [{ text: 'correct the podSelector, or the namespace' }],
      }),
    },
  },

  *check({ object: policy, cluster, known, elsewhere, finding }) {
    const own = policy.metadata.namespace;
    let suggested = 0;
    for (const { peer, path } of peersInForce(policy, cluster)) {
      const gap = gapOf(peer, own, cluster, elsewhere);
      if (gap === undefined) continue;
      const { podSelector = everything, namespaceSelector = everything } = peer;
      const [podsAt, namespacesAt] = [
        [...path, 'podSelector'],
        [...path, 'namespaceSelector'],
      ];
      if (gap.part === 'here') {
        const workloads = known.workloads(own);
        const fix = ++suggested > mostSuggested ? undefined : fixTowards(podSelector, workloads, known, podsAt);
        yield finding('noPodHere', podsAt, { selector: podSelector, namespace: own, workloads, tally: countOf(workloads, known), fix });
      } else if (gap.part === 'pods') yield finding('noPodThere', podsAt, { selector: podSelector, namespaces: gap.namespaces });
      else {
        const namespaces = known.list('Namespace', '');
        // Another rule says how to repair that.
        if (legacyNameIn(namespaceSelector, namespaces) !== undefined) continue;
        const fix = nearestName(namespaceSelector, namespaces, namespacesAt);
        yield finding('noNamespace', namespacesAt, { selector: namespaceSelector, of: gap.of, fix });
      }
    }
  },
});

interface NoPodHere {
  readonly selector: LabelSelector;
  readonly namespace: string;
  readonly workloads: readonly Workload[];
  readonly tally: string;
  readonly fix: Fix | undefined;
}

interface NoNamespace {
  readonly selector: LabelSelector;
  readonly of: number;
  readonly fix: Fix | undefined;
}

interface NoPodThere {
  readonly selector: LabelSelector;
  readonly namespaces: readonly string[];
}

const everything: LabelSelector = { matchLabels: noLabels, matchExpressions: [] };

/** To look for the nearest Pods takes time, and nobody reads more of it. */
const mostSuggested = 20;

const longestSelector = 80;
const shown = (selector: LabelSelector): string => display(formatSelector(selector), longestSelector);

function fixTowards(selector: LabelSelector, workloads: readonly Workload[], known: ClusterView, path: FieldPath): Fix | undefined {
  const nearest = nearestSelector(selector, workloads, known);
  return nearest && { text: nearest.text, patch: [{ op: 'replace', path: [...path, 'matchLabels'], value: nearest.corrected }] };
}

/** A namespace that is called nearly so. */
function nearestName(selector: LabelSelector, namespaces: readonly Namespace[], path: FieldPath): Fix | undefined {
  const wanted = selector.matchLabels[nameLabel];
  const names = namespaces.map(({ metadata }) => metadata.name);
  const nearest = wanted === undefined || names.includes(wanted) ? undefined : nearestWord(wanted, names);
  if (nearest === undefined) return undefined;
  const patch = [{ op: 'replace', path: [...path, 'matchLabels', nameLabel], value: nearest }] as const;
  return { text: `did you mean namespace ${nearest}?`, patch };
}
