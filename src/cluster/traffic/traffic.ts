/**
 * Who may talk to whom in all of a cluster. `trafficOf(view)` reads every workload, namespace and policy, so a rule that needs
 * one connection asks `flow` (`flow.ts`). What was found out is kept while nothing of it differs: for the same policies all of it,
 * for other policies what concerns workloads and peers that are the same.
 */
import type { NetworkPolicy, Workload } from '../../kube/resources.ts';
import type { ClusterView } from '../view.ts';
import { answersOf, mayBeOpen, type PortVoice } from './end.ts';
import { bothEnds, type Direction, type PortAnswers } from './flow.ts';
import { directions, type Group, type Grouping, groupingOf } from './groups.ts';
import { type PolicyRule, rulesOf } from './policy-rules.ts';
import { allPorts, noPorts, portsNamedBy, union, without } from './ports.ts';
import { type Book, Roll, sure } from './roll.ts';

/** With whom a group may talk, and on which ports of the destination. */
export interface Reached extends PortAnswers {
  readonly group: Group;
}

export interface Traffic {
  /** All workloads, put together where no policy tells them apart; in order of namespace. */
  readonly groups: readonly Group[];
  groupOf(workload: Workload): Group | undefined;
  /**
   * On which ports a workload of one group reaches one of the other. `areTwo`: not a Pod itself; what is alike may also be two Pods
   * that nobody made, which stand as one workload.
   */
  between(from: Group, to: Group, areTwo?: boolean): PortAnswers;
  /** All groups that may send to this one (`Ingress`), or to which it may send (`Egress`), with those that perhaps may. */
  reach(group: Group, direction: Direction): readonly Reached[];
}

/** Reads all workloads, namespaces and policies; ends a rule where one of them is not completely known. */
export function trafficOf(view: ClusterView): Traffic {
  const roll = Roll.of(view);
  const policies = view.listAll('NetworkPolicy');
  const version = view.version('NetworkPolicy');
  const known = byVersion.get(version);
  if (known?.roll === roll && known.book === (known.book && roll.bookOf(view))) return new TrafficIn(view, known);
  const matrix = matrixOf(view, roll, policies);
  byVersion.set(version, matrix);
  return new TrafficIn(view, matrix);
}

/** For each rule, which groups it holds. */
interface Matrix {
  readonly roll: Roll;
  /** The addresses on which it rests; undefined where no policy asks for any. */
  readonly book: Book | undefined;
  readonly grouping: Grouping;
  readonly rows: ReadonlyMap<PolicyRule, Row>;
}

const byVersion = new WeakMap<object, Matrix>();

/** Of each group, whether a rule holds it; undefined for a rule that holds everybody. */
type Row = Uint8Array | undefined;

const [perhaps, yes] = [1, 2];

function matrixOf(view: ClusterView, roll: Roll, policies: readonly NetworkPolicy[]): Matrix {
  const grouping = groupingOf(view, roll, policies);
  const rows = new Map<PolicyRule, Row>();
  let asksForAddresses = false;
  for (const policy of policies)
    for (const rule of directions.flatMap((direction) => rulesOf(policy, direction))) {
      rows.set(rule, rowOf(view, roll, grouping, rule, policy.metadata.namespace));
      asksForAddresses ||= rule.peers?.some(({ ipBlock }) => ipBlock !== undefined) ?? false;
    }
  return { roll, book: asksForAddresses ? roll.bookOf(view) : undefined, grouping, rows };
}

function rowOf(view: ClusterView, roll: Roll, { groups, groupAt }: Grouping, { peers }: PolicyRule, namespace: string): Row {
  if (peers === undefined) return undefined;
  const row = new Uint8Array(groups.length);
  for (const peer of peers) {
    view.step();
    const { ends, answers } = roll.heldBy(view, peer, namespace);
    for (const [at, end] of ends.entries()) {
      const group = groupAt[end] as number;
      row[group] = Math.max(row[group] as number, answers[at] === sure ? yes : perhaps);
    }
  }
  return row;
}

class TrafficIn implements Traffic {
  private readonly view: ClusterView;
  private readonly matrix: Matrix;

  constructor(view: ClusterView, matrix: Matrix) {
    this.view = view;
    this.matrix = matrix;
  }

  get groups(): readonly Group[] {
    return this.matrix.grouping.groups;
  }

  groupOf(workload: Workload): Group | undefined {
    const end = this.matrix.roll.positionOf(workload);
    return end === undefined ? undefined : this.groups[this.matrix.grouping.groupAt[end] as number];
  }

  between(from: Group, to: Group, areTwo = from !== to || from.workloads.length > 1): PortAnswers {
    this.view.step();
    const both = bothEnds(this.sideOf(from, 'Egress', to, to), this.sideOf(to, 'Ingress', from, to));
    return areTwo ? both : { ...both, depends: without(allPorts, both.allowed) };
  }

  reach(group: Group, direction: Direction): readonly Reached[] {
    const all = this.groups.map(
      (other): Reached => ({
        group: other,
        ...(direction === 'Ingress' ? this.between(other, group) : this.between(group, other)),
      }),
    );
    return all.filter(({ allowed, depends }) => allowed.length > 0 || depends.length > 0);
  }

  /** What the policies of one end say. */
  private sideOf({ binding, workloads: [subject] }: Group, direction: Direction, other: Group, destination: Group): PortAnswers {
    const voices = binding[direction].map(({ policy, selected }): PortVoice => {
      let [allowed, maybe] = [noPorts, noPorts];
      for (const rule of rulesOf(policy, direction)) {
        this.view.step();
        const row = this.matrix.rows.get(rule);
        const held = row === undefined ? yes : row[other.index];
        if (held === yes) allowed = union(allowed, portsNamedBy(rule.ports, destination.workloads[0]));
        else if (held === perhaps) maybe = union(maybe, portsNamedBy(rule.ports, destination.workloads[0]));
      }
      return { selected, allowed, perhaps: maybe };
    });
    return answersOf(voices, mayBeOpen({ direction, peer: other.workloads[0] }, subject));
  }
}
