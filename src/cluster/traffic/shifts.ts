/** What a write of one policy does to all connections of the Pods that it selects, whoever depends on them. */
import type { NetworkPolicy, Workload } from '../../kube/resources.ts';
import { directions, type Group } from './groups.ts';
import { type Ports, union, without } from './ports.ts';
import type { Traffic } from './traffic.ts';

/** Connections from workloads that are alike to workloads that are alike, of which the same becomes. */
export interface Shift {
  readonly from: readonly Workload[];
  readonly to: readonly Workload[];
  /** How many pairs of two different workloads these are. */
  readonly pairs: number;
  /** Certainly allowed before, and certainly denied now. */
  readonly lost: Ports;
  /** Certainly denied before, and certainly allowed now. */
  readonly gained: Ports;
}

export interface Shifts {
  readonly shifts: readonly Shift[];
  /** Whether there were more, which are not told. */
  readonly isCut: boolean;
}

/** Both states hold the same workloads and namespaces; the policy is one of them, as it was or as it is. Of very many, the first `most`. */
export function shiftsBy(policy: NetworkPolicy, before: Traffic, after: Traffic, most = Infinity): Shifts {
  const sets = setsOf(before, after);
  const isSubject = ({ earlier, later }: AlikeInBoth): boolean => binds(policy, earlier) || binds(policy, later);
  const shifts: Shift[] = [];
  for (const [from, to] of pairsOf(sets, isSubject)) {
    const shift = shiftOf(before, after, from, to);
    if (shift === undefined) continue;
    if (shifts.length === most) return { shifts, isCut: true };
    shifts.push(shift);
  }
  return { shifts, isCut: false };
}

/** Workloads that are of one group before and of one group after. */
interface AlikeInBoth {
  readonly earlier: Group;
  readonly later: Group;
  readonly workloads: readonly Workload[];
}

const setsOf = (before: Traffic, after: Traffic): readonly AlikeInBoth[] =>
  before.groups.flatMap((earlier) => {
    const byGroup = Map.groupBy(earlier.workloads, (workload) => after.groupOf(workload));
    return [...byGroup].flatMap(([later, workloads]) => (later === undefined ? [] : [{ earlier, later, workloads }]));
  });

const binds = ({ metadata }: NetworkPolicy, { namespace, binding }: Group): boolean =>
  namespace === metadata.namespace &&
  directions.some((direction) => binding[direction].some(({ policy }) => policy.metadata.name === metadata.name));

/** Every pair of which one is a subject, once. */
function* pairsOf(
  sets: readonly AlikeInBoth[],
  isSubject: (set: AlikeInBoth) => boolean,
): Generator<readonly [from: AlikeInBoth, to: AlikeInBoth]> {
  const subjects = new Set(sets.filter(isSubject));
  for (const subject of subjects)
    for (const other of sets) {
      yield [subject, other];
      if (!subjects.has(other)) yield [other, subject];
    }
}

function shiftOf(before: Traffic, after: Traffic, from: AlikeInBoth, to: AlikeInBoth): Shift | undefined {
  const pairs = from.workloads.length * (from === to ? to.workloads.length - 1 : to.workloads.length);
  if (pairs === 0) return undefined;
  const then = before.between(from.earlier, to.earlier);
  const now = after.between(from.later, to.later);
  const lost = without(then.allowed, union(now.allowed, now.depends));
  const gained = without(now.allowed, union(then.allowed, then.depends));
  return lost.length + gained.length === 0 ? undefined : { from: from.workloads, to: to.workloads, pairs, lost, gained };
}
