/**
 * The immutable cluster view. A watch event, a manifest file and the write under review are the same operation, `with`;
 * what one snapshot does not change, the next one shares with it.
 */

import { collectionOf, isPod } from '../kube/collections.ts';
import { isPodNameOf, isRunTimeLabel, pairsOf, podNameLabel } from '../kube/labels.ts';
import { groupOf } from '../kube/normalize.ts';
import { onceFor } from '../kube/once-for.ts';
import {
  type Collection,
  type Collections,
  formatRef,
  type Labels,
  type ObjectRef,
  type Pod,
  type Resource,
  type Workload,
} from '../kube/resources.ts';
import { Bucket } from './bucket.ts';
import { type AddressListener, NamespacePods } from './pods.ts';
import type { ClusterView, Coverage, Found, NamedCollection, PodsOf } from './view.ts';

/** The objects of one kind: by namespace, then by name. */
type Place = Bucket<Bucket<Resource>>;
type Places = Bucket<Place>;

/** An answer of `workloadsSelectedBy`. */
interface Selection {
  readonly selector: Labels;
  readonly namespace: string;
  readonly workloads: readonly Workload[];
}

/** What a snapshot knows beside its objects. */
export interface Knowledge {
  readonly observedAt: number;
  /** Asked with the snapshot at hand: what files cover depends on what they hold. */
  readonly coverage: (collection: Collection, namespace: string, snapshot: ClusterSnapshot) => Coverage;
  readonly staleMs?: (collection: Collection) => number;
  /** Objects read by name, by `formatRef`. */
  readonly fetched?: ReadonlyMap<string, Found>;
}

/** Something that happened to an object. Of one that is gone, kind, namespace and name count. */
export interface ClusterEvent {
  readonly object: Resource;
  readonly gone: boolean;
}

/** Something that differs between two snapshots. */
export interface Change {
  readonly collection: Collection;
  readonly namespace: string;
  readonly name?: string;
}

export class ClusterSnapshot implements ClusterView {
  /** In order of key, so that templates are listed in the same order whichever kind came first. */
  private readonly places: Places;
  private readonly podsByNamespace: Bucket<NamespacePods>;
  private readonly knowledge: Knowledge;
  private lastSelection: Selection | undefined;

  private constructor(places: Places, podsByNamespace: Bucket<NamespacePods>, knowledge: Knowledge) {
    this.places = places;
    this.podsByNamespace = podsByNamespace;
    this.knowledge = knowledge;
  }

  static empty(knowledge: Knowledge): ClusterSnapshot {
    return new ClusterSnapshot(Bucket.empty, Bucket.empty, knowledge);
  }

  /** With these objects added, each in place of what has its kind, namespace and name. */
  with(objects: Iterable<Resource>): ClusterSnapshot {
    return this.applying(Array.from(objects, (object) => ({ object, gone: false })));
  }

  without(objects: Iterable<Resource>): ClusterSnapshot {
    return this.applying(Array.from(objects, (object) => ({ object, gone: true })));
  }

  /** After these events, in their order. */
  applying(events: Iterable<ClusterEvent>): ClusterSnapshot {
    const byPlace = new Map<string, Map<string, Map<string, Resource | undefined>>>();
    const podsBy = new Map<string, Map<string, Pod | undefined>>();
    for (const { object, gone } of events) {
      const { namespace, name } = object.metadata;
      if (object.kind === 'Pod') inner(podsBy, namespace).set(name, !gone && isPod(object) ? object : undefined);
      else inner(inner(byPlace, placeOf(object)), namespace).set(name, gone ? undefined : object);
    }
    const places = [...byPlace].reduce((all, [key, changes]) => all.withOne(key, changedPlace(all.get(key), changes)), this.places);
    const pods = Array.from(podsBy, ([namespace, changes]) => [namespace, this.podsOf(namespace).with(changes)] as const);
    const changed = pods.filter(([namespace, after]) => after !== this.podsOf(namespace));
    return new ClusterSnapshot(places, this.podsByNamespace.with(podsOrNone(changed)), this.knowledge);
  }

  /** With all objects of this kind, in every namespace, exactly as the other snapshot has them. Costs the same however many they are. */
  adopting(kind: Kindred, other: ClusterSnapshot): ClusterSnapshot {
    if (kind.collection === 'Pod') return new ClusterSnapshot(this.places, other.podsByNamespace, this.knowledge);
    const place = placeFor(kind);
    return new ClusterSnapshot(this.places.withOne(place, other.places.get(place)), this.podsByNamespace, this.knowledge);
  }

