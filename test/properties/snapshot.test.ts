/** The cluster view against one that keeps a plain list and looks through all of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClusterEvent, ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import type { ClusterView } from '../../src/cluster/view.ts';
import { collectionOf, isPod } from '../../src/kube/collections.ts';
import { isPodNameOf, isRunTimeLabel, labelsOf, matchesPairs } from '../../src/kube/labels.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Collection, Labels, Pod, Resource, Workload } from '../../src/kube/resources.ts';
import { runs } from '../support/figures.ts';

const empty = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' });
const namespaces = ['shop', 'bank', 'constructor'] as const;
const namespace = fc.constantFrom(...namespaces);
const name = fc.constantFrom('a', 'b', 'db', 'db-0', 'db-1', '__proto__');
const keys = ['app', 'tier', '__proto__', 'pod-template-hash', 'statefulset.kubernetes.io/pod-name', 'apps.kubernetes.io/pod-index'];
const labels: fc.Arbitrary<Labels> = fc
  .array(fc.tuple(fc.constantFrom(...keys), fc.constantFrom('x', 'y', 'db-0', '0')), { maxLength: 3 })
  .map((pairs) => labelsOf(Object.fromEntries(pairs)));
const ports = fc.array(fc.record({ containerPort: fc.constantFrom(80, 8080), name: fc.constantFrom('', 'http') }), { maxLength: 1 });
const owner = fc.constantFrom(
  undefined,
  { kind: 'ReplicaSet', name: 'a-x' },
  { kind: 'StatefulSet', name: 'db' },
  { kind: 'Deployment', name: 'a' },
);

const pod = fc
  .tuple(namespace, name, labels, ports, owner, fc.constantFrom('True', 'False'), fc.constantFrom('10.0.0.1', '10.0.0.2', ''))
  .map(([inside, called, own, declared, by, ready, podIP]) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: inside, name: called, labels: own, ...(by && { ownerReferences: [{ ...by, controller: true }] }) },
    spec: { containers: [{ ports: declared }], ...(podIP && { nodeName: 'n' }) },
    status: { podIP, conditions: [{ type: 'Ready', status: ready }] },
  }));
const template = fc
  .tuple(fc.constantFrom(['apps/v1', 'Deployment'], ['apps/v1', 'StatefulSet'], ['batch/v1', 'Job']), namespace, name, labels)
  .map(([[apiVersion, kind], inside, called, own]) => ({
    apiVersion,
    kind,
    metadata: { namespace: inside, name: called },
    spec: { template: { metadata: { labels: own }, spec: { containers: [] } } },
  }));
const named = fc
  .tuple(fc.constantFrom(['v1', 'Service'], ['networking.k8s.io/v1', 'NetworkPolicy']), namespace, name, labels)
  .map(([[apiVersion, kind], inside, called, own]) => ({ apiVersion, kind, metadata: { namespace: inside, name: called, labels: own } }));

const resource: fc.Arbitrary<Resource> = fc
  .oneof({ weight: 3, arbitrary: pod }, { weight: 1, arbitrary: template }, { weight: 1, arbitrary: named })
  .map((raw) => normalize(raw) as Resource);
const events: fc.Arbitrary<readonly ClusterEvent[]> = fc.array(
  fc.record({
    object: resource,
    gone: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  }),
  { maxLength: 40 },
);

const identity = ({ apiVersion, kind, metadata }: Resource): string => `${apiVersion} ${kind} ${metadata.namespace} ${metadata.name}`;

/** What is there after the events: the last word on each object. */
function survivors(happened: readonly ClusterEvent[]): readonly Resource[] {
  const last = new Map(happened.map((event) => [identity(event.object), event]));
  return [...last.values()].filter(({ gone }) => !gone).map(({ object }) => object);
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part) ? Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)) : part,
  );
const sorted = (values: Iterable<unknown>): readonly string[] => Array.from(values, canonical).sort();

/** Everything that a view tells, in a form that can be compared. */
function told(view: ClusterView): unknown {
  const collections: readonly Collection[] = ['Service', 'NetworkPolicy', 'Template', 'Pod'];
  return namespaces.map((one) => ({
    lists: collections.map((collection) => view.list(collection, one).map(canonical)),
    pods: view.list('Pod', one).map((shape) => {
      const { count, names, records } = view.pods(shape);
      return [count, names(2), names(99), [...records()].map(canonical)];
    }),
  }));
}

const podsIn = (all: readonly Resource[], inside: string): readonly Pod[] =>
  all.filter(isPod).filter(({ metadata }) => metadata.namespace === inside);
const fullLabels = (one: Pod): Labels => labelsOf({ ...one.pod.labels, ...one.record.labels });

/** Which templates a selector finds, from the description in ClusterView. */
function templatesSelectedBy(all: readonly Resource[], selector: Labels, inside: string): readonly Resource[] {
  return all
    .filter((object): object is Workload => collectionOf(object) === 'Template' && object.metadata.namespace === inside)
    .filter(({ kind, metadata, pod: shape }) => {
      if (matchesPairs(selector, shape.labels)) return true;
      const settled = labelsOf(selector, (key) => !isRunTimeLabel(key) || shape.labels[key] !== undefined);
      const hasPods = podsIn(all, inside).some((one) => one.owner === `${kind}/${metadata.name}`);
      const podName = selector['statefulset.kubernetes.io/pod-name'];
      const speaks = podName === undefined ? Object.keys(settled).length > 0 : isPodNameOf(metadata.name, podName);
      return matchesPairs(settled, shape.labels) && speaks && !hasPods;
    });
}

