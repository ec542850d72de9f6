/** Which declared connections a policy takes away, or the removal of one. */
import { selectsEverything } from '../../kube/labels.ts';
import { formatRef, type NetworkPolicy, refOf } from '../../kube/resources.ts';
import type { Elsewhere } from '../elsewhere.ts';
import { type PolicyWrite, subjectsOf } from '../policy-write.ts';
import { effectOn } from '../traffic/effect.ts';
import { type Destination, type Direction, type Flow, flow } from '../traffic/flow.ts';
import type { ClusterView } from '../view.ts';
import { areAllKnown, dependenciesOf, type Subjects } from './declared.ts';
import { type Dependency, dependencyKinds } from './dependency.ts';
import { ConnectionsReader } from './foreign.ts';
import { dependenciesOfUnseen, flowFromUnseen, isUnseen } from './unseen-controller.ts';

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
  const lost = inOrder(wholly(write, concerned, waysLost(write, concerned.flat())));
  return { lost, of: concerned.length, isCut };
}

function waysLost({ policy, before, cluster }: PolicyWrite, declared: readonly Dependency[]): readonly LostWay[] {
  if (before === undefined)
    return declared.flatMap((dependency) => {
      const now = flow(cluster, dependency.from, dependency.to);
      return now.answer === 'denied' && tellerOf(now) === nameOf(policy) ? { dependency, refusedAt: refusalsOf(now) } : [];
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

/**
 * The policy at which a connection is told that fails as things stand, where several isolate: each of them would do alone, and
 * one finding is enough. Who lets some in to certain Pods has forgotten this one; else it is the default deny.
 */
function tellerOf({ egress, ingress }: Flow): string | undefined {
  const refusing = [ingress, egress].flatMap(({ answer, isolatedBy }) => (answer === 'denied' ? isolatedBy : []));
  const isChosen = ({ spec }: NetworkPolicy): boolean => !selectsEverything(spec.podSelector);
  const hasRules = ({ spec }: NetworkPolicy): boolean => spec.ingress.length + spec.egress.length > 0;
  const teller = refusing.find((one) => isChosen(one) && hasRules(one)) ?? refusing.find((one) => !hasRules(one)) ?? refusing[0];
  return teller === undefined ? undefined : nameOf(teller);
}

const nameOf = (policy: NetworkPolicy): string => formatRef(refOf(policy));

/**
 * Connections that lose a way by this write and have none left after it, whichever write took the others. While one is left,
 * or may be, nothing is said: who shuts some of the Pods behind a Service may be taking an old version out of use.
 */
function wholly({ before, cluster }: PolicyWrite, declared: readonly (readonly Dependency[])[], ways: readonly LostWay[]): readonly Lost[] {
  const byDependency = new Map(ways.map((way) => [way.dependency, way]));
  return declared.flatMap((all): readonly Lost[] => {
    const [first, ...others] = all.flatMap((dependency) => byDependency.get(dependency) ?? []);
    if (first === undefined || !all.every((dependency) => byDependency.has(dependency) || isRefused(cluster, dependency))) return [];
    // As things stand, the first way decides which policy tells it.
    const isTold = before !== undefined || first.dependency === all[0];
    return isTold ? [{ title: first.dependency.title, ways: [first, ...others] }] : [];
  });
}

function isRefused(cluster: ClusterView, dependency: Dependency): boolean {
  const { from, to } = dependency;
  return isUnseen(dependency) ? isShut(cluster, to) : flow(cluster, from, to).answer === 'denied';
}

const inOrder = (lost: readonly Lost[]): readonly Lost[] =>
  lost.toSorted((a, b) => dependencyKinds.indexOf(a.ways[0].dependency.kind) - dependencyKinds.indexOf(b.ways[0].dependency.kind));
