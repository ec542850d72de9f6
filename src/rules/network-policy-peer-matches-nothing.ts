/**
 * A peer of a NetworkPolicy lets in, or out, the Pods that it selects. Where it selects none, it allows nothing: those who
 * were meant stay shut out, while the policy isolates its Pods all the same. Which of the two selectors fails tells
 * where to look.
 */
import { z } from 'zod';
import { legacyNameIn } from '../cluster/legacy-namespace-label.ts';
import { nearestNamespaceName, nearestSelectors } from '../cluster/nearest-selector.ts';
import { gapsInForce, heldHere } from '../cluster/policy-peers.ts';
import { selectsNodeCache } from '../cluster/resolver.ts';
import { carriedBy, countOf } from '../cluster/selection.ts';
import { selects } from '../cluster/traffic/selecting.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { display } from '../kube/display.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { everything, formatSelector, nameLabel, selectsEverything } from '../kube/labels.ts';
import { listed } from '../kube/listed.ts';
import { onceFor } from '../kube/once-for.ts';
import type { NetworkPolicyPeer } from '../kube/policy-parts.ts';
import type { LabelSelector, Workload } from '../kube/resources.ts';
import { inSinglePeers } from '../kube/single-rules.ts';

const alone = { severity: 'medium', modes: { guided: 'warn', strict: 'deny' } } as const;
const allowsNobody = 'This peer allows nothing until such Pods are there; the policy isolates its own Pods all the same.';

/** Charts list every component that may come, and a release leaves some out (rules.md D.9, 83). */
const besideOthers = { severity: 'low', modes: { guided: 'audit', strict: 'warn' } } as const;
const leftOut = 'This peer allows nothing until such Pods are there: a mistake, or a component that is left out here.';

export const networkPolicyPeerMatchesNothing = defineRule({
  id: 'network-policy-peer-matches-nothing',
  kinds: ['NetworkPolicy'],
  orderClass: 'forward',
  summary: 'Each peer of a NetworkPolicy selects at least one Pod or Pod template',
  reads: ['Namespace', 'Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),
  // Beside others or alone: who splits a rule has not broken its peers.
  otherwise: inSinglePeers,

  messages: {
    noPodHere: { ...alone, facts: 'namespace', text: (facts: NoPodHere) => explainHere(facts, allowsNobody) },
    noNamespace: { ...alone, facts: 'foreign', text: (facts: NoNamespace) => explainNamespace(facts, allowsNobody) },
    noPodThere: { ...alone, facts: 'foreign', text: (facts: NoPodThere) => explainThere(facts, allowsNobody) },
    noPodHereBesideOthers: { ...besideOthers, facts: 'namespace', text: (facts: NoPodHere) => explainHere(facts, leftOut) },
    noNamespaceBesideOthers: { ...besideOthers, facts: 'foreign', text: (facts: NoNamespace) => explainNamespace(facts, leftOut) },
    noPodThereBesideOthers: { ...besideOthers, facts: 'foreign', text: (facts: NoPodThere) => explainThere(facts, leftOut) },
  },

  *check({ object: policy, cluster, known, elsewhere, finding }) {
    const own = policy.metadata.namespace;
    const nearestPods = nearestSelectors(known, own);
    const workloads = known.workloads(own);
    // Counted at the first gap: there may be 20,000 of them, and most policies have none.
    let tally: string | undefined;
    // Those whom the list holds anyhow were not meant, nor the policy's own Pods, unless it is for all of them.
    const { podSelector: subject } = policy.spec;
    const isSubject = (workload: Workload): boolean => !selectsEverything(subject) && selects(subject, workload) !== false;
    const heldBy = onceFor((list: readonly NetworkPolicyPeer[]) => heldHere(list, own, known));
    for (const { peer, path, gap, list, isAlone } of gapsInForce(policy, cluster, elsewhere)) {
      const { podSelector = everything, namespaceSelector = everything } = peer;
      const podsAt = [...path, 'podSelector'];
      // Policies that are to hold in any cluster allow the cache on the nodes beside the Pods of the cluster's DNS.
      if (!isAlone && selectsNodeCache(podSelector)) continue;
      if (gap.part === 'here') {
        const nearest = nearestPods(podSelector, (one) => !heldBy(list).has(one) && !isSubject(one));
        const fix = nearest && fixTowards(nearest.text, nearest, [...podsAt, 'matchLabels'], nearest.corrected);
        tally ??= countOf(workloads, known);
        const facts = { selector: podSelector, namespace: own, workloads, tally, fix };
        yield finding(messagesFor(isAlone, nearest).here, podsAt, facts);
      } else if (gap.part === 'pods') {
        yield finding(messagesFor(isAlone).pods, podsAt, { selector: podSelector, namespaces: gap.namespaces });
        // Of a namespace's old label another rule says how to repair it.
      } else if (legacyNameIn(namespaceSelector, known.list('Namespace', '')) === undefined) {
        const namespacesAt = [...path, 'namespaceSelector'];
        const nearest = nearestNamespaceName(namespaceSelector, known.list('Namespace', ''));
        const nameAt = [...namespacesAt, 'matchLabels', nameLabel];
        const fix = nearest && fixTowards(`did you mean namespace ${nearest.name}?`, nearest, nameAt, nearest.name);
        yield finding(messagesFor(isAlone, nearest).namespaces, namespacesAt, { selector: namespaceSelector, of: gap.of, fix });
      }
    }
  },
});

const ofOneAlone = { here: 'noPodHere', namespaces: 'noNamespace', pods: 'noPodThere' } as const;
const ofOneOfSeveral = { here: 'noPodHereBesideOthers', namespaces: 'noNamespaceBesideOthers', pods: 'noPodThereBesideOthers' } as const;

/** What is misspelt for certain is no component that was left out. */
const messagesFor = (isAlone: boolean, nearest?: Nearest) => (isAlone || nearest?.isCertain ? ofOneAlone : ofOneOfSeveral);

/** Of what was probably meant, whether the peer can only be a slip of the pen. */
interface Nearest {
  readonly isCertain: boolean;
}

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

const longestSelector = 80;
const shown = (selector: LabelSelector): string => display(formatSelector(selector), longestSelector);

function explainHere({ selector, namespace, workloads, tally, fix }: NoPodHere, why: string): Explanation {
  return {
    what: `${shown(selector)} matches ${tally} in ${namespace}${fix === undefined ? carriedBy(workloads) : ''}`,
    why,
    fixes: [
      ...(fix === undefined ? [] : [fix]),
      { text: 'correct the labels; without a namespaceSelector beside it in the same entry, a podSelector means this namespace alone' },
    ],
  };
}

const explainNamespace = ({ selector, of, fix }: NoNamespace, why: string): Explanation => ({
  what: `the namespace part ${shown(selector)} matches 0 of ${of} namespaces`,
  why,
  fixes: [...(fix === undefined ? [] : [fix]), { text: 'correct the namespaceSelector, or label the namespace that is meant' }],
});

const explainThere = ({ selector, namespaces }: NoPodThere, why: string): Explanation => ({
  what: `the namespace part matches ${listed(namespaces)}, but ${shown(selector)} no Pod and no template there`,
  why,
  fixes: [{ text: 'correct the podSelector, or the namespace' }],
});

const fixTowards = (text: string, { isCertain }: Nearest, path: FieldPath, value: unknown): Fix => ({
  text,
  ...editTowards(isCertain, [{ op: 'replace', path, value }]),
});