  /** Without the objects of this kind in a namespace; of Pods, only those that carry every pair of the selector. */
  clearing(kind: Kindred, namespace: string, selector: Labels = {}): ClusterSnapshot {
    if (kind.collection === 'Pod') {
      const pods = podsOrNone([[namespace, this.podsOf(namespace).without(selector)]]);
      return new ClusterSnapshot(this.places, this.podsByNamespace.with(pods), this.knowledge);
    }
    const place = placeFor(kind);
    const cleared = this.places.get(place)?.withOne(namespace, undefined);
    return new ClusterSnapshot(this.places.withOne(place, cleared), this.podsByNamespace, this.knowledge);
  }

  /** The same objects with other knowledge of them. */
  knowing(knowledge: Partial<Knowledge>): ClusterSnapshot {
    return new ClusterSnapshot(this.places, this.podsByNamespace, { ...this.knowledge, ...knowledge });
  }

  /** Tells of the addresses that Pods were given, and gave up, since an earlier snapshot. */
  addressesSince(earlier: ClusterSnapshot, given: AddressListener, givenUp: AddressListener): void {
    const none = NamespacePods.empty;
    for (const [namespace, before = none, now = none] of this.podsByNamespace.changesSince(earlier.podsByNamespace))
      now.addressesSince(before, namespace, given, givenUp);
  }

  /** What differs from an earlier snapshot: each object by its name, Pods by their namespace alone. Costs what differs, not what there is. */
  *changesSince(earlier: ClusterSnapshot): Generator<Change> {
    for (const [key, before = Bucket.empty, now = Bucket.empty] of this.places.changesSince(earlier.places)) {
      const collection = key.startsWith(templates) ? 'Template' : (key as Collection);
      for (const [namespace, past = Bucket.empty, present = Bucket.empty] of now.changesSince(before))
        for (const [name] of present.changesSince(past)) yield { collection, namespace, name };
    }
    for (const [namespace] of this.podsByNamespace.changesSince(earlier.podsByNamespace)) yield { collection: 'Pod', namespace };
  }

  get observedAt(): number {
    return this.knowledge.observedAt;
  }

  get<C extends NamedCollection>(collection: C, namespace: string, name: string): Collections[C] | undefined {
    return this.places.get(collection)?.get(namespace)?.get(name) as Collections[C] | undefined;
  }

  list<C extends Collection>(collection: C, namespace: string): readonly Collections[C][] {
    if (collection === 'Pod') return this.podsOf(namespace).workloads as readonly Collections[C][];
    if (collection !== 'Template') return (this.places.get(collection)?.get(namespace)?.values ?? []) as readonly Collections[C][];
    return this.placesOf(collection).flatMap(
      (place) => place.get(namespace)?.values ?? [],
    ) as readonly Resource[] as readonly Collections[C][];
  }

  listAll<C extends Collection>(collection: C): readonly Collections[C][] {
    if (collection === 'Pod') return allPodsIn(this.podsByNamespace) as readonly Collections[C][];
    const all = collection === 'Template' ? this.allTemplates() : allIn(this.places.get(collection) ?? Bucket.empty);
    return all as readonly Resource[] as readonly Collections[C][];
  }

  version(collection: NamedCollection): object {
    return this.places.get(collection) ?? Bucket.empty;
  }

  workloads(namespace: string): readonly Workload[] {
    return [...this.list('Template', namespace), ...this.list('Pod', namespace)];
  }

  /** Five rules ask the same of one Service, one after the other: the last answer is kept. */
  workloadsSelectedBy(selector: Labels, namespace: string): readonly Workload[] {
    const last = this.lastSelection;
    if (last?.selector === selector && last.namespace === namespace) return last.workloads;
    const workloads = this.select(selector, namespace);
    this.lastSelection = { selector, namespace, workloads };
    return workloads;
  }

  private select(selector: Labels, namespace: string): readonly Workload[] {
    const pairs = pairsOf(selector);
    const templates = this.list('Template', namespace).filter((template) => this.makesPodsCarrying(template, selector, pairs));
    return [...templates, ...this.podsOf(namespace).selectedBy(selector)];
  }

  pods(workload: Workload): PodsOf {
    return workload.kind === 'Pod' ? this.podsOf(workload.metadata.namespace).podsOf(workload) : noPods;
  }

  coverage(collection: Collection, namespace: string): Coverage {
    return this.knowledge.coverage(collection, namespace, this);
  }

  /** A snapshot is never out of time. */
  step(): void {}

  staleMs(collection: Collection): number {
    return this.knowledge.staleMs?.(collection) ?? 0;
  }

