/**
 * Whom a write of a policy concerns. An update that moves a policy to other Pods, or takes a direction from it, leaves those that
 * it bound before to the policies beside it: what it let in or out there is lost as if it had been removed.
 */
import { display } from '../kube/display.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { formatSelector } from '../kube/labels.ts';
import { listed } from '../kube/listed.ts';
import type { NetworkPolicy, Workload } from '../kube/resources.ts';
import { selectedBy } from './dns-rules.ts';
import type { Direction } from './traffic/flow.ts';
import { isolatesIn, rulesOf } from './traffic/policy-rules.ts';
import { isolating, selects } from './traffic/selecting.ts';
import type { ClusterView } from './view.ts';

/** A write of one policy, or the policy as it stands, where there is no before. */
export interface PolicyWrite {
  readonly policy: NetworkPolicy;
  readonly before: (() => ClusterView) | undefined;
  readonly cluster: ClusterView;
}

/** The policy as it was, and as it is now or, where it is removed, was too. */
export function statesOf({ policy, before }: PolicyWrite): readonly NetworkPolicy[] {
  const earlier = before?.().get('NetworkPolicy', policy.metadata.namespace, policy.metadata.name);
  return earlier === undefined ? [policy] : [policy, earlier];
}

/** The Pods that the policy certainly selects, now or before. */
export const subjectsOf = (write: PolicyWrite): ReadonlySet<Workload> => selectedByAny(write, statesOf(write));

/** Those that it isolates in a direction, now or before. */
export const boundBy = (write: PolicyWrite, direction: Direction): ReadonlySet<Workload> =>
  selectedByAny(
    write,
    statesOf(write).filter((one) => isolatesIn(one, direction)),
  );

const selectedByAny = ({ cluster }: PolicyWrite, policies: readonly NetworkPolicy[]): ReadonlySet<Workload> =>
  new Set(policies.flatMap((one) => selectedBy(cluster, one)));

/** Those that it isolated in a direction before an update, and does not any more. */
export function desertedBy(write: PolicyWrite, direction: Direction): readonly Workload[] {
  const [policy, was] = statesOf(write);
  if (policy === undefined || was === undefined || !isolatesIn(was, direction)) return [];
  return selectedBy(write.cluster, was).filter(
    (workload) => !isolatesIn(policy, direction) || selects(policy.spec.podSelector, workload) !== true,
  );
}

/** Pods that an update has left to the policies beside it. */
export interface Left {
  /** What has taken the policy from them: `spec.podSelector`, or `spec.policyTypes`. */
  readonly path: FieldPath;
  readonly was: NetworkPolicy;
  /** The policies that isolate them now, all of the same namespace. */
  readonly others: readonly NetworkPolicy[];
  readonly putBack: PuttingBack;
}

/** How to undo it: in words, and as an edit of the policy. */
interface PuttingBack {
  readonly text: string;
  readonly patch: readonly { readonly op: 'add' | 'replace'; readonly path: FieldPath; readonly value: unknown }[];
}

/** Undefined where the policy still isolates some of these Pods itself, or never did. */
export function leftBy(write: PolicyWrite, workloads: readonly Workload[], direction: Direction): Left | undefined {
  const [policy, was] = statesOf(write);
  if (policy === undefined || was === undefined) return undefined;
  const selected = (one: NetworkPolicy): boolean => workloads.some((workload) => selects(one.spec.podSelector, workload) === true);
  const binds = (one: NetworkPolicy): boolean => isolatesIn(one, direction) && selected(one);
  if (binds(policy) || !binds(was)) return undefined;
  const others = workloads.flatMap((workload) => isolating(write.cluster, workload, direction).map((one) => one.policy));
  const path = ['spec', selected(policy) ? 'policyTypes' : 'podSelector'];
  return { path, was, others: [...new Set(others)], putBack: puttingBack(policy, was, direction, selected(policy)) };
}

/** `NetworkPolicy deny and other`. */
export const formatOthers = ({ others }: Left): string =>
  `NetworkPolicy ${listed(
    others.map(({ metadata }) => metadata.name),
    2,
  )}`;

const longestSelector = 80;

/** Rules that went along with it come back too; others that stand in their place stay. */
function puttingBack(policy: NetworkPolicy, was: NetworkPolicy, direction: Direction, isSelected: boolean): PuttingBack {
  const key = direction === 'Egress' ? 'egress' : 'ingress';
  const isUnlisted = !isolatesIn(policy, direction);
  const isEmptied = rulesOf(policy, direction).length === 0 && rulesOf(was, direction).length > 0;
  const patch: PuttingBack['patch'] = [
    ...(isSelected ? [] : [{ op: 'replace', path: ['spec', 'podSelector'], value: was.spec.podSelector } as const]),
    ...(isUnlisted ? [{ op: 'add', path: ['spec', 'policyTypes', '-'], value: direction } as const] : []),
    ...(isEmptied ? [{ op: 'add', path: ['spec', key], value: was.spec[key] } as const] : []),
  ];
  const steps = [
    ...(isSelected ? [] : [`select ${display(formatSelector(was.spec.podSelector), longestSelector)}`]),
    ...(isUnlisted ? [`list ${direction} in policyTypes`] : []),
    ...(isEmptied ? [`bring spec.${key} back`] : []),
  ];
  return { text: `${listed(steps)} again, as before this update`, patch };
}
