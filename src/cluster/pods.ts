/**
 * The Pods of one namespace. Alike Pods share one Workload and are counted; of each Pod only a small record is kept
 * (about 130 bytes, bench/snapshot.ts). One event costs the same with 100 Pods as with 100,000.
 */
import { labelsOf, matchesPairs, pairsOf, perPodLabels } from '../kube/labels.ts';
import { onceFor } from '../kube/once-for.ts';
import type { Labels, Pod, PodRecord, Workload } from '../kube/resources.ts';
import { Bucket } from './bucket.ts';
import type { PodsOf } from './view.ts';

/** A PodRecord made small: strings and one number, no object of its own for labels. */
interface PodEntry {
  readonly shape: string;
  readonly ips: string;
  readonly flags: number;
  /** Values in the order of `perPodLabels`, as JSON; empty for the many Pods that have none. */
  readonly labels: string;
}

const ready = 1;
const terminating = 2;
const scheduled = 4;
const onHostNetwork = 8;

/** Hears of the `status.podIPs` of one Pod, which are the node's if it is on the host network. */
export type AddressListener = (namespace: string, ips: string, ofHost: boolean) => void;

export class NamespacePods {
  static readonly empty: NamespacePods = new NamespacePods(Bucket.empty, Bucket.empty, Bucket.empty);

  private readonly shapes: Bucket<Workload>;
  private readonly counts: Bucket<number>;
  private readonly entries: Bucket<PodEntry>;

  private constructor(shapes: Bucket<Workload>, counts: Bucket<number>, entries: Bucket<PodEntry>) {
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

  /** With these Pods set, and those whose value is undefined gone; itself if nothing that is kept differs. */
  with(changes: ReadonlyMap<string, Pod | undefined>): NamespacePods {
    const entries = new Map<string, PodEntry | undefined>();
    const counts = new Map<string, number>();
    const arrived = new Map<string, Workload>();
    const count = (shape: string, by: number): unknown => counts.set(shape, (counts.get(shape) ?? this.counts.get(shape) ?? 0) + by);
    for (const [name, pod] of changes) {
      const earlier = this.entries.get(name);
      const entry = pod && entryOf(pod, this.shapeFor(pod, arrived));
      if (earlier === entry || (earlier && entry && isSame(earlier, entry))) continue;
      entries.set(name, entry);
      if (earlier !== undefined) count(earlier.shape, -1);
      if (entry !== undefined) count(entry.shape, 1);
    }
    if (entries.size === 0) return this;
    const shapes = this.shapeChanges(counts, arrived);
    const recounted = new Map<string, number | undefined>();
    for (const [shape, number] of counts) if (number !== this.counts.get(shape)) recounted.set(shape, number || undefined);
    return new NamespacePods(this.shapes.with(shapes), this.counts.with(recounted), this.entries.with(entries));
  }

  /** Tells of all Pods that have other addresses than in an earlier version. */
  addressesSince(earlier: NamespacePods, namespace: string, given: AddressListener, givenUp: AddressListener): void {
    for (const [, before, now] of this.entries.changesSince(earlier.entries)) {
      if (before?.ips === now?.ips && isOnHost(before) === isOnHost(now)) continue;
      if (before !== undefined && before.ips !== '') givenUp(namespace, before.ips, isOnHost(before));
      if (now !== undefined && now.ips !== '') given(namespace, now.ips, isOnHost(now));
    }
  }

  /** Without the Pods that carry every pair of the selector. */
  without(selector: Labels): NamespacePods {
    const gone = Array.from(this.carrying(selector), ([name]) => [name, undefined] as const);
    return this.with(new Map(gone));
  }

  /** Shapes of which at least one Pod carries every pair. Labels of single Pods cost a walk through the namespace's Pods. */
  selectedBy(selector: Labels): readonly Workload[] {
    if (!asksOfSinglePods(selector)) {
      const pairs = pairsOf(selector);
      return this.shapes.values.filter(({ pod }) => pairs.every(([key, value]) => pod.labels[key] === value));
    }
    const carrying = new Set(Array.from(this.carrying(selector), ([, { shape }]) => shape));
    return this.shapes.values.filter((shape) => carrying.has(keyOf(shape)));
  }

  /** Whether a Pod of this maker (`Kind/name`) exists. */
  hasPodOf(owner: string): boolean {
    return ownersIn(this.shapes).has(owner);
  }

  podsOf(workload: Workload): PodsOf {
    const shape = keyOf(workload);
    const { counts, entries } = this;
    function* records(): Generator<readonly [string, PodRecord]> {
      for (const [name, entry] of entries.entries()) if (entry.shape === shape) yield [name, recordOf(name, entry)];
    }
    return {
      count: counts.get(shape) ?? 0,
      addresses: () => addressesIn(entries).get(shape),
      names: (limit) => Array.from(records().take(limit), ([name]) => name),
      records,
    };
  }

  /** Shapes that have their first Pod now, and those that have lost their last. */
  private shapeChanges(counts: ReadonlyMap<string, number>, arrived: ReadonlyMap<string, Workload>) {
    const changes = new Map<string, Workload | undefined>();
    for (const [shape, number] of counts) {
      const known = this.shapes.get(shape) !== undefined;
      if (known && number === 0) changes.set(shape, undefined);
      if (!known && number > 0) changes.set(shape, arrived.get(shape));
    }
    return changes;
  }

  private *carrying(selector: Labels): Generator<readonly [name: string, entry: PodEntry]> {
    const shapes = new Set(this.shapesCarrying(selector).map(keyOf));
    if (shapes.size === 0) return;
    const own = ownPairs(selector);
    for (const one of this.entries.entries()) if (shapes.has(one[1].shape) && carries(...one, own)) yield one;
  }

  /** Shapes whose common labels carry what the selector asks of them, whatever it asks of single Pods. */
  private shapesCarrying(selector: Labels): readonly Workload[] {
    const common = labelsOf(selector, (key) => !perPodLabels.has(key));
    return this.shapes.values.filter(({ pod }) => matchesPairs(common, pod.labels));
  }

  /** The key of the Pod's shape: the one string that all its like share. */
  private shapeFor(pod: Pod, arrived: Map<string, Workload>): string {
    const key = keyOf(pod);
    const like = this.shapes.get(key) ?? arrived.get(key) ?? shapeOf(pod, key);
    arrived.set(key, like);
    return keyOf(like);
  }
}

/** By the shapes that they stand in, which most events do not change. */
const ownersIn = onceFor((shapes: Bucket<Workload>): ReadonlySet<string> => new Set(shapes.values.map(({ owner }) => owner ?? '')));

/** By shape, for those of which every Pod has an address; all found in one walk. */
const addressesIn = onceFor((entries: Bucket<PodEntry>): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>();
  const without = new Set<string>();
  for (const [, { shape, ips }] of entries.entries()) {
    if (ips === '') without.add(shape);
    else if (found.has(shape)) found.get(shape)?.push(...ips.split(','));
    else found.set(shape, ips.split(','));
  }
  for (const shape of without) found.delete(shape);
  return found;
});

