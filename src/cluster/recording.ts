/** A view that notes what is looked up, and ends a rule that touches what is not completely known, or notes the doubt. */
import { onceFor } from '../kube/once-for.ts';
import type { Collection, Collections, Labels, ObjectRef, Workload } from '../kube/resources.ts';
import type { ClusterView, Coverage, Found, NamedCollection, PodsOf, Read } from './view.ts';

/** Why something is not known. */
export type Lack = Exclude<Coverage, 'complete'> | 'unanswered';

/** Thrown into a rule whose question cannot be answered; the engine makes a skip of it. */
export class NotKnown extends Error {
  readonly collection: Collection;
  readonly namespace: string;
  readonly coverage: Lack;

  constructor(collection: Collection, namespace: string, coverage: Lack) {
    super(`${collection} of ${namespace}: ${coverage}`);
    this.collection = collection;
    this.namespace = namespace;
    this.coverage = coverage;
  }
}

/** Thrown into a rule that has used up its time. */
export class OutOfTime extends Error {}

/** So many steps are taken between two looks at the clock. */
const stepsPerLook = 128;

export class RecordingView implements ClusterView {
  /** The view behind, for explanations: what it happens to hold, whether or not that is all there is. */
  readonly known: ClusterView;
  private readonly noted = new Map<string, Read>();
  private readonly outOfTime: () => boolean;
  private readonly goesOnInDoubt: boolean;
  private firstDoubt: NotKnown | undefined;
  private steps = 0;

  /** `goesOnInDoubt`: what is known in part ends no rule; whoever asks for that looks at `doubt`. */
  constructor(known: ClusterView, outOfTime: () => boolean = () => false, goesOnInDoubt = false) {
    this.known = known;
    this.outOfTime = outOfTime;
    this.goesOnInDoubt = goesOnInDoubt;
  }

  /** What was found absent so far though it is known in part only. */
  get doubt(): NotKnown | undefined {
    return this.firstDoubt;
  }

  /** Each once. */
  get reads(): readonly Read[] {
    return [...this.noted.values()];
  }

  step(): void {
    if (++this.steps % stepsPerLook === 0 && this.outOfTime()) throw new OutOfTime();
  }

  get observedAt(): number {
    return this.known.observedAt;
  }

  get<C extends NamedCollection>(collection: C, namespace: string, name: string): Collections[C] | undefined {
    this.note({ collection, namespace, name });
    return this.known.get(collection, namespace, name) ?? this.absent(collection, namespace);
  }

  list<C extends Collection>(collection: C, namespace: string): readonly Collections[C][] {
    this.complete({ collection, namespace });
    return this.known.list(collection, namespace);
  }

  listAll<C extends Collection>(collection: C): readonly Collections[C][] {
    this.complete({ collection, namespace: '*' });
    return this.known.listAll(collection);
  }

  version(collection: NamedCollection): object {
    return this.known.version(collection);
  }

  workloads(namespace: string): readonly Workload[] {
    this.complete({ collection: 'Template', namespace });
    this.complete({ collection: 'Pod', namespace });
    return this.known.workloads(namespace);
  }

  workloadsSelectedBy(selector: Labels, namespace: string): readonly Workload[] {
    const found = this.known.workloadsSelectedBy(selector, namespace);
    this.note({ collection: 'Template', namespace });
    this.note({ collection: 'Pod', namespace, selector });
    // There may be others beside those that are found, too: they do not change what those are.
    for (const collection of ['Template', 'Pod'] as const) this.absent(collection, namespace, found.length > 0);
    return found;
  }

  pods(workload: Workload): PodsOf {
    return this.known.pods(workload);
  }

  coverage(collection: Collection, namespace: string): Coverage {
    this.note({ collection, namespace });
    return this.known.coverage(collection, namespace);
  }

  staleMs(collection: Collection): number {
    return this.known.staleMs(collection);
  }

  fetched(ref: ObjectRef): Found {
    const found = this.known.fetched(ref);
    if (found === 'unanswered') throw new NotKnown(ref.kind as Collection, ref.namespace, 'unanswered');
    if (found === 'unknown') {
      const coverage = this.known.coverage(ref.kind as Collection, ref.namespace);
      throw new NotKnown(ref.kind as Collection, ref.namespace, coverage === 'complete' ? 'forbidden' : coverage);
    }
    const collection = ref.kind as Collection;
    this.note({ collection, namespace: ref.namespace, name: ref.name });
    if (found === 'absent' && this.known.coverage(collection, ref.namespace) === 'partial') this.absent(collection, ref.namespace);
    return found;
  }

  private complete(read: Read): void {
    this.note(read);
    this.absent(read.collection, read.namespace);
  }

  /** Absence is a fact only where the view is complete. */
  private absent(collection: Collection, namespace: string, someFound = false): undefined {
    const coverage = this.known.coverage(collection, namespace);
    if (coverage === 'complete') return undefined;
    const lack = new NotKnown(collection, namespace, coverage);
    if (coverage !== 'partial' || !this.goesOnInDoubt) throw lack;
    if (!someFound) this.firstDoubt ??= lack;
    return undefined;
  }

  /** By a key that costs little: a policy may ask for the same Namespace ten thousand times. */
  private note(read: Read): void {
    this.step();
    const { collection, namespace, name = '', selector } = read;
    const key = `${collection}/${namespace}/${name}${selector === undefined ? '' : textOf(selector)}`;
    if (!this.noted.has(key)) this.noted.set(key, read);
  }
}

/** Five rules ask for the selector of one Service. */
const textOf = onceFor((selector: Labels): string => JSON.stringify(selector));
