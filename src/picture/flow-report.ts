/** Who may talk to whom, told: lines in their order, each with its reason. What is open to everybody comes first. */
import type { Answer } from '../cluster/traffic/flow.ts';
import { formatPorts } from '../cluster/traffic/ports.ts';
import type { ClusterView } from '../cluster/view.ts';
import { listed } from '../kube/listed.ts';
import type { ObjectRef } from '../kube/resources.ts';
import type { FlowLine, FlowMap } from './flow-map.ts';
import { Names } from './flow-names.ts';
import { type OutsideLine, outsideLines, speakersOf } from './flow-outside.ts';
import { reasonOf, titled } from './flow-reasons.ts';
import type { FlowSet } from './flow-sets.ts';

/** `open`: to every address, and so to every workload that may send. `isolated`: from no workload. `outside`: one of the two is beyond the cluster. */
export type FlowSection = 'open' | 'isolated' | 'outside' | 'allowed' | 'depends' | 'denied';

/** One side of a line. */
export interface ToldSide {
  readonly name: string;
  /** Positions of sets; undefined for what is outside the cluster. */
  readonly sets: readonly number[] | undefined;
  /** Of what is outside, which addresses; none for any. */
  readonly addresses?: readonly string[];
  /** Of any address, which ones not. */
  readonly but?: readonly string[];
}

export interface ToldFlow {
  readonly section: FlowSection;
  readonly from: ToldSide;
  readonly to: ToldSide;
  readonly answer: Answer;
  /** `8080/TCP`; empty if it is denied. */
  readonly ports: string;
  readonly why: string;
  readonly pairs: number;
}

export interface ToldWorkload {
  readonly name: string;
  readonly ref: ObjectRef;
}

export interface ToldSet {
  readonly namespace: string;
  readonly workloads: readonly ToldWorkload[];
  readonly isolatedBy: { readonly ingress: readonly string[]; readonly egress: readonly string[] };
}

export interface FlowReport {
  readonly sets: readonly ToldSet[];
  readonly flows: readonly ToldFlow[];
  readonly pairs: Readonly<Record<Answer, number>>;
}

const sections: readonly FlowSection[] = ['open', 'isolated', 'outside', 'allowed', 'depends', 'denied'];

/** A block is told with all that it leaves out, while that is not very much. */
export const mostRunesOfBlock = 120;

export const outsideName = 'outside';

/** `isMeant` as for `flowMapOf`. */
export function flowReport(view: ClusterView, { sets, lines, pairs }: FlowMap, isMeant: (namespace: string) => boolean): FlowReport {
  const names = new Names(sets);
  const outside = outsideLines(sets.filter(({ namespace }) => isMeant(namespace)));
  const flows = [...lines.map((line) => toldLine(view, names, line)), ...outside.map((line) => toldOutside(names, line))];
  return { sets: sets.map(toldSet), flows: flows.sort(inOrder), pairs };
}

const toldSet = ({ namespace, members, isolatedBy: { Ingress, Egress } }: FlowSet): ToldSet => ({
  namespace,
  workloads: members.map(({ name, ref }) => ({ name, ref })),
  isolatedBy: { ingress: Ingress, egress: Egress },
});

function toldLine(view: ClusterView, names: Names, line: FlowLine): ToldFlow {
  const { from, to, answer, ports, pairs } = line;
  const section = answer === 'denied' && names.areAll(from, to) ? 'isolated' : answer;
  return {
    section,
    from: { name: names.of(from, to), sets: positionsOf(from) },
    to: { name: names.of(to), sets: positionsOf(to) },
    answer,
    ports: answer === 'denied' ? '' : formatPorts(ports),
    why: reasonOf(view, line),
    pairs,
  };
}

const positionsOf = (sets: readonly FlowSet[]): readonly number[] => sets.map(({ index }) => index);

function toldOutside(names: Names, line: OutsideLine): ToldFlow {
  const { direction, sets, addresses, answer, ports } = line;
  const isAnywhere = addresses.length === 0;
  const outside = {
    name: isAnywhere ? outsideName : `${outsideName} (${listed(addresses, 3, mostRunesOfBlock)})`,
    sets: undefined,
    addresses,
  };
  const inside = { name: names.of(sets), sets: positionsOf(sets) };
  const [from, to] = direction === 'Ingress' ? [outside, inside] : [inside, outside];
  return {
    section: direction === 'Ingress' && isAnywhere && answer === 'allowed' ? 'open' : 'outside',
    from,
    to,
    answer,
    ports: answer === 'denied' ? '' : formatPorts(ports),
    why: whyOutside(line),
    pairs: sets.reduce((sum, { members }) => sum + members.length, 0),
  };
}

function whyOutside({ direction, sets, addresses, answer }: OutsideLine): string {
  const isolating = titled(sets.flatMap(({ isolatedBy }) => isolatedBy[direction]));
  if (isolating === '') return 'no policy isolates them';
  if (answer !== 'allowed') return answer === 'denied' ? `isolated by ${isolating}` : `not certain by ${isolating}`;
  return `by ${titled(sets.flatMap((set) => speakersOf(set, direction, addresses.length === 0)))}`;
}

const answers: readonly Answer[] = ['allowed', 'depends', 'denied'];

/** What comes from outside before what goes there; then by what is reached. */
function inOrder(a: ToldFlow, b: ToldFlow): number {
  const rank = ({ section, answer, to }: ToldFlow): number =>
    sections.indexOf(section) * 10 + (section === 'outside' && to.sets === undefined ? 5 : 0) + answers.indexOf(answer);
  return rank(a) - rank(b) || compared(a.to.name, b.to.name) || compared(a.from.name, b.from.name) || compared(a.ports, b.ports);
}

const compared = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