describe('ClusterSnapshot', () => {
  it('holds what a plain list holds', () => {
    fc.assert(
      fc.property(events, (happened) => {
        const snapshot = happened.reduce((all, event) => all.applying([event]), empty);
        const all = survivors(happened);
        for (const inside of namespaces) {
          for (const collection of ['Service', 'NetworkPolicy', 'Template'] as const) {
            const expected = all.filter((object) => collectionOf(object) === collection && object.metadata.namespace === inside);
            expect(sorted(snapshot.list(collection, inside))).toEqual(sorted(expected));
          }
          const listed = snapshot
            .list('Pod', inside)
            .flatMap((shape) => [...snapshot.pods(shape).records()].map(([called, record]) => [called, record, shape.pod, shape.owner]));
          const expected = podsIn(all, inside).map(({ metadata, record, pod: shape, owner: by }) => [metadata.name, record, shape, by]);
          expect(sorted(listed)).toEqual(sorted(expected));
          const shapes = snapshot.list('Pod', inside);
          expect(new Set(shapes.map(({ pod: shape, owner: by }) => canonical([shape, by]))).size).toBe(shapes.length); // alike Pods are one
          for (const shape of shapes) expect(snapshot.pods(shape).names(99)).toHaveLength(snapshot.pods(shape).count);
        }
        expect(snapshot.count('Pod')).toBe(all.filter(isPod).length);
        expect(sorted(snapshot.listAll('Service'))).toEqual(sorted(all.filter(({ kind }) => kind === 'Service')));
        for (const service of all.filter(({ kind }) => kind === 'Service'))
          expect(snapshot.get('Service', service.metadata.namespace, service.metadata.name)).toEqual(service);
      }),
      { numRuns: runs(300, 10_000) },
    );
  });

  it('lists all namespaces as it lists each of them, after every event', () => {
    fc.assert(
      fc.property(events, (happened) => {
        let snapshot = empty;
        for (const event of happened) {
          snapshot = snapshot.applying([event]);
          for (const collection of ['Service', 'NetworkPolicy', 'Template', 'Pod'] as const)
            expect(snapshot.listAll(collection)).toEqual(namespaces.toSorted().flatMap((one) => snapshot.list(collection, one)));
        }
      }),
      { numRuns: runs(100, 3_000) },
    );
  });

  it('tells the same whatever came first, one by one or together', () => {
    fc.assert(
      fc.property(events, fc.infiniteStream(fc.nat()), (happened, random) => {
        const all = survivors(happened);
        const shuffled = all.map((object) => ({ object, key: random.next().value })).sort((a, b) => a.key - b.key);
        const expected = told(empty.with(all));
        expect(told(empty.applying(happened))).toEqual(expected);
        expect(told(shuffled.reduce((snapshot, { object }) => snapshot.with([object]), empty))).toEqual(expected);
      }),
      { numRuns: runs(200, 10_000) },
    );
  });

  it('is as it was after an object came and went', () => {
    fc.assert(
      fc.property(events, resource, (happened, extra) => {
        const before = empty.applying(happened.filter(({ object }) => identity(object) !== identity(extra)));
        expect(told(before.with([extra]).without([extra]))).toEqual(told(before));
        expect(told(before.with([extra, extra]))).toEqual(told(before.with([extra])));
      }),
    );
  });

  it('finds by labels what a look at each Pod and template finds', () => {
    fc.assert(
      fc.property(events, labels, (happened, selector) => {
        const snapshot = empty.applying(happened);
        const all = survivors(happened);
        for (const inside of namespaces) {
          const found = snapshot.workloadsSelectedBy(selector, inside);
          expect(sorted(found.filter(({ kind }) => kind !== 'Pod'))).toEqual(sorted(templatesSelectedBy(all, selector, inside)));
          const matching = podsIn(all, inside).filter((one) => matchesPairs(selector, fullLabels(one)));
          const shapes = new Set(matching.map(({ pod: shape, owner: by }) => canonical([shape, by])));
          expect(new Set(found.filter(({ kind }) => kind === 'Pod').map(({ pod: shape, owner: by }) => canonical([shape, by])))).toEqual(
            shapes,
          );
        }
      }),
      { numRuns: runs(400, 10_000) },
    );
  });

  it('clears of one kind and namespace what carries the labels, and nothing else', () => {
    fc.assert(
      fc.property(events, labels, namespace, (happened, selector, inside) => {
        const all = survivors(happened);
        const kept = all.filter(
          (object) => !(isPod(object) && object.metadata.namespace === inside && matchesPairs(selector, fullLabels(object))),
        );
        const pods = { collection: 'Pod', apiVersion: 'v1', kind: 'Pod' } as const;
        expect(told(empty.with(all).clearing(pods, inside, selector))).toEqual(told(empty.with(kept)));
        const deployments = { collection: 'Template', apiVersion: 'apps/v1', kind: 'Deployment' } as const;
        const others = all.filter(({ kind, metadata }) => kind !== 'Deployment' || metadata.namespace !== inside);
        expect(told(empty.with(all).clearing(deployments, inside))).toEqual(told(empty.with(others)));
      }),
    );
  });

  it('adopts a kind from another snapshot, and nothing else', () => {
    fc.assert(
      fc.property(events, events, (ours, theirs) => {
        const kinds = [
          { collection: 'Pod', apiVersion: 'v1', kind: 'Pod' },
          { collection: 'Template', apiVersion: 'apps/v1', kind: 'Deployment' },
          { collection: 'Service', apiVersion: 'v1', kind: 'Service' },
        ] as const;
        for (const kind of kinds) {
          const expected = [
            ...survivors(ours).filter((one) => one.kind !== kind.kind),
            ...survivors(theirs).filter((one) => one.kind === kind.kind),
          ];
          expect(told(empty.applying(ours).adopting(kind, empty.applying(theirs)))).toEqual(told(empty.with(expected)));
        }
      }),
    );
  });
});
