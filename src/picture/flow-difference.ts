/** What one state of a cluster allows and another does not, workload by workload. One that is in one state only has no connections in the other. */
import type { Direction, PortAnswers } from '../cluster/traffic/flow.ts';
import { directions } from '../cluster/traffic/groups.ts';
import { formatPorts, noPorts, type Ports, union, without } from '../cluster/traffic/ports.ts';
import { type Traffic, trafficOf } from '../cluster/traffic/traffic.ts';
import type { ClusterView } from '../cluster/view.ts';
import { blockHoldsBlock } from '../kube/cidr.ts';
import { listed } from '../kube/listed.ts';
import { formatRef } from '../kube/resources.ts';
import { Numbered, pairsOf, rectangles } from './flow-map.ts';
import { Names, namesOf } from './flow-names.ts';
import { blocksIn, outsideAnswers } from './flow-outside.ts';
import { reasonOf } from './flow-reasons.ts';
import { mostRunesOfBlock, outsideName, type ToldSide, type ToldWorkload } from './flow-report.ts';
import { type Alike, answersBetween, denied, type FlowMember, type FlowSet, flowSetsOf } from './flow-sets.ts';

/** `unsure`: of which nothing certain is said before, or after. */
export type ChangeKind = 'lost' | 'gained' | 'unsure';

export interface FlowChange {
  readonly change: ChangeKind;
  readonly from: ToldSide;
  readonly to: ToldSide;
  readonly ports: string;
  readonly why: string;
  /** Of two different workloads; to or from outside, how many workloads. */
  readonly pairs: number;
}

/** Workloads of which the same is true before, and after. */
export interface ComparedSet {
  readonly namespace: string;
  readonly workloads: readonly ToldWorkload[];
  /** Whether they are there. */
  readonly before: boolean;
  readonly after: boolean;
}

