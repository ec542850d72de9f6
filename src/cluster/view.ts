/** The cluster as rules see it: read-only, indexed, and honest about what it does not know. */
import type { Collection, Collections, Labels, ObjectRef, PodRecord, Resource, Workload } from '../kube/resources.ts';

/**
 * `complete` is the only value that lets a rule conclude from absence. `unsynced`: not listed yet. `forbidden`: RBAC
 * refuses it. `notServed`: the cluster has no such kind. `notGiven`: the files hold nothing of it. `partial`: the files hold
 * some, and there may well be more, as an operator makes it: a finding stands only where what is there shows the mistake.
 */
export type Coverage = 'complete' | 'unsynced' | 'forbidden' | 'notServed' | 'notGiven' | 'partial';

/**
 * What came of reading an object by its name: `unknown` where it may not be read, `unanswered` where nobody said anything in time.
 */
export type Found = Resource | 'absent' | 'unknown' | 'unanswered';

/** A named object, as opposed to a Pod or a template, which are read by what they look like. */
export type NamedCollection = Exclude<Collection, 'Pod' | 'Template'>;

export interface ClusterView {
  /** The moment this view describes, in epoch milliseconds. Rules use it instead of the clock. */
  readonly observedAt: number;

  get<C extends NamedCollection>(collection: C, namespace: string, name: string): Collections[C] | undefined;

  /** Objects of one namespace ('' for what has none), in the same order every time. */
  list<C extends Collection>(collection: C, namespace: string): readonly Collections[C][];

  /** Objects of all namespaces. */
  listAll<C extends Collection>(collection: C): readonly Collections[C][];

  /** The same as long as nothing of the collection differs, whatever else does: what an index of it is kept by. */
  version(collection: NamedCollection): object;

  /** Everything in the namespace that is or makes Pods. */
  workloads(namespace: string): readonly Workload[];

  /**
   * Workloads whose Pods carry every pair of the selector. A template without a label that controllers set at run time
   * counts too while it has no Pods that could tell, if it carries another pair, or the selector names a Pod that it makes.
   */
  workloadsSelectedBy(selector: Labels, namespace: string): readonly Workload[];

  /** The Pods, alike in shape, that exist; none of a template. */
  pods(workload: Workload): PodsOf;

  coverage(collection: Collection, namespace: string): Coverage;

  /** How long the collection's watch has been broken, in milliseconds; 0 while it is up. */
  staleMs(collection: Collection): number;

  /** Called in each round of a loop that an object's author can make long: ends a rule that has used up its time. */
  step(): void;

  /** An object that is never listed, but was read by name for this evaluation (Secrets). */
  fetched(ref: ObjectRef): Found;
}

/** Pods of one shape. */
export interface PodsOf {
  readonly count: number;
  /** Up to `limit` of their names, in order of name. Costs a walk through the namespace's Pods: for texts only. */
  names(limit: number): readonly string[];
  /** Of all of them; undefined while there are none, or one has no address yet. Costs a walk through the namespace's Pods, the first time. */
  addresses(): readonly string[] | undefined;
  /** Each Pod with what is its own. Costs a walk through the namespace's Pods. */
  records(): Iterable<readonly [name: string, record: PodRecord]>;
}

/** What one rule looked up: which collection of which namespace ('*' for all), and the labels it asked for, if any. */
export interface Read {
  readonly collection: Collection;
  readonly namespace: string;
  readonly name?: string;
  readonly selector?: Labels;
}
