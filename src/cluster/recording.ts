/** A view that notes what is looked up, and ends a rule that touches what is not completely known. */
import type { Collection, Collections, Labels, ObjectRef, Resource, Workload } from '../kube/resources.ts';
import type { ClusterView, Coverage, NamedCollection, PodsOf, Read } from './view.ts';

/** Thrown into a rule whose question cannot be answered; the engine makes a skip of it. */
export class NotKnown extends Error {
  readonly collection: Collection;
  readonly namespace: string;
  readonly coverage: Exclude<Coverage, 'complete'>;

  constructor(collection: Collection, namespace: string, coverage: Exclude<Coverage, 'complete'>) {
    super(`${collection} of ${namespace}: ${coverage}`);
    this.collection = collection;
    this.namespace = namespace;
    this.coverage = coverage;
  }
}

export class RecordingView implements ClusterView {
  /** The view behind, for explanations: what it happens to hold, whether or not that is all there is. */
  readonly known: ClusterView;
  private readonly noted: Read[] = [];

  constructor(known: ClusterView) {
    this.known = known;
  }

  /** Each once. Found out when asked for, which a rule that has found nothing never is. */
  get reads(): readonly Read[] {
    const keyOf = ({ collection, namespace, name, selector }: Read): string => JSON.stringify([collection, namespace, name, selector]);
    return [...new Map(this.noted.map((read) => [keyOf(read), read])).values()];
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

  workloads(namespace: string): readonly Workload[] {
    this.complete({ collection: 'Template', namespace });
    this.complete({ collection: 'Pod', namespace });
    return this.known.workloads(namespace);
  }

  workloadsSelectedBy(selector: Labels, namespace: string): readonly Workload[] {
    this.complete({ collection: 'Template', namespace });
    this.complete({ collection: 'Pod', namespace, selector });
    return this.known.workloadsSelectedBy(selector, namespace);
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

  fetched(ref: ObjectRef): Resource | 'absent' | 'unknown' {
    const found = this.known.fetched(ref);
    if (found === 'unknown') {
      const coverage = this.known.coverage(ref.kind as Collection, ref.namespace);
      throw new NotKnown(ref.kind as Collection, ref.namespace, coverage === 'complete' ? 'forbidden' : coverage);
    }
    this.note({ collection: ref.kind as Collection, namespace: ref.namespace, name: ref.name });
    return found;
  }

  private complete(read: Read): void {
    this.note(read);
    this.absent(read.collection, read.namespace);
  }

  /** Absence is a fact only where the view is complete. */
  private absent(collection: Collection, namespace: string): undefined {
    const coverage = this.known.coverage(collection, namespace);
    if (coverage !== 'complete') throw new NotKnown(collection, namespace, coverage);
    return undefined;
  }

  private note(read: Read): void {
    this.noted.push(read);
  }
}
