/** Which declared connections a policy takes away, or the removal of one. */
import type { NetworkPolicy, Workload } from '../../kube/resources.ts';
import { selectedBy } from '../dns-rules.ts';
import type { Elsewhere } from '../elsewhere.ts';
import { effectOn } from '../traffic/effect.ts';
import { type Destination, type Direction, type Flow, flow } from '../traffic/flow.ts';
import type { ClusterView } from '../view.ts';
import { areAllKnown, dependenciesOf, type Subjects } from './declared.ts';
import { type Dependency, dependencyKinds } from './dependency.ts';
import { ConnectionsReader } from './foreign.ts';
import { dependenciesOfUnseen, flowFromUnseen, isUnseen } from './unseen-controller.ts';

/** A write of one policy, or the policy as it stands, where there is no before. */
export interface PolicyWrite {
  readonly policy: NetworkPolicy;
  readonly before: (() => ClusterView) | undefined;
  readonly cluster: ClusterView;
}

/** One way of a connection that is lost. */
export interface LostWay {
  readonly dependency: Dependency;
  /** The ends at which it is refused. */
  readonly refusedAt: readonly Direction[];
}

/** A connection as people read it, with all that is told of it. */
export interface Lost {
  readonly title: string;
  readonly ways: readonly [LostWay, ...LostWay[]];
}

export interface Losses {
  /** The gravest first. */
  readonly lost: readonly Lost[];
  /** Of how many declared ones that begin or end at the policy's Pods, and of which the reader may know; 0 where none is lost. */
  readonly of: number;
  /** There were more than were asked about. */
  readonly isCut: boolean;
}

/** So many ways are looked at for one write; of who declares more, the rest is left out. */
const most = 500;

export function lossesBy(write: PolicyWrite, elsewhere: Elsewhere | undefined): Losses {
  const subjects = { namespace: write.policy.metadata.namespace, workloads: subjectsOf(write) };
  if (subjects.workloads.size === 0) return none;
  const all = [...dependenciesOf(write.cluster, subjects).take(most + 1)];
  const unseen = areAllKnown(write.cluster) ? [...dependenciesOfUnseen(write.cluster, subjects.namespace).take(most + 1)] : [];
  const losses = lossesAmong(write, subjects, all);
  // Nobody is asked about where nothing is lost.
  const isNone = !losses.isCut && losses.lost.length === 0 && lossesAmong(write, subjects, unseen).lost.length === 0;
  if (isNone) return none;
  const reader = new ConnectionsReader(subjects.namespace, elsewhere);
  if (reader.seesAll && all.every((dependency) => reader.mayBeTold(dependency))) return losses;
  const told = dependenciesOf(write.cluster, subjects).filter((dependency) => reader.mayBeTold(dependency));
  // In the place of a controller that he may not know stands what his own namespace shows.
  return lossesAmong(write, subjects, [...(reader.seesAll ? [] : unseen), ...told.take(most + 1)].slice(0, most + 1));
}

const none: Losses = { lost: [], of: 0, isCut: false };

function lossesAmong(write: PolicyWrite, { workloads }: Subjects, found: readonly Dependency[]): Losses {
  const isCut = found.length > most;
  // Of the last one there may be more ways.
  const declared = isCut ? found.filter(({ title }) => title !== found.at(-1)?.title) : found;
  // Of an Ingress that its controller does not reach, the Ingress itself is told as it stands.
  const asked = write.before === undefined ? declared.filter(({ kind }) => kind !== 'ingress') : declared;
  const isOfSubjects = ({ from, to }: Dependency): boolean => workloads.has(from) || workloads.has(to.workload);
  const concerned = [...Map.groupBy(asked, ({ title }) => title).values()].filter((ways) => ways.some(isOfSubjects));
  const lost = inOrder(wholly(concerned, waysLost(write, concerned.flat())));
  return { lost, of: concerned.length, isCut };
}

/** The Pods that the policy certainly selects, now or before. */
function subjectsOf({ policy, before, cluster }: PolicyWrite): ReadonlySet<Workload> {
  const earlier = before?.().get('NetworkPolicy', policy.metadata.namespace, policy.metadata.name);
  return new Set([...selectedBy(cluster, policy), ...(earlier === undefined ? [] : selectedBy(cluster, earlier))]);
}

function waysLost({ policy, before, cluster }: PolicyWrite, declared: readonly Dependency[]): readonly LostWay[] {
  if (before === undefined)
    return declared.flatMap((dependency) => {
      const now = flow(cluster, dependency.from, dependency.to);
      return now.answer === 'denied' && isItsDoing(now, policy) ? { dependency, refusedAt: refusalsOf(now) } : [];
    });
  const [unseen, seen] = [declared.filter(isUnseen), declared.filter((dependency) => !isUnseen(dependency))];
  const { lost } = effectOn(before(), cluster, seen);
  return [
    ...unseen
      .filter(({ to }) => isShut(cluster, to) && !isShut(before(), to))
      .map((dependency) => ({ dependency, refusedAt: ['Ingress'] as const })),
    ...lost.map(({ question, after }) => ({ dependency: question, refusedAt: refusalsOf(after) })),
  ];
}

const isShut = (view: ClusterView, to: Destination): boolean => flowFromUnseen(view, to).answer === 'denied';

/** The ends that certainly say no. */
export const refusalsOf = ({ egress, ingress }: Flow): readonly Direction[] => [
  ...(egress.answer === 'denied' ? (['Egress'] as const) : []),
  ...(ingress.answer === 'denied' ? (['Ingress'] as const) : []),
];

/** Where no other policy isolates the end that refuses, the connection would be allowed without this one. */
const isItsDoing = ({ egress, ingress }: Flow, { metadata }: NetworkPolicy): boolean =>
  [egress, ingress].every(
    ({ answer, isolatedBy }) =>
      answer === 'allowed' ||
      isolatedBy.every((other) => other.metadata.name === metadata.name && other.metadata.namespace === metadata.namespace),
  );

/** Connections of which every way is lost: of some Pods behind a Service others may take their part. */
function wholly(declared: readonly (readonly Dependency[])[], ways: readonly LostWay[]): readonly Lost[] {
  const byDependency = new Map(ways.map((way) => [way.dependency, way]));
  return declared.flatMap((all): readonly Lost[] => {
    const [first, ...others] = all.flatMap((dependency) => byDependency.get(dependency) ?? []);
    return first === undefined || others.length + 1 < all.length ? [] : [{ title: first.dependency.title, ways: [first, ...others] }];
  });
}

const inOrder = (lost: readonly Lost[]): readonly Lost[] =>
  lost.toSorted((a, b) => dependencyKinds.indexOf(a.ways[0].dependency.kind) - dependencyKinds.indexOf(b.ways[0].dependency.kind));
