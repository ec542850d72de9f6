/** Workloads as people know them, put together where no NetworkPolicy of the cluster tells them apart. */
import type { Direction, PortAnswers } from '../cluster/traffic/flow.ts';
import type { Group } from '../cluster/traffic/groups.ts';
import { allPorts, intersection, noPorts, union, without } from '../cluster/traffic/ports.ts';
import type { Traffic } from '../cluster/traffic/traffic.ts';
import type { ClusterView } from '../cluster/view.ts';
import { formatRef, refOf } from '../kube/resources.ts';
import { type Known, knownIn } from './alike.ts';

export interface FlowMember extends Known {
  /** `shop/web`; with the kind where two of a namespace have one name: `shop/deployment/web`. */
  readonly name: string;
}

/** Workloads of one namespace of which the same is true. */
export interface Alike {
  /** Its position among all sets. */
  readonly index: number;
  readonly namespace: string;
  readonly members: readonly [FlowMember, ...FlowMember[]];
}

export interface FlowSet extends Alike {
  /** Several where Pods of one workload differ to some policy, as in the middle of a rollout. */
  readonly groups: readonly [Group, ...Group[]];
  /** The policies that select some of the Pods and isolate them. */
  readonly isolatedBy: Readonly<Record<Direction, readonly string[]>>;
}

/** All workloads of the cluster, in order of namespace. */
export function flowSetsOf(view: ClusterView, traffic: Traffic): readonly FlowSet[] {
  const namespaces = [...new Set(traffic.groups.map(({ namespace }) => namespace))];
  const sets = namespaces.flatMap((namespace) => {
    const members = membersOf(view, namespace).map((member) => ({ member, groups: groupsOf(traffic, member) }));
    return [...Map.groupBy(members, ({ groups }) => groups.map(({ index }) => index).join()).values()];
  });
  return sets.map((alike, index): FlowSet => {
    const [{ groups }] = alike as [(typeof alike)[number]];
    const members = alike.map(({ member }) => member) as [FlowMember, ...FlowMember[]];
    const isolatedBy = { Ingress: policiesOf(groups, 'Ingress'), Egress: policiesOf(groups, 'Egress') };
    return { index, namespace: groups[0].namespace, members, groups, isolatedBy };
  });
}

/** In order of name. */
export function membersOf(view: ClusterView, namespace: string): readonly FlowMember[] {
  const known = knownIn(view, namespace).flatMap((one) => podByPod(view, one));
  const taken = Map.groupBy(known, ({ ref }) => ref.name);
  const named = known.map((one): FlowMember => ({ ...one, name: nameOf(one, (taken.get(one.ref.name) ?? []).length > 1) }));
  return named.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** People know Pods that nobody made one by one, however alike they are. */
function podByPod(view: ClusterView, known: Known): readonly Known[] {
  const [shape] = known.workloads;
  if (shape.kind !== 'Pod' || shape.owner !== undefined) return [known];
  const names = view.pods(shape).names(Number.POSITIVE_INFINITY);
  return names.map((name) => ({ ...known, title: `Pod ${name}`, ref: { ...known.ref, name } }));
}

function nameOf({ ref: { namespace, kind, name }, title }: Known, isShared: boolean): string {
  // `Pod pg-1 and 2 more`: of a maker whose kind we do not know.
  const called = kind === 'Pod' ? title.slice('Pod '.length) : name;
  return isShared ? `${namespace}/${kind.toLowerCase()}/${called}` : `${namespace}/${called}`;
}

function groupsOf(traffic: Traffic, { workloads }: Known): readonly [Group, ...Group[]] {
  const groups = new Set(workloads.flatMap((workload) => traffic.groupOf(workload) ?? []));
  return [...groups].sort((a, b) => a.index - b.index) as [Group, ...Group[]];
}

const policiesOf = (groups: readonly Group[], direction: Direction): readonly string[] => [
  ...new Set(groups.flatMap(({ binding }) => binding[direction].map(({ policy }) => formatRef(refOf(policy))))),
];

export const denied: PortAnswers = { allowed: noPorts, depends: noPorts };
const open: PortAnswers = { allowed: allPorts, depends: noPorts };

/** On which ports a workload of one set reaches another of the other; of Pods that differ, certain is what is true of all of them. */
export function answersBetween(traffic: Traffic, from: FlowSet, to: FlowSet): PortAnswers {
  if (from.isolatedBy.Egress.length + to.isolatedBy.Ingress.length === 0) return open;
  // What Pods send to themselves is no affair of policies, and is not told.
  if (from.groups.length + to.groups.length === 2) return traffic.between(from.groups[0], to.groups[0], true);
  return inCommon(from.groups.flatMap((one) => to.groups.map((other) => traffic.between(one, other, true))));
}

/** True of all of them, and true of some. */
export function inCommon([first = denied, ...others]: readonly PortAnswers[]): PortAnswers {
  if (others.length === 0) return first;
  const allowed = others.reduce((common, one) => intersection(common, one.allowed), first.allowed);
  const some = [first, ...others].reduce((all, one) => union(all, union(one.allowed, one.depends)), noPorts);
  return { allowed, depends: without(some, allowed) };
}
