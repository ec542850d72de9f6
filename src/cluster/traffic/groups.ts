/**
 * Workloads that are one to every policy: put together, what was many thousand pairs becomes few. All begin as one and are
 * parted by each thing in which policies can tell them apart; who is never told apart stays together, however many Pods.
 */
import type { NetworkPolicy, Workload } from '../../kube/resources.ts';
import type { ClusterView } from '../view.ts';
import type { Direction } from './flow.ts';
import { rulesOf } from './policy-rules.ts';
import type { Roll } from './roll.ts';
import { type Binding, bindingAmong } from './selecting.ts';

/** Workloads of one namespace of which every policy says the same, as subjects, as peers and as destinations. */
export interface Group {
  /** Its position among all groups. */
  readonly index: number;
  readonly namespace: string;
  readonly workloads: readonly [Workload, ...Workload[]];
  /** The policies that select these Pods, or may; and those that isolate them in a direction. */
  readonly binding: Binding;
}

export const directions: readonly Direction[] = ['Ingress', 'Egress'];

/** In order of namespace; and the group of each position of the roll. */
export interface Grouping {
  readonly groups: readonly Group[];
  readonly groupAt: readonly number[];
}

export function groupingOf(view: ClusterView, roll: Roll, policies: readonly NetworkPolicy[]): Grouping {
  const byNamespace = Map.groupBy(policies, ({ metadata }) => metadata.namespace);
  const bindings = roll.ends.map((workload) => bindingAmong(view, byNamespace.get(workload.metadata.namespace) ?? none, workload));
  const parts = new Parts(roll.ends.map((workload, end) => textOf(workload, bindings[end] as Binding)));
  for (const policy of policies)
    for (const direction of directions)
      for (const { peers = [] } of rulesOf(policy, direction))
        for (const peer of peers) {
          view.step();
          const { ends, answers } = roll.heldBy(view, peer, policy.metadata.namespace);
          parts.part(ends, answers);
        }
  return grouped(roll, parts.numbers, bindings);
}

/** What tells workloads apart without a look at any peer: who selects them, and what a rule finds at them as destinations. */
function textOf({ pod, metadata }: Workload, { all }: Binding): string {
  const ports = pod.ports.map(({ name = '', containerPort, protocol }) => [name, containerPort, protocol]);
  const policies = all.map(({ policy, selected }) => [policy.metadata.name, selected]);
  return JSON.stringify([metadata.namespace, pod.hostNetwork, ports, policies]);
}

const none: readonly NetworkPolicy[] = [];

/** Sets that are parted again and again. */
class Parts {
  readonly numbers: number[];
  private count: number;

  constructor(texts: readonly string[]) {
    const known = new Map<string, number>();
    this.numbers = texts.map((text) => numberOf(known, text, () => known.size));
    this.count = known.size;
  }

  /** Takes these out of the sets in which they are, each to others of the same set with the same answer. */
  part(ends: readonly number[], answers: readonly string[]): void {
    const byAnswer = new Map<string, Map<number, number>>();
    for (const [at, end] of ends.entries()) {
      const answer = answers[at] as string;
      const moved = byAnswer.get(answer) ?? new Map<number, number>();
      byAnswer.set(answer, moved);
      this.numbers[end] = numberOf(moved, this.numbers[end] as number, () => this.count++);
    }
  }
}

function numberOf<K>(known: Map<K, number>, key: K, next: () => number): number {
  const number = known.get(key) ?? next();
  known.set(key, number);
  return number;
}

function grouped({ ends }: Roll, numbers: readonly number[], bindings: readonly Binding[]): Grouping {
  const indices = new Map<number, number>();
  const groupAt = numbers.map((number) => numberOf(indices, number, () => indices.size));
  const members = Map.groupBy(ends.keys(), (end) => groupAt[end] as number);
  const groups = Array.from(members, ([index, positions]): Group => {
    const workloads = positions.map((end) => ends[end] as Workload) as [Workload, ...Workload[]];
    return { index, namespace: workloads[0].metadata.namespace, workloads, binding: bindings[positions[0] as number] as Binding };
  });
  return { groups, groupAt };
}