  fetched(ref: ObjectRef): Found {
    return this.knowledge.fetched?.get(formatRef(ref)) ?? 'unknown';
  }

  /** How many objects of the collection there are; Pods one by one. */
  count(collection: Collection): number {
    if (collection === 'Pod') return this.podsByNamespace.values.reduce((sum, { size }) => sum + size, 0);
    return this.placesOf(collection).reduce((sum, place) => sum + place.values.reduce((within, { size }) => within + size, 0), 0);
  }

  /**
   * A template that lacks only what controllers add at run time may make such Pods, unless its Pods are there to tell.
   * Something must speak for it, a pair that it has or the name of its Pod: `role=primary` alone may come to any Pod.
   */
  private makesPodsCarrying({ kind, metadata, pod: { labels } }: Workload, selector: Labels, pairs: Pairs): boolean {
    let unmet = 0;
    // A selector may hold 40,000 pairs: the first one that nothing can bring ends it.
    for (const [key, value] of pairs) {
      if (labels[key] === value) continue;
      if (labels[key] !== undefined || !isRunTimeLabel(key)) return false;
      unmet++;
    }
    if (unmet === 0) return true;
    const podName = selector[podNameLabel];
    if (podName === undefined ? unmet === pairs.length : !isPodNameOf(metadata.name, podName)) return false;
    return !this.podsOf(metadata.namespace).hasPodOf(`${kind}/${metadata.name}`);
  }

  private podsOf(namespace: string): NamespacePods {
    return this.podsByNamespace.get(namespace) ?? NamespacePods.empty;
  }

  private placesOf(collection: Collection): readonly Place[] {
    if (collection !== 'Template') return [this.places.get(collection) ?? Bucket.empty];
    return [...this.places.entries()].filter(([key]) => key.startsWith(templates)).map(([, place]) => place);
  }

  /** Of several places, so that namespaces come in order: the same list for as long as each of the places stays. */
  private allTemplates(): readonly Resource[] {
    const places = this.placesOf('Template');
    const [first = Bucket.empty] = places;
    const last = lastTemplates.get(first);
    if (last?.places.length === places.length && places.every((place, at) => place === last.places[at])) return last.all;
    const namespaces = [...new Set(places.flatMap((place) => [...place.keys()]))].sort();
    const all = namespaces.flatMap((namespace) => places.flatMap((place) => place.get(namespace)?.values ?? []));
    lastTemplates.set(first, { places, all });
    return all;
  }
}

/** What stays from one snapshot to the next is listed once, whichever rules of whichever reviews ask for it. */
const allIn = onceFor((place: Place): readonly Resource[] => place.values.flatMap(({ values }) => values));
const allPodsIn = onceFor((pods: Bucket<NamespacePods>): readonly Workload[] => pods.values.flatMap(({ workloads }) => workloads));
const lastTemplates = new WeakMap<Place, { readonly places: readonly Place[]; readonly all: readonly Resource[] }>();

type Pairs = readonly (readonly [key: string, value: string])[];

const noPods: PodsOf = { count: 0, names: () => [], addresses: () => undefined, records: () => [] };

/** One kind of a collection: only templates are of several kinds. */
export interface Kindred {
  readonly collection: Collection;
  readonly apiVersion: string;
  readonly kind: string;
}

const templates = 'Template/';

/** Templates of each kind have a place of their own, by group too: two operators may both call a kind `Job`. */
const placeFor = ({ collection, apiVersion, kind }: Kindred): string =>
  collection === 'Template' ? `${templates}${kind}.${groupOf(apiVersion)}` : collection;

const placeOf = (object: Resource): string =>
  placeFor({ collection: collectionOf(object), apiVersion: object.apiVersion, kind: object.kind });

function changedPlace(place: Place = Bucket.empty, changes: ReadonlyMap<string, ReadonlyMap<string, Resource | undefined>>): Place {
  const buckets = Array.from(changes, ([namespace, entries]) => [namespace, (place.get(namespace) ?? Bucket.empty).with(entries)] as const);
  return place.with(new Map(buckets.map(([namespace, bucket]) => [namespace, bucket.isEmpty ? undefined : bucket])));
}

/** A namespace without Pods leaves nothing behind. */
const podsOrNone = (pods: readonly (readonly [string, NamespacePods])[]): ReadonlyMap<string, NamespacePods | undefined> =>
  new Map(pods.map(([namespace, those]) => [namespace, those.size === 0 ? undefined : those]));

function inner<K, V>(map: Map<string, Map<K, V>>, key: string): Map<K, V> {
  const found = map.get(key) ?? new Map<K, V>();
  map.set(key, found);
  return found;
}
