/**
 * The Pods of one namespace. Alike Pods share one Workload and are counted; of each Pod only a small record is kept.
 * Both maps are persistent (hash tries): one event costs the same with 100 Pods as with 100,000.
 */
import { Map as PersistentMap } from 'immutable';
import type { Pod, PodRecord, Workload } from '../kube/resources.ts';
import { Bucket } from './bucket.ts';
import type { PodsOf } from './view.ts';

interface PodEntry {
  readonly shape: string;
  readonly record: PodRecord;
}

export class NamespacePods {
  static readonly empty: NamespacePods = new NamespacePods(Bucket.empty, PersistentMap(), PersistentMap());

  private readonly shapes: Bucket<Workload>;
  private readonly counts: PersistentMap<string, number>;
  private readonly entries: PersistentMap<string, PodEntry>;

  private constructor(shapes: Bucket<Workload>, counts: PersistentMap<string, number>, entries: PersistentMap<string, PodEntry>) {
    this.shapes = shapes;
    this.counts = counts;
    this.entries = entries;
  }

  /** One Workload for each shape of Pod. */
  get workloads(): readonly Workload[] {
    return this.shapes.values;
  }

  get size(): number {
    return this.entries.size;
  }

  /** With these Pods set, and those whose value is undefined gone. */
  with(changes: ReadonlyMap<string, Pod | undefined>): NamespacePods {
    const shapeChanges = new Map<string, Workload | undefined>();
    const counts = this.counts.asMutable();
    const entries = this.entries.asMutable();
    const add = (shape: string, by: number): void => {
      const count = (counts.get(shape) ?? 0) + by;
      if (count > 0) counts.set(shape, count);
      else counts.remove(shape);
    };
    for (const [name, pod] of changes) {
      const earlier = entries.get(name);
      if (earlier !== undefined) add(earlier.shape, -1);
      if (earlier !== undefined && counts.get(earlier.shape) === undefined) shapeChanges.set(earlier.shape, undefined);
      if (pod === undefined) {
        entries.remove(name);
        continue;
      }
      const known = this.shapes.get(keyOf(pod));
      const workload = known ?? shapeChanges.get(keyOf(pod)) ?? shapeOf(pod);
      const shape = keyOf(workload); // one string for all Pods of the shape
      add(shape, 1);
      entries.set(name, { shape, record: pod.record });
      if (known === undefined) shapeChanges.set(shape, workload);
      else shapeChanges.delete(shape);
    }
    const shapes = shapeChanges.size === 0 ? this.shapes : this.shapes.with(shapeChanges);
    return new NamespacePods(shapes, counts.asImmutable(), entries.asImmutable());
  }

  podsOf(workload: Workload): PodsOf {
    const shape = keyOf(workload);
    const { counts, entries } = this;
    function* records(): Generator<readonly [string, PodRecord]> {
      for (const [name, entry] of entries) if (entry.shape === shape) yield [name, entry.record];
    }
    return {
      count: counts.get(shape) ?? 0,
      names: (limit) =>
        Array.from(records(), ([name]) => name)
          .sort()
          .slice(0, limit),
      records,
    };
  }

  names(): Iterable<string> {
    return this.entries.keys();
  }
}

const keys = new WeakMap<Workload, string>();

/** Equal for Pods that no rule could tell apart. */
function keyOf(workload: Workload): string {
  let key = keys.get(workload);
  if (key === undefined) {
    const { labels, ports, probePorts, hostNetwork, dnsPolicy, nameservers } = workload.pod;
    const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
    key = JSON.stringify([
      workload.owner ?? '',
      sorted,
      ports.map(({ name = '', containerPort, protocol }) => [name, containerPort, protocol]),
      probePorts,
      hostNetwork,
      dnsPolicy,
      nameservers,
    ]);
    keys.set(workload, key);
  }
  return key;
}

/** The Workload that stands for all Pods of this shape: called after their maker, since none of them lends its name. */
function shapeOf({ apiVersion, kind, metadata, pod, owner }: Pod): Workload {
  const name = owner?.slice(owner.indexOf('/') + 1) ?? '';
  return { apiVersion, kind, metadata: { namespace: metadata.namespace, name }, pod, ...(owner !== undefined && { owner }) };
}
