/**
 * A Service sends traffic to the Pods that its selector matches. Where it matches none, the Service has no endpoints and
 * every connection to it is refused or times out. Usually a label was renamed on one side only.
 */
import { z } from 'zod';
import { asBackends, selectsPods } from '../cluster/backends.ts';
import type { Elsewhere } from '../cluster/elsewhere.ts';
import { areCertain, carriedBy, correctedSelector, countOf, pairsOfNobody } from '../cluster/selection.ts';
import { type Candidate, candidateFor, stillToCome } from '../cluster/selector-misses.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { formatLabels, labelsOf, matchesPairs } from '../kube/labels.ts';
import type { Labels, Workload } from '../kube/resources.ts';

export const serviceSelectorMatchesNoPods = defineRule({
  id: 'service-selector-matches-no-pods',
  kinds: ['Service'],
  orderClass: 'forward',
  summary: 'A Service selector matches at least one Pod or Pod template',
  reads: ['Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({
    ignoreLabelKeys: z
      .array(z.string())
      .default([])
      .describe('Label keys that some controller sets at run time, so that Pod templates lack them'),
  }),

  messages: {
    noPodMatches: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      // An old Service with two wrong labels may be repaired one by one.
      defects: ({ selector, workloads }: NoPodMatches) => pairsOfNobody(selector, workloads),
      isEvident: ({ fixes }: NoPodMatches) => fixes.some(({ patch }) => patch !== undefined),
      text: ({ selector, namespace, tally, fixes, workloads, inApply }: NoPodMatches): Explanation => ({
        what: `${formatLabels(selector)} matches ${tally} in ${namespace}${fixes.length > 0 ? '' : carriedBy(workloads)}`,
        why: `The Service has no endpoints, so every connection to it fails.${inApply && fixes.length === 0 ? comesLater : ''}`,
        fixes: [...fixes, { text: `create the workload with Pod labels ${formatLabels(selector)}, or correct the selector` }],
      }),
    },
    /** A controller labels running Pods: which of them leads, which revision they are of, which ordinal they have. */
    noPodYet: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: ({ namespace, tally, pairs }: NoPodMatches & { readonly pairs: Labels }): Explanation => ({
        what: `no Pod carries ${formatLabels(pairs)} yet, which a controller sets at run time; the selector matches ${tally} in ${namespace}`,
        why: 'The Service has no endpoints until one does.',
        fixes: [{ text: 'wait for that Pod, or correct the selector' }],
      }),
    },
    /** Nothing but such labels is asked for, so that any Pod may get them: nobody knows. */
    onlyRunTimeLabels: {
      severity: 'info',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'namespace',
      text: ({ namespace, tally, fixes, pairs }: NoPodMatches & { readonly pairs: Labels }): Explanation => ({
        what: `no Pod carries ${formatLabels(pairs)}, which a controller may set at run time; the selector matches ${tally} in ${namespace}`,
        why: 'The Service has no endpoints until one does, and no Pod template tells whether that will be.',
        fixes: [...fixes, { text: 'add a label that the Pod template carries to the selector' }],
      }),
    },
    operatorBringsPods: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      text: ({ namespace, tally, pairs }: NoPodMatches & { readonly pairs: Labels }): Explanation => ({
        what: `nothing carries ${formatLabels(pairs)}, as an operator may label its Pods; the selector matches ${tally} in ${namespace}`,
        why: 'The Service has no endpoints until such Pods are there.',
        fixes: [{ text: 'wait for the operator, or correct the selector' }],
      }),
    },
    /** Operators create their Services first, and give up where one is refused. */
    ownerBringsPods: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      text: ({ selector, namespace, tally, owner }: NoPodMatches & { readonly owner: string }): Explanation => ({
        what: `${formatLabels(selector)} matches ${tally} in ${namespace}; the Service belongs to ${owner}, whose controller may bring them`,
        why: 'The Service has no endpoints until it does.',
        fixes: [{ text: `wait for the Pods of ${owner}` }],
      }),
    },
  },

  *check({ object: service, cluster, known, elsewhere, offline, isSurvey, options, finding }) {
    const { namespace, owner } = service.metadata;
    const { selector } = service.spec;
    const { ignoreLabelKeys } = options;
    const asked = ignoreLabelKeys.length === 0 ? selector : labelsOf(selector, (key) => !ignoreLabelKeys.includes(key));
    if (!selectsPods(service) || Object.keys(asked).length === 0) return;
    if (cluster.workloadsSelectedBy(asked, namespace).length > 0) return;

    const workloads = known.workloads(namespace);
    const closest = candidateFor(asked, workloads, known);
    const fixes = [
      ...(closest === undefined ? [] : [fixTowards(closest, selector, workloads)]),
      ...(elsewhere === undefined ? [] : fixesElsewhere(asked, elsewhere)),
    ];
    const data = { selector: asked, namespace, tally: countOf(workloads, known), fixes, workloads, inApply: !offline && !isSurvey };
    const path = ['spec', 'selector'];
    const toCome = stillToCome(asked, workloads, fixes.length > 0);
    if (owner !== undefined) yield finding('ownerBringsPods', path, { ...data, owner: owner.replace('/', ' ') });
    else if (toCome !== undefined) yield finding(toCome.message, path, { ...data, pairs: toCome.pairs });
    else yield finding('noPodMatches', path, data, closest ? [closest.ref] : []);
  },
});

interface NoPodMatches {
  readonly selector: Labels;
  readonly namespace: string;
  /** `0 of 41 Pods and 3 templates`. */
  readonly tally: string;
  readonly fixes: readonly Fix[];
  /** All that is or makes Pods here. */
  readonly workloads: readonly Workload[];
  /** Other objects may follow in the same apply. */
  readonly inApply: boolean;
}

const comesLater = ' Where its workload comes later in the same apply, apply again.';

function fixTowards({ title, differences }: Candidate, selector: Labels, workloads: readonly Workload[]): Fix {
  const { corrected, change } = correctedSelector(selector, differences);
  const edit = [{ op: 'replace', path: ['spec', 'selector'], value: corrected }] as const;
  return { text: `did you mean ${change} (${title})?`, ...editTowards(areCertain(differences, workloads), edit) };
}

/** The Pods may simply be in another namespace than the one this was applied to. */
function fixesElsewhere(selector: Labels, elsewhere: Elsewhere): readonly Fix[] {
  const carries = ({ pod }: Workload): boolean => matchesPairs(selector, pod.labels);
  const match = elsewhere.those('Template', carries)[0] ?? elsewhere.those('Pod', carries)[0];
  if (match === undefined) return [];
  const { namespace } = match.metadata;
  const backend = asBackends([match], elsewhere)[0];
  return [
    {
      text: `${backend?.title} in ${namespace} carries these labels: create the Service there, since it selects only in its own namespace`,
    },
  ];
}
