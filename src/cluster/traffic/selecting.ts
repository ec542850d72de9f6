/** Which policies select such Pods: found out once for a workload and a state of its namespace's policies. */
import { isRunTimeLabel, labelsOf, matchesSelector, mayComeAtRunTime, perPodLabels } from '../../kube/labels.ts';
import { onceFor } from '../../kube/once-for.ts';
import type { LabelSelector, NetworkPolicy, Workload } from '../../kube/resources.ts';
import type { ClusterView } from '../view.ts';
import type { Direction } from './flow.ts';
import { isolatesIn } from './policy-rules.ts';

/** A policy that selects such Pods; `label`: some of them, or only once they run. */
export interface Selecting {
  readonly policy: NetworkPolicy;
  readonly selected: true | 'label';
}

/** Those of `selecting` that isolate in a direction, in order of name. */
export const isolating = (view: ClusterView, workload: Workload, direction: Direction): readonly Selecting[] =>
  policiesOf(view, workload)[direction];

/** The policies of the namespace that select such Pods, or may, in order of name; whether or not the Pods are on their host's network. */
export const selecting = (view: ClusterView, workload: Workload): readonly Selecting[] => policiesOf(view, workload).all;

/** The policies that select such Pods, or may: all of them, and those that isolate the Pods in a direction. */
export interface Binding extends Readonly<Record<Direction, readonly Selecting[]>> {
  readonly all: readonly Selecting[];
}

/** A snapshot lists the same policies as the same array, so that it tells whether what was found out still holds. */
const policiesOf = (view: ClusterView, workload: Workload): Binding =>
  bindingAmong(view, view.list('NetworkPolicy', workload.metadata.namespace), workload);

const byList = new WeakMap<readonly NetworkPolicy[], { readonly index: Index; readonly bindings: WeakMap<Workload, Binding> }>();

/** Of the policies of its namespace, those that bind such Pods. Kept by the list, so it should be one that stays. */
export function bindingAmong(view: Steps, policies: readonly NetworkPolicy[], workload: Workload): Binding {
  const known = byList.get(policies) ?? { index: indexOf(view, policies), bindings: new WeakMap<Workload, Binding>() };
  if (!byList.has(policies)) byList.set(policies, known);
  const binding = known.bindings.get(workload);
  if (binding !== undefined) return binding;
  const made = searchIn(view, known.index, workload);
  known.bindings.set(workload, made);
  return made;
}

/** What a long loop needs of a view. */
export type Steps = Pick<ClusterView, 'step'>;

function searchIn(view: Steps, index: Index, workload: Workload): Binding {
  const all = candidatesIn(index, workload).flatMap((at): readonly Selecting[] => {
    view.step();
    const policy = index.policies[at] as NetworkPolicy;
    const selected = selects(policy.spec.podSelector, workload);
    return selected === false ? [] : [{ policy, selected }];
  });
  const isolatedIn = (direction: Direction): readonly Selecting[] => all.filter(({ policy }) => isolatesIn(policy, direction));
  return { all, Ingress: isolatedIn('Ingress'), Egress: isolatedIn('Egress') };
}

/** Policies by one pair that Pods must carry, so that a workload need not be held against all of them. */
interface Index {
  readonly policies: readonly NetworkPolicy[];
  readonly byPair: ReadonlyMap<string, readonly number[]>;
  /** Positions of those that ask for no pair, or only for one that comes at run time. */
  readonly others: readonly number[];
}

function indexOf(view: Steps, policies: readonly NetworkPolicy[]): Index {
  const byPair = new Map<string, number[]>();
  const others: number[] = [];
  for (const [at, { spec }] of policies.entries()) {
    view.step();
    const pair = settledPairOf(spec.podSelector);
    if (pair === undefined) others.push(at);
    else if (byPair.has(pair)) byPair.get(pair)?.push(at);
    else byPair.set(pair, [at]);
  }
  return { policies, byPair, others };
}

export const textOfPair = (key: string, value: string): string => `${key}=${value}`;

/** The first pair of a selector that no controller adds later: without it, Pods are certainly not selected. */
export function settledPairOf({ matchLabels }: LabelSelector): string | undefined {
  for (const key in matchLabels) if (!isRunTimeLabel(key)) return textOfPair(key, matchLabels[key] as string);
  return undefined;
}

function candidatesIn({ byPair, others }: Index, { pod }: Workload): readonly number[] {
  const found = [...others];
  for (const key in pod.labels) found.push(...(byPair.get(textOfPair(key, pod.labels[key] as string)) ?? []));
  return found.sort((a, b) => a - b);
}

const asksOfRunTime = onceFor(
  ({ matchLabels, matchExpressions }: LabelSelector): boolean =>
    Object.keys(matchLabels).some(isRunTimeLabel) || matchExpressions.some(({ key }) => isRunTimeLabel(key)),
);

/** Whether a selector selects such Pods: `label` where it asks for one that only running, or only single, Pods have. */
export function selects(selector: LabelSelector, { kind, pod }: Workload): boolean | 'label' {
  if (!asksOfRunTime(selector)) return matchesSelector(selector, pod.labels);
  const isUnknown = (key: string): boolean =>
    pod.labels[key] === undefined && (kind === 'Pod' ? perPodLabels.has(key) : mayComeAtRunTime(key, kind));
  const matchLabels = labelsOf(selector.matchLabels, (key) => !isUnknown(key));
  const matchExpressions = selector.matchExpressions.filter(({ key }) => !isUnknown(key));
  if (!matchesSelector({ matchLabels, matchExpressions }, pod.labels)) return false;
  const whole =
    matchExpressions.length === selector.matchExpressions.length && !Object.keys(selector.matchLabels).some((key) => isUnknown(key));
  return whole || 'label';
}
