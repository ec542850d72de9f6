/**
 * A NetworkPolicy binds the Pods that its podSelector selects. Where it selects none, it binds nobody: what it was meant
 * to isolate stays open, and what it was meant to allow stays shut. Policies are usually applied before their Pods, so
 * that only a changed selector, and a policy that has stood for a while, are worth a warning.
 */
import { z } from 'zod';
import { type NearestSelector, nearestSelector } from '../cluster/nearest-selector.ts';
import { meansSomebody } from '../cluster/policy-peers.ts';
import { carriedBy, countOf } from '../cluster/selection.ts';
import type { ClusterView } from '../cluster/view.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { display } from '../kube/display.ts';
import { formatSelector, selectsEverything } from '../kube/labels.ts';
import type { LabelSelector, NetworkPolicy, Workload } from '../kube/resources.ts';

export const networkPolicySubjectMatchesNothing = defineRule({
  id: 'network-policy-subject-matches-nothing',
  kinds: ['NetworkPolicy'],
  orderClass: 'forward',
  summary: 'The podSelector of a NetworkPolicy selects at least one Pod or Pod template',
  reads: ['Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    /** Helm and Argo CD apply policies before anything that makes Pods; a release may leave its component out. */
    selectsNobody: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'namespace',
      text: (facts: Nobody) => explain(facts, doesNothing),
    },
    /** A slip of the pen: the Pods that are meant are there. */
    misspelt: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      text: (facts: Nobody) => explain(facts, doesNothing),
    },
    /** The Pods were there, or never were: they do not come with a changed selector. */
    changedToNobody: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: (facts: Nobody) => explain(facts, 'The Pods that it selected until now are not bound by it any more.'),
    },
  },

  *check({ object: policy, before, cluster, known, finding }) {
    const { namespace } = policy.metadata;
    const { podSelector } = policy.spec;
    // All Pods of the namespace, whenever they come: a default for it.
    if (selectsEverything(podSelector) || meansSomebody(cluster, podSelector, namespace)) return;
    const workloads = known.workloads(namespace);
    const nearest = nearestSelector(podSelector, workloads, known);
    const facts = { podSelector, namespace, tally: countOf(workloads, known), workloads, closest: nearest && fixTowards(nearest) };
    const lost = before !== undefined && selectedSomebody(policy, before());
    const isMisspelt = nearest?.isCertain === true;
    yield finding(lost ? 'changedToNobody' : isMisspelt ? 'misspelt' : 'selectsNobody', ['spec', 'podSelector'], facts);
  },
});

interface Nobody {
  readonly podSelector: LabelSelector;
  readonly namespace: string;
  /** `0 of 41 Pods and 3 templates`. */
  readonly tally: string;
  readonly workloads: readonly Workload[];
  readonly closest: Fix | undefined;
}

/** Whether the policy as it was before this write selected one of the Pods there are. */
function selectedSomebody({ metadata: { namespace, name } }: NetworkPolicy, view: ClusterView): boolean {
  const earlier = view.get('NetworkPolicy', namespace, name)?.spec.podSelector;
  return earlier !== undefined && meansSomebody(view, earlier, namespace);
}

const doesNothing = 'The policy binds no Pod: as long as that is so, it does nothing.';

const longestSelector = 100;

function explain({ podSelector, namespace, tally, workloads, closest }: Nobody, why: string): Explanation {
  return {
    what: `${display(formatSelector(podSelector), longestSelector)} matches ${tally} in ${namespace}${closest === undefined ? carriedBy(workloads) : ''}`,
    why,
    fixes: [...(closest === undefined ? [] : [closest]), { text: 'correct the podSelector, or create the workload that it is for' }],
  };
}

const fixTowards = ({ corrected, text, isCertain }: NearestSelector): Fix => ({
  text,
  ...editTowards(isCertain, [{ op: 'replace', path: ['spec', 'podSelector', 'matchLabels'], value: corrected }]),
});