const entryOf = ({ metadata, pod, record }: Pod, shape: string): PodEntry => ({
  shape,
  ips: record.ips,
  flags:
    (record.ready ? ready : 0) +
    (record.terminating ? terminating : 0) +
    (record.scheduled ? scheduled : 0) +
    (pod.hostNetwork ? onHostNetwork : 0),
  labels: packed(record.labels, metadata.name),
});

const isOnHost = (entry: PodEntry | undefined): boolean => entry !== undefined && (entry.flags & onHostNetwork) !== 0;

const recordOf = (name: string, { ips, flags, labels }: PodEntry): PodRecord => ({
  ips,
  ready: (flags & ready) !== 0,
  terminating: (flags & terminating) !== 0,
  scheduled: (flags & scheduled) !== 0,
  labels: unpacked(labels, name),
});

const ownKeys = [...perPodLabels];

/** One of them is the Pod's name, which is kept once already: it becomes 0, one that is not there null. */
function packed(labels: Labels, name: string): string {
  const values = ownKeys.map((key) => (labels[key] === name ? 0 : (labels[key] ?? null)));
  return values.every((value) => value === null) ? '' : JSON.stringify(values);
}

function unpacked(text: string, name: string): Labels {
  const values: readonly (string | 0 | null)[] = text === '' ? [] : JSON.parse(text);
  return labelsOf(Object.fromEntries(values.map((value, at) => [ownKeys[at], value === 0 ? name : (value ?? undefined)])));
}

const isSame = (a: PodEntry, b: PodEntry): boolean =>
  a.shape === b.shape && a.ips === b.ips && a.flags === b.flags && a.labels === b.labels;

/** The pairs that only single Pods have. */
const ownPairs = (selector: Labels): Labels => labelsOf(selector, (key) => perPodLabels.has(key));

function asksOfSinglePods(selector: Labels): boolean {
  for (const key of perPodLabels) if (selector[key] !== undefined) return true;
  return false;
}

const carries = (name: string, { labels }: PodEntry, own: Labels): boolean =>
  !asksOfSinglePods(own) || (labels !== '' && matchesPairs(own, unpacked(labels, name)));

const keys = new WeakMap<Workload, string>();

/** Equal for Pods that no rule could tell apart. */
function keyOf(workload: Workload): string {
  const known = keys.get(workload);
  if (known !== undefined) return known;
  const { labels, ports, probePorts, hostNetwork, dnsPolicy, nameservers, localAddresses = [] } = workload.pod;
  const { priorityClassName = '', serviceAccountName = '', hosts = [], scrapePort = 0 } = workload.pod;
  const ends = ports.map(({ name = '', containerPort, protocol, hostPort = 0 }) => [name, containerPort, protocol, hostPort]);
  const identity = [workload.owner ?? '', priorityClassName, serviceAccountName, hosts, scrapePort];
  return JSON.stringify([...identity, sorted(labels), ends, probePorts, hostNetwork, dnsPolicy, nameservers, localAddresses]);
}

const sorted = (labels: Labels): readonly (readonly [string, string])[] => Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));

/** The Workload that stands for all Pods of this shape: called after their maker, since none of them lends its name. */
function shapeOf({ apiVersion, kind, metadata, pod, owner }: Pod, key: string): Workload {
  const name = owner?.slice(owner.indexOf('/') + 1) ?? '';
  const labels = labelsOf(Object.fromEntries(sorted(pod.labels)));
  const shape: Workload = {
    apiVersion,
    kind,
    metadata: { namespace: metadata.namespace, name },
    pod: { ...pod, labels },
    ...(owner !== undefined && { owner }),
  };
  keys.set(shape, key);
  return shape;
}
