/**
 * What a write of policies does to connections that somebody depends on. Both states hold the same workloads and namespaces,
 * so that a connection none of whose policies differ is as it was, and is not judged again.
 */
import type { ClusterView } from '../view.ts';
import { type Answer, type Direction, type Endpoint, type Flow, type FlowQuestion, flow } from './flow.ts';
import { isWorkload } from './peers.ts';
import { isolating } from './selecting.ts';

/** A connection of which something else is said than before. */
export interface FlowChange<Q extends FlowQuestion> {
  readonly question: Q;
  readonly before: Flow;
  readonly after: Flow;
}

export interface Effect<Q extends FlowQuestion> {
  /** Certainly allowed before, and certainly denied now. */
  readonly lost: readonly FlowChange<Q>[];
  /** Certainly denied before, and certainly allowed now. */
  readonly gained: readonly FlowChange<Q>[];
  /** Uncertain before or now. */
  readonly unsure: readonly FlowChange<Q>[];
  /** How many connections were asked about, of those that there were. */
  readonly asked: number;
  /** Whether there were more than were to be asked about. */
  readonly isCut: boolean;
}

/** What becomes of the connections asked about, in their order; of very many, only of the first `most`. */
export function effectOn<Q extends FlowQuestion>(
  before: ClusterView,
  after: ClusterView,
  questions: Iterable<Q>,
  most = Infinity,
): Effect<Q> {
  const changes: Record<'lost' | 'gained' | 'unsure', FlowChange<Q>[]> = { lost: [], gained: [], unsure: [] };
  const bindings = new Bindings(before, after);
  let asked = 0;
  for (const question of questions) {
    if (asked === most) return { ...changes, asked, isCut: true };
    asked++;
    after.step();
    if (bindings.areSame(question.from, 'Egress') && bindings.areSame(question.to.workload, 'Ingress')) continue;
    const change = { question, before: flow(before, question.from, question.to), after: flow(after, question.from, question.to) };
    const outcome = outcomeOf(change.before.answer, change.after.answer);
    if (outcome !== undefined) changes[outcome].push(change);
  }
  return { ...changes, asked, isCut: false };
}

function outcomeOf(before: Answer, after: Answer): 'lost' | 'gained' | 'unsure' | undefined {
  if (before === after) return undefined;
  if (before === 'depends' || after === 'depends') return 'unsure';
  return after === 'denied' ? 'lost' : 'gained';
}

/** Tells whether the very same policies bind an end in both states: nearly always, since a write changes those of one namespace. */
class Bindings {
  private readonly before: ClusterView;
  private readonly after: ClusterView;
  private readonly sameIn = new Map<string, boolean>();

  constructor(before: ClusterView, after: ClusterView) {
    this.before = before;
    this.after = after;
  }

  areSame(end: Endpoint, direction: Direction): boolean {
    if (!isWorkload(end) || this.isSameIn(end.metadata.namespace)) return true;
    const [then, now] = [isolating(this.before, end, direction), isolating(this.after, end, direction)];
    return then.length === now.length && then.every(({ policy }, at) => policy === now[at]?.policy);
  }

  private isSameIn(namespace: string): boolean {
    const known = this.sameIn.get(namespace);
    if (known !== undefined) return known;
    const [then, now] = [this.before.list('NetworkPolicy', namespace), this.after.list('NetworkPolicy', namespace)];
    const isSame = then === now || (then.length === now.length && then.every((policy, at) => policy === now[at]));
    this.sameIn.set(namespace, isSame);
    return isSame;
  }
}