export interface FlowDifference {
  readonly sets: readonly ComparedSet[];
  readonly changes: readonly FlowChange[];
  /** Names of workloads that are in one state only. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Workloads that are of one set before and of one set after; of none where they are not there. */
interface AlikeInBoth extends Alike {
  readonly before: FlowSet | undefined;
  readonly after: FlowSet | undefined;
}

/** Reads all workloads, namespaces and policies of both. */
export function flowDifference(before: ClusterView, after: ClusterView): FlowDifference {
  const [then, now] = [trafficOf(before), trafficOf(after)];
  const sets = setsOf(flowSetsOf(before, then), flowSetsOf(after, now));
  const names = new Names(sets);
  const numbered = new Numbered();
  const cellOf = (from: AlikeInBoth, to: AlikeInBoth): number =>
    numberOf(numbered, answersOf(then, from.before, to.before), answersOf(now, from.after, to.after));
  const inside = rectangles(sets, cellOf).flatMap(({ from, to, cell }) => {
    const pairs = pairsOf(from, to);
    if (pairs === 0) return [];
    const said = {
      from: { name: names.of(from, to), sets: from.map(positionOf) },
      to: { name: names.of(to), sets: to.map(positionOf) },
      pairs,
    };
    return changesOf(numbered.of(cell), (change, ports) => ({ ...said, why: whyOf(after, from, to, change, ports) }));
  });
  const changes = [...inside, ...outsideChanges(names, sets)].sort(inOrder);
  const only = (which: 'before' | 'after'): readonly string[] => sets.filter((set) => set[which] === undefined).flatMap(namesOf);
  return { sets: sets.map(comparedSet), changes, added: only('before'), removed: only('after') };
}

const positionOf = ({ index }: Alike): number => index;

const comparedSet = ({ namespace, members, before, after }: AlikeInBoth): ComparedSet => ({
  namespace,
  workloads: members.map(({ name, ref }) => ({ name, ref })),
  before: before !== undefined,
  after: after !== undefined,
});

function setsOf(before: readonly FlowSet[], after: readonly FlowSet[]): readonly AlikeInBoth[] {
  const placed = (sets: readonly FlowSet[]): ReadonlyMap<string, readonly [FlowMember, FlowSet]> =>
    new Map(sets.flatMap((set) => set.members.map((member) => [formatRef(member.ref), [member, set] as const] as const)));
  const [then, now] = [placed(before), placed(after)];
  const all = [...new Set([...then.keys(), ...now.keys()])].sort();
  const alike = Map.groupBy(all, (key) => `${then.get(key)?.[1].index} ${now.get(key)?.[1].index}`);
  return [...alike.values()].map((keys, index) => {
    const members = keys.flatMap((key) => (now.get(key) ?? then.get(key))?.[0] ?? []) as [FlowMember, ...FlowMember[]];
    const [key = ''] = keys;
    return { index, namespace: members[0].ref.namespace, members, before: then.get(key)?.[1], after: now.get(key)?.[1] };
  });
}

const answersOf = (traffic: Traffic, from: FlowSet | undefined, to: FlowSet | undefined): PortAnswers =>
  from === undefined || to === undefined ? denied : answersBetween(traffic, from, to);

const noCell = -1;

/** Of what is lost, gained and uncertain; none where nothing is. */
function numberOf(numbered: Numbered, then: PortAnswers, now: PortAnswers): number {
  const lost = without(then.allowed, union(now.allowed, now.depends));
  const gained = without(now.allowed, union(then.allowed, then.depends));
  const unsure = union(without(then.depends, now.depends), without(now.depends, then.depends));
  return lost.length + gained.length + unsure.length === 0 ? noCell : numbered.numberOf(lost, gained, unsure);
}

const kinds: readonly ChangeKind[] = ['lost', 'gained', 'unsure'];

const changesOf = (
  ports: readonly Ports[],
  told: (change: ChangeKind, ports: Ports) => Omit<FlowChange, 'change' | 'ports'>,
): readonly FlowChange[] =>
  kinds.flatMap((change, at) => {
    const those = ports[at] ?? noPorts;
    return those.length === 0 ? [] : [{ change, ports: formatPorts(those), ...told(change, those) }];
  });

/** As things are afterwards: what isolates, what allows. */
function whyOf(view: ClusterView, from: readonly AlikeInBoth[], to: readonly AlikeInBoth[], change: ChangeKind, ports: Ports): string {
  const placed = (sets: readonly AlikeInBoth[]): readonly FlowSet[] =>
    sets.flatMap(({ after, members }) => (after === undefined ? [] : [{ ...after, members }]));
  const [sources, targets] = [placed(from), placed(to)];
  if (sources.length === 0 || targets.length === 0) return 'one of the two is gone';
  const answer = change === 'lost' ? 'denied' : change === 'gained' ? 'allowed' : 'depends';
  return reasonOf(view, { from: sources, to: targets, answer, ports, pairs: 0 });
}

function outsideChanges(names: Names, sets: readonly AlikeInBoth[]): readonly FlowChange[] {
  return directions.flatMap((direction) => {
    const numbered = new Numbered();
    const told = sets.flatMap((set) => outsideCells(numbered, set, direction).map((one) => ({ set, ...one })));
    const alike = Map.groupBy(told, ({ title, but, cell }) => `${cell} ${title} but ${but.join()}`);
    return [...alike.values()].flatMap((some) => {
      const [{ title, but, cell }] = some as [(typeof some)[number]];
      const outside = outsideSide(title, but);
      const within = some.map(({ set }) => set);
      const inside: ToldSide = { name: names.of(within), sets: within.map(positionOf) };
      const [from, to] = direction === 'Ingress' ? [outside, inside] : [inside, outside];
      const pairs = some.reduce((sum, { set }) => sum + set.members.length, 0);
      return changesOf(numbered.of(cell), () => ({ from, to, pairs, why: '' }));
    });
  });
}

function outsideSide(title: string, but: readonly string[]): ToldSide {
  const words = [...(title === '' ? [] : [title]), ...(but.length === 0 ? [] : [`but ${listed(but, 3, mostRunesOfBlock)}`])].join(' ');
  const name = words === '' ? outsideName : `${outsideName} (${words})`;
  return { name, sets: undefined, addresses: title === '' ? [] : [title], but };
}

interface OutsideCell {
  /** Empty for any address. */
  readonly title: string;
  /** Blocks within of which something else becomes, or nothing. */
  readonly but: readonly string[];
  readonly cell: number;
}

/** A policy may name thousands of blocks; which of them lie within others is looked at where there are few. */
const mostCompared = 50;

/** What becomes of any address, and of blocks of which something else becomes. */
function outsideCells(numbered: Numbered, { before, after }: AlikeInBoth, direction: Direction): readonly OutsideCell[] {
  const blocks = new Map([before, after].flatMap((set) => (set === undefined ? [] : [...blocksIn(set, direction)])));
  const cellFor = (title: string): number => {
    const of = (set: FlowSet | undefined): PortAnswers => (set === undefined ? denied : outsideAnswers(set, direction, blocks.get(title)));
    return numberOf(numbered, of(before), of(after));
  };
  const anywhere = cellFor('');
  const all = Array.from(blocks, ([title, { cidr }]) => ({ title, cidr, cell: cellFor(title) }));
  const others = all.filter(({ cell }) => cell !== anywhere);
  const within = (cidr: string, its: number): readonly string[] =>
    all.length > mostCompared
      ? []
      : all.filter((one) => one.cell !== its && one.cidr !== cidr && blockHoldsBlock(cidr, one.cidr) === true).map(({ title }) => title);
  return [
    { title: '', but: others.map(({ title }) => title), cell: anywhere },
    ...others.map(({ title, cidr, cell }) => ({ title, but: cell === noCell ? [] : within(cidr, cell), cell })),
  ].filter(({ cell }) => cell !== noCell);
}

const inOrder = (a: FlowChange, b: FlowChange): number =>
  kinds.indexOf(a.change) - kinds.indexOf(b.change) ||
  compared(a.to.name, b.to.name) ||
  compared(a.from.name, b.from.name) ||
  compared(a.ports, b.ports);

const compared = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
