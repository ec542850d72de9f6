/**
 * The immutable cluster view. A watch event, a manifest file and the write under review are the same operation, `with`;
 * what one snapshot does not change, the next one shares with it.
 */
import { Map as PersistentMap } from 'immutable';
import { isRunTimeLabel, matchesPairs, perPodLabels } from '../kube/labels.ts';
import {
  type Collection,
  type Collections,
  collectionOf,
  formatRef,
  isPod,
  type Labels,
  type ObjectRef,
  type Pod,
  type Resource,
  refOf,
  type Workload,
} from '../kube/resources.ts';
import { Bucket } from './bucket.ts';
import { NamespacePods } from './pods.ts';
import type { ClusterView, Coverage, NamedCollection, PodsOf } from './view.ts';

type BucketCollection = Exclude<Collection, 'Pod'>;
/** By collection and namespace. */
type Buckets = PersistentMap<string, Bucket<Resource>>;

/** What a snapshot knows beside its objects. */
export interface Knowledge {
  readonly observedAt: number;
  /** Asked with the snapshot at hand: what files cover depends on what they hold. */
  readonly coverage: (collection: Collection, namespace: string, snapshot: ClusterSnapshot) => Coverage;
  readonly staleMs?: (collection: Collection) => number;
  /** Objects read by name, by `formatRef`. */
  readonly fetched?: ReadonlyMap<string, Resource | 'absent' | 'unknown'>;
}

export class ClusterSnapshot implements ClusterView {
  private readonly buckets: Buckets;
  private readonly podsByNamespace: PersistentMap<string, NamespacePods>;
  private readonly knowledge: Knowledge;

  private constructor(buckets: Buckets, podsByNamespace: PersistentMap<string, NamespacePods>, knowledge: Knowledge) {
    this.buckets = buckets;
    this.podsByNamespace = podsByNamespace;
    this.knowledge = knowledge;
  }

  static empty(knowledge: Knowledge): ClusterSnapshot {
    return new ClusterSnapshot(PersistentMap(), PersistentMap(), knowledge);
  }

  /** With these objects added, each in place of what has its kind, namespace and name. */
  with(objects: Iterable<Resource>): ClusterSnapshot {
    return this.changed(objects, (object) => object);
  }

  without(objects: Iterable<Resource>): ClusterSnapshot {
    return this.changed(objects, () => undefined);
  }

  /** With exactly these objects of the kinds and namespace named ('*' for all): what a list that was just read says. */
  replacing(kinds: ReadonlySet<string>, namespace: string, objects: readonly Resource[]): ClusterSnapshot {
    const gone: Resource[] = [];
    const present = new Set(objects.map((object) => formatRef(refOf(object))));
    for (const held of this.held(kinds, namespace)) if (!present.has(formatRef(refOf(held)))) gone.push(held);
    return this.without(gone).with(objects);
  }

  /** The same objects with other knowledge of them. */
  knowing(knowledge: Partial<Knowledge>): ClusterSnapshot {
    return new ClusterSnapshot(this.buckets, this.podsByNamespace, { ...this.knowledge, ...knowledge });
  }

  get observedAt(): number {
    return this.knowledge.observedAt;
  }

  get<C extends NamedCollection>(collection: C, namespace: string, name: string): Collections[C] | undefined {
    return this.bucket(collection, namespace).get(name) as Collections[C] | undefined;
  }

  list<C extends Collection>(collection: C, namespace: string): readonly Collections[C][] {
    if (collection === 'Pod') return this.namespacePods(namespace).workloads as readonly Collections[C][];
    return this.bucket(collection as BucketCollection, namespace).values as readonly Collections[C][];
  }

  listAll<C extends Collection>(collection: C): readonly Collections[C][] {
    return this.namespacesOf(collection).flatMap((namespace) => this.list(collection, namespace));
  }

  workloads(namespace: string): readonly Workload[] {
    return [...this.list('Template', namespace), ...this.list('Pod', namespace)];
  }

  workloadsSelectedBy(selector: Labels, namespace: string): readonly Workload[] {
    return this.workloads(namespace).filter((workload) => this.carries(workload, selector));
  }

  pods(workload: Workload): PodsOf {
    return workload.kind === 'Pod' ? this.namespacePods(workload.metadata.namespace).podsOf(workload) : noPods;
  }

