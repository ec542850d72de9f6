/**
 * What Pods cost the cluster view: bytes kept for each, and the time of one event, at 1,000 and at 100,000 Pods; and what
 * their addresses cost, by which callers are told apart: bytes, the time to follow one event, and a whole list.
 * Run with `node --expose-gc bench/snapshot.ts`; without --expose-gc there are no figures for memory.
 */
import { PodAddresses } from '../src/cluster/pod-addresses.ts';
import { ClusterSnapshot } from '../src/cluster/snapshot.ts';
import { normalize } from '../src/kube/normalize.ts';
import type { RawObject, Resource } from '../src/kube/resources.ts';

interface Scene {
  readonly name: string;
  readonly namespaces: number;
  /** Pods of one shape. */
  readonly replicas: number;
  readonly owned: boolean;
  readonly stateful?: boolean;
}

const scenes: readonly Scene[] = [
  { name: 'one namespace, 30 replicas each', namespaces: 1, replicas: 30, owned: true },
  { name: 'one namespace, no owners', namespaces: 1, replicas: 30, owned: false },
  { name: 'one namespace, StatefulSets', namespaces: 1, replicas: 30, owned: true, stateful: true },
  { name: 'one namespace, each Pod its own shape', namespaces: 1, replicas: 1, owned: true },
  { name: '50 namespaces, 30 replicas each', namespaces: 50, replicas: 30, owned: true },
];

/** As a line of a watch: parsed anew each time, so that no string is shared by accident. */
function rawPod({ namespaces, replicas, owned, stateful = false }: Scene, number: number, ready: boolean): RawObject {
  const set = Math.floor(number / replicas);
  const app = `app-${set}`;
  const name = stateful ? `${app}-${number % replicas}` : `${app}-7c9f8d6b5-${number.toString(36).padStart(5, 'x')}`;
  const maker = stateful ? { kind: 'StatefulSet', name: app } : { kind: 'ReplicaSet', name: `${app}-7c9f8d6b5` };
  const own = stateful
    ? { 'statefulset.kubernetes.io/pod-name': name, 'apps.kubernetes.io/pod-index': String(number % replicas) }
    : { 'pod-template-hash': '7c9f8d6b5' };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: `team-${set % namespaces}`,
      labels: { app, 'app.kubernetes.io/part-of': 'shop', ...own },
      ...(owned && { ownerReferences: [{ apiVersion: 'apps/v1', ...maker, controller: true, uid: `uid-${set}` }] }),
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'main', ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }] }] },
    status: {
      phase: 'Running',
      podIPs: [{ ip: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}` }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
  return JSON.parse(JSON.stringify(pod)) as RawObject;
}

const resourceOf = (raw: RawObject): Resource => normalize(raw) as Resource;

function heap(): number {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function filled(scene: Scene, pods: number): ClusterSnapshot {
  let snapshot = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' });
  for (let from = 0; from < pods; from += 500) {
    const batch = Array.from({ length: Math.min(500, pods - from) }, (_, at) => resourceOf(rawPod(scene, from + at, true)));
    snapshot = snapshot.with(batch);
  }
  return snapshot;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Microseconds: to apply one event, and from there to the answer which workloads a selector finds. */
function eventCosts(scene: Scene, pods: number, start: ClusterSnapshot): { readonly event: number; readonly answer: number } {
  const numbers = Array.from({ length: 1_000 }, (_, round) => (round * 7919) % pods);
  const arrived = numbers.map((number, round) => resourceOf(rawPod(scene, number, round % 2 === 1)));
  let snapshot = start;
  const events = arrived.map((pod) => {
    const began = performance.now();
    snapshot = snapshot.with([pod]);
    return performance.now() - began;
  });
  const answers = arrived.slice(0, 200).map((pod, round) => {
    const selector = { app: `app-${Math.floor((numbers[round] as number) / scene.replicas)}` };
    const began = performance.now();
    snapshot.with([pod]).workloadsSelectedBy(selector, pod.metadata.namespace);
    return performance.now() - began;
  });
  return { event: median(events) * 1_000, answer: median(answers) * 1_000 };
}

/** Milliseconds for a whole list, microseconds for an event: a Pod that moves to another address. */
function addressCosts(scene: Scene, pods: number, start: ClusterSnapshot) {
  const addresses = new PodAddresses();
  const before = heap();
  const began = performance.now();
  addresses.follow(start);
  const list = performance.now() - began;
  const bytes = (heap() - before) / pods;
  let snapshot = start;
  const events = Array.from({ length: 1_000 }, (_, round) => {
    const moved = rawPod(scene, (round * 7919) % pods, true);
    (moved['status'] as { podIPs: unknown }).podIPs = [{ ip: `172.16.${round >> 8}.${round & 255}` }];
    snapshot = snapshot.with([resourceOf(moved)]);
    const at = performance.now();
    addresses.follow(snapshot);
    return performance.now() - at;
  });
  return { list, bytes, event: median(events) * 1_000 };
}

function measure(scene: Scene, pods: number): void {
  const before = heap();
  const snapshot = filled(scene, pods);
  const kept = (heap() - before) / pods;
  const shapes = snapshot.listAll('Pod').length;
  const { event, answer } = eventCosts(scene, pods, snapshot);
  const bytes = globalThis.gc === undefined ? '-' : kept.toFixed(0);
  const columns = [scene.name.padEnd(40), String(pods).padStart(7), String(shapes).padStart(7), bytes.padStart(7)];
  const followed = addressCosts(scene, pods, snapshot);
  const addresses = [globalThis.gc === undefined ? '-' : followed.bytes.toFixed(0), followed.event.toFixed(1), followed.list.toFixed(1)];
  const times = [event.toFixed(1).padStart(9), answer.toFixed(1).padStart(10), ...addresses.map((one) => one.padStart(8))];
  console.log([...columns, ...times].join(' '));
}

console.log(
  `${'scene'.padEnd(40)} ${'pods'.padStart(7)} ${'shapes'.padStart(7)} ${'B/pod'.padStart(7)} ${'event us'} ${'answer us'.padStart(10)} addr B/pod event us list ms`,
);
for (const scene of scenes) {
  const small = filled(scene, 2_000); // warms up
  eventCosts(scene, 2_000, small);
  addressCosts(scene, 2_000, small);
}
for (const scene of scenes) for (const pods of [1_000, 100_000]) measure(scene, pods);
