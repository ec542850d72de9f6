/** Labels and the two selector languages of the API: plain maps (Services) and LabelSelectors (policies, workloads). */
import { onceFor } from './once-for.ts';
import type { LabelSelector, LabelSelectorRequirement, Labels } from './resources.ts';

/** One for all that have none: a policy that can be stored may hold 400,000 selectors without a label, of 150 bytes each. */
export const noLabels: Labels = Object.freeze(Object.create(null) as Labels);

/**
 * Copies the string values of an object to one without prototype, so that a label called `constructor` is only a label. A value
 * that is null, as a template leaves behind it where it has none, is stored as empty: Go decodes it so, in every map of strings.
 */
export function labelsOf(value: unknown, keep: (key: string) => boolean = () => true): Labels {
  if (typeof value !== 'object' || value === null) return noLabels;
  let labels: Record<string, string> | undefined;
  for (const [key, given] of Object.entries(value)) {
    const content = given === null ? '' : given;
    if (typeof content !== 'string' || !keep(key)) continue;
    labels ??= Object.create(null) as Record<string, string>;
    labels[key] = content;
  }
  return labels ?? noLabels;
}

/** The API server keeps it on each namespace, equal to its name (pkg/apis/core/v1 SetDefaults_Namespace). */
export const nameLabel = 'kubernetes.io/metadata.name';

/** A StatefulSet's label for a single Pod: its name. */
export const podNameLabel = 'statefulset.kubernetes.io/pod-name';

/**
 * Labels that a controller sets on each Pod alone. They stay out of what Pods have in common, and no template has them
 * (StatefulSet controller: pkg/controller/statefulset/stateful_set_utils.go; Job controller: pkg/controller/job/indexed_job_utils.go).
 */
export const perPodLabels: ReadonlySet<string> = new Set([
  podNameLabel,
  'apps.kubernetes.io/pod-index',
  'batch.kubernetes.io/job-completion-index',
]);

/** Labels that exist only on running Pods, set by a controller: a template says nothing about them. */
const runTimeLabels: ReadonlySet<string> = new Set([
  ...perPodLabels,
  'controller-revision-hash',
  'pod-template-hash',
  'pod-template-generation',
  'rollouts-pod-template-hash',
  'batch.kubernetes.io/job-name',
  'batch.kubernetes.io/controller-uid',
  'job-name',
  'controller-uid',
  'role',
  'spilo-role',
  'cnpg.io/instanceRole',
  'cnpg.io/instanceName',
  'istio.io/rev',
  // Vault and OpenBao (serviceregistration/kubernetes), Redis and SQL operators: who leads at the moment.
  'vault-active',
  'vault-initialized',
  'vault-perf-standby',
  'vault-sealed',
  'openbao-active',
  'openbao-initialized',
  'openbao-perf-standby',
  'openbao-sealed',
  'isMaster',
  'redis-role',
  'redisfailovers-role',
  'k8s.mariadb.com/role',
  'kubeblocks.io/role',
  'mysql.oracle.com/cluster-role',
  'postgres-operator.crunchydata.com/role',
]);

/** Whether a label's value may come at run time, so that its absence from a template proves nothing (rules.md D.1, 5). */
export const isRunTimeLabel = (key: string): boolean => runTimeLabels.has(key);

/**
 * Kinds to whose Pods no operator gives a `role`: it labels those of StatefulSets, or Pods that it makes itself, since a leader
 * has to keep its name. As a label of people's own, which the documentation of NetworkPolicy has in its examples, `role` is common.
 */
const withoutRoles: ReadonlySet<string> = new Set(['Deployment', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob']);

/** The same of the Pods that an object of this kind makes. */
export const mayComeAtRunTime = (key: string, kind: string): boolean => isRunTimeLabel(key) && !(key === 'role' && withoutRoles.has(kind));

/** Whether a StatefulSet of this name may make a Pod of that: `<name>-<ordinal>`. */
export const isPodNameOf = (statefulSet: string, pod: string): boolean =>
  pod.startsWith(`${statefulSet}-`) && /^\d+$/.test(pod.slice(statefulSet.length + 1));

/** Its pairs, listed once: a selector may hold 40,000 of them, and be asked for by ten rules. */
export const pairsOf = onceFor((labels: Labels): readonly (readonly [key: string, value: string])[] => Object.entries(labels));

/** Whether the labels carry every pair of a plain selector. An empty selector matches all; callers decide what that means. */
export function matchesPairs(selector: Labels, labels: Labels): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** apimachinery `labels.Requirement.Matches`: `NotIn` and `DoesNotExist` match what lacks the key. */
function meets({ key, operator, values }: LabelSelectorRequirement, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** Whether labels satisfy a LabelSelector; the empty selector matches everything. */
export const matchesSelector = (selector: LabelSelector, labels: Labels): boolean =>
  matchesPairs(selector.matchLabels, labels) && selector.matchExpressions.every((requirement) => meets(requirement, labels));

/** One for all that select everything, for the same reason as `noLabels`. */
export const everything: LabelSelector = Object.freeze({ matchLabels: noLabels, matchExpressions: [] });

export const selectsEverything = ({ matchLabels, matchExpressions }: LabelSelector): boolean =>
  Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;

/** `app=web,tier=front`, as kubectl writes labels. */
export const formatLabels = (labels: Labels): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

/** A LabelSelector as kubectl writes it: `app=web,tier in (a,b),!legacy`; `all` for the empty one. */
export function formatSelector({ matchLabels, matchExpressions }: LabelSelector): string {
  const parts = matchExpressions.map(({ key, operator, values }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
  });
  return [formatLabels(matchLabels), ...parts].filter((part) => part !== '').join(',') || 'all';
}