  coverage(collection: Collection, namespace: string): Coverage {
    return this.knowledge.coverage(collection, namespace, this);
  }

  staleMs(collection: Collection): number {
    return this.knowledge.staleMs?.(collection) ?? 0;
  }

  fetched(ref: ObjectRef): Resource | 'absent' | 'unknown' {
    return this.knowledge.fetched?.get(formatRef(ref)) ?? 'unknown';
  }

  /** How many objects of the collection there are; Pods one by one. */
  count(collection: Collection): number {
    if (collection !== 'Pod') return this.listAll(collection).length;
    return this.podsByNamespace.reduce((sum, pods) => sum + pods.size, 0);
  }

  private carries(workload: Workload, selector: Labels): boolean {
    const { labels } = workload.pod;
    if (matchesPairs(selector, labels)) return true;
    const unmet = Object.entries(selector).filter(([key, value]) => labels[key] !== value);
    if (!unmet.every(([key]) => labels[key] === undefined && isRunTimeLabel(key))) return false;
    if (workload.kind !== 'Pod') return !this.hasPods(workload);
    if (!unmet.every(([key]) => perPodLabels.has(key))) return false;
    for (const [, record] of this.pods(workload).records()) if (unmet.every(([key, value]) => record.labels[key] === value)) return true;
    return false;
  }

  private hasPods({ kind, metadata }: Workload): boolean {
    return this.list('Pod', metadata.namespace).some(({ owner }) => owner === `${kind}/${metadata.name}`);
  }

  private bucket(collection: BucketCollection, namespace: string): Bucket<Resource> {
    return this.buckets.get(`${collection}/${namespace}`) ?? Bucket.empty;
  }

  private namespacePods(namespace: string): NamespacePods {
    return this.podsByNamespace.get(namespace) ?? NamespacePods.empty;
  }

  private namespacesOf(collection: Collection): readonly string[] {
    if (collection === 'Pod') return [...this.podsByNamespace.keys()].sort();
    const prefix = `${collection}/`;
    return [...this.buckets.keys()].flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : [])).sort();
  }

  private *held(kinds: ReadonlySet<string>, namespace: string): Generator<Resource> {
    for (const [key, bucket] of this.buckets) {
      if (namespace !== '*' && !key.endsWith(`/${namespace}`)) continue;
      for (const object of bucket.values) if (kinds.has(object.kind)) yield object;
    }
    if (!kinds.has('Pod')) return;
    for (const [within, pods] of this.podsByNamespace)
      if (namespace === '*' || namespace === within) for (const name of pods.names()) yield podNamed(within, name);
  }

  private changed(objects: Iterable<Resource>, change: (object: Resource) => Resource | undefined): ClusterSnapshot {
    const byBucket = new Map<string, Map<string, Resource | undefined>>();
    const podsBy = new Map<string, Map<string, Pod | undefined>>();
    for (const object of objects) {
      const { namespace, name } = object.metadata;
      const value = change(object);
      if (object.kind === 'Pod') entry(podsBy, namespace).set(name, value !== undefined && isPod(value) ? value : undefined);
      else entry(byBucket, `${collectionOf(object)}/${namespace}`).set('pod' in object ? `${object.kind}/${name}` : name, value);
    }
    const buckets = this.buckets.withMutations((map) => {
      for (const [key, changes] of byBucket) map.set(key, (map.get(key) ?? Bucket.empty).with(changes));
    });
    const pods = this.podsByNamespace.withMutations((map) => {
      for (const [namespace, changes] of podsBy) map.set(namespace, (map.get(namespace) ?? NamespacePods.empty).with(changes));
    });
    return new ClusterSnapshot(buckets, pods, this.knowledge);
  }
}

const noPods: PodsOf = { count: 0, names: () => [], records: () => [] };

function entry<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const inner = map.get(key) ?? new Map<string, V>();
  map.set(key, inner);
  return inner;
}

/** Enough of a Pod to take it out of a snapshot. */
const podNamed = (namespace: string, name: string): Workload => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name },
  pod: { labels: {}, ports: [], probePorts: [], hostNetwork: false, dnsPolicy: '', nameservers: [] },
});
