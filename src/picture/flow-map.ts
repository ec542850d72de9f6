/** Who may talk to whom in all of a cluster: sets of workloads of which the same is true, so that few lines say all. */
import type { Answer } from '../cluster/traffic/flow.ts';
import { noPorts, type Ports } from '../cluster/traffic/ports.ts';
import { trafficOf } from '../cluster/traffic/traffic.ts';
import type { ClusterView } from '../cluster/view.ts';
import { onceFor } from '../kube/once-for.ts';
import { type Alike, answersBetween, type FlowSet, flowSetsOf } from './flow-sets.ts';

/** The same is true of each workload on the one side with each on the other. */
export interface FlowLine {
  readonly from: readonly FlowSet[];
  readonly to: readonly FlowSet[];
  readonly answer: Answer;
  /** None if it is denied. */
  readonly ports: Ports;
  /** How many pairs of two different workloads these are. */
  readonly pairs: number;
}

export interface FlowMap {
  readonly sets: readonly FlowSet[];
  readonly lines: readonly FlowLine[];
  /** Pairs of two different workloads; those with ports that are allowed and others that depend count as allowed. */
  readonly pairs: Readonly<Record<Answer, number>>;
}

/** `isMeant`: of these namespaces, and with whom these talk. Reads all workloads, namespaces and policies. */
export function flowMapOf(view: ClusterView, isMeant: (namespace: string) => boolean = () => true): FlowMap {
  const traffic = trafficOf(view);
  const sets = flowSetsOf(view, traffic);
  const answers = new Numbered();
  const cellOf = (from: FlowSet, to: FlowSet): number => {
    if (!isMeant(from.namespace) && !isMeant(to.namespace)) return noCell;
    const { allowed, depends } = answersBetween(traffic, from, to);
    return answers.numberOf(allowed, depends);
  };
  const lines = rectangles(sets, cellOf).flatMap(({ from, to, cell }) => linesOf(from, to, answers.of(cell)));
  return { sets, lines, pairs: counted(lines) };
}

const noCell = -1;

/** Sets of ports, several of which belong together: equal ones have one number. */
export class Numbered {
  private readonly byText = new Map<string, number>();
  private readonly all: (readonly Ports[])[] = [];

  numberOf(...ports: readonly Ports[]): number {
    const text = ports.map(textOf).join(' ');
    const known = this.byText.get(text);
    if (known !== undefined) return known;
    this.byText.set(text, this.all.length);
    return this.all.push(ports) - 1;
  }

  of(number: number): readonly Ports[] {
    return this.all[number] as readonly Ports[];
  }
}

/** Long ones are written once: many blocks of one rule have them in common. */
const longFrom = 20;
const longText = onceFor(written);

/** Equal for equal sets of ports. */
const textOf = (ports: Ports): string => (ports.length < longFrom ? written(ports) : longText(ports));

function written(ports: Ports): string {
  let text = '';
  for (const { from, to } of ports) text += `${from}-${to},`;
  return text;
}

export interface Rectangle<S extends Alike> {
  readonly from: readonly S[];
  readonly to: readonly S[];
  readonly cell: number;
}

/** Destinations of which the same is true are put together; of each such set, so are the sources. Cells below 0 are left out. */
export function rectangles<S extends Alike>(sets: readonly S[], cellOf: (from: S, to: S) => number): readonly Rectangle<S>[] {
  const rows = sets.map((to) => sets.map((from) => cellOf(from, to)));
  const alike = Map.groupBy(sets, ({ index }) => (rows[index] as readonly number[]).join());
  return [...alike.values()].flatMap((to) => {
    const row = rows[(to[0] as S).index] as readonly number[];
    const byCell = Map.groupBy(sets, ({ index }) => row[index] as number);
    return [...byCell].flatMap(([cell, from]) => (cell < 0 ? [] : [{ from, to, cell }]));
  });
}

function linesOf(
  from: readonly FlowSet[],
  to: readonly FlowSet[],
  [allowed = noPorts, depends = noPorts]: readonly Ports[],
): readonly FlowLine[] {
  const pairs = pairsOf(from, to);
  if (pairs === 0) return [];
  const line = (answer: Answer, ports: Ports): FlowLine => ({ from, to, answer, ports, pairs });
  if (allowed.length + depends.length === 0) return [line('denied', allowed)];
  return [...(allowed.length > 0 ? [line('allowed', allowed)] : []), ...(depends.length > 0 ? [line('depends', depends)] : [])];
}

/** Of two different workloads. */
export function pairsOf(from: readonly Alike[], to: readonly Alike[]): number {
  const others = new Set(to);
  const count = (sets: readonly Alike[]): number => sets.reduce((sum, { members }) => sum + members.length, 0);
  return count(from) * count(to) - count(from.filter((set) => others.has(set)));
}

function counted(lines: readonly FlowLine[]): FlowMap['pairs'] {
  const of = (answer: Answer): readonly FlowLine[] => lines.filter((line) => line.answer === answer);
  const sum = (some: readonly FlowLine[]): number => some.reduce((all, { pairs }) => all + pairs, 0);
  const allowed = of('allowed');
  // Made of one rectangle, both lines have the very same sides.
  const open = new Set(allowed.map(({ from }) => from));
  return { allowed: sum(allowed), depends: sum(of('depends').filter(({ from }) => !open.has(from))), denied: sum(of('denied')) };
}
