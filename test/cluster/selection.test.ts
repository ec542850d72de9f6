import { describe, expect, it } from 'vitest';
import { carriedBy, correctedSelector, pairsOfNobody, pairsToCome } from '../../src/cluster/selection.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { labelsOf } from '../../src/kube/labels.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject, Workload } from '../../src/kube/resources.ts';
import { complete } from '../support/objects.ts';

const template = (kind: string, name: string, labels: RawObject): RawObject => ({
  kind,
  metadata: { name, namespace: 'shop' },
  spec: { template: { metadata: { labels } } },
});
const podOf = (kind: string, owner: string, name: string, labels: RawObject): RawObject => ({
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels, ownerReferences: [{ apiVersion: 'x', kind, name: owner, uid: 'u', controller: true }] },
});
const viewOf = (...objects: readonly RawObject[]): ClusterSnapshot =>
  ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(objects.flatMap((raw) => normalize(complete(raw)) ?? []));
const workloads = (...objects: readonly RawObject[]): readonly Workload[] => viewOf(...objects).workloads('shop');
const labelled = (...sets: readonly RawObject[]) => workloads(...sets.map((labels, at) => template('Deployment', `d${at}`, labels)));

describe('which templates a selector finds', () => {
  const db = template('StatefulSet', 'db', { app: 'db' });
  const isFound = (selector: RawObject, ...objects: readonly RawObject[]): boolean =>
    viewOf(...objects)
      .workloadsSelectedBy(labelsOf(selector), 'shop')
      .some(({ kind }) => kind !== 'Pod');
  const podName = 'statefulset.kubernetes.io/pod-name';

  it.each([
    [{ app: 'db' }, true],
    [{ app: 'db', role: 'primary' }, true],
    [{ role: 'primary' }, false], // any Pod of the namespace may get it
    [{ 'pod-template-hash': 'x', role: 'primary' }, false],
    [{ app: 'db', [podName]: 'db-0' }, true],
    [{ [podName]: 'db-10' }, true],
    [{ [podName]: 'bd-0' }, false],
    [{ app: 'db', [podName]: 'bd-0' }, false],
    [{ app: 'db', [podName]: 'db-' }, false],
    [{ app: 'db', [podName]: 'db-0-1' }, false],
    [{ app: 'other', [podName]: 'db-0' }, false],
  ])('%j: %s', (selector, expected) => expect(isFound(selector, db)).toBe(expected));

  it('does not where its Pods are there to tell', () =>
    expect(isFound({ app: 'db', role: 'primary' }, db, podOf('StatefulSet', 'db', 'db-0', { app: 'db' }))).toBe(false));

  it('finds one whose template has the label that usually comes at run time', () =>
    expect(isFound({ role: 'front', 'pod-template-hash': 'x' }, template('Deployment', 'web', { role: 'front' }))).toBe(true));
});

describe('pairs to come', () => {
  const toCome = (selector: RawObject, ...objects: readonly RawObject[]) => {
    const found = pairsToCome(labelsOf(selector), workloads(...objects));
    return found && [{ ...found.pairs }, found.isTelling];
  };
  const db = template('StatefulSet', 'db', { app: 'db' });

  it('are certain of nothing where any Pod would do', () => expect(toCome({ role: 'primary' }, db)).toEqual([{ role: 'primary' }, false]));

  it('are told by another pair, whichever workload comes first', () => {
    expect(toCome({ app: 'db', role: 'primary' }, db)).toEqual([{ role: 'primary' }, true]);
    const web = template('Deployment', 'a', { tier: 'web' });
    const front = template('Deployment', 'b', { role: 'front' });
    expect(toCome({ role: 'front', 'istio.io/rev': 'x' }, web, front)).toEqual([{ 'istio.io/rev': 'x' }, true]);
  });

  it('are none where each template settles the label', () =>
    expect(toCome({ role: 'primary' }, template('StatefulSet', 'db', { role: 'replica' }))).toBeUndefined());

  it('may replace what a Pod of an unknown maker has', () =>
    expect(toCome({ role: 'primary' }, podOf('Cluster', 'db', 'db-1', { role: 'replica' }))).toEqual([{ role: 'primary' }, false]));
});

describe('what Pods here carry', () => {
  it.each([
    [[], ''],
    [[{ app: 'web', tier: 'front' }, { app: 'cart' }], '; Pods here carry app=web,tier=front; app=cart'],
    [
      [
        { app: 'web', release: 'shop' },
        { app: 'web', 'pod-template-hash': 'x' },
      ],
      '; Pods here carry app=web',
    ],
    [[{ release: 'shop' }], '; Pods here carry release=shop'],
    [[{ a: '1' }, { a: '2' }, { a: '3' }, { a: '4' }], '; Pods here carry a=1; a=2; a=3; …'],
    [[{ app: 'a'.repeat(40), tier: 'b'.repeat(20) }], `; Pods here carry app=${'a'.repeat(40)},…`],
    [[{ app: 'a'.repeat(60) }], `; Pods here carry app=${'a'.repeat(20)}…${'a'.repeat(23)}`],
  ])('%j', (sets, expected) => expect(carriedBy(labelled(...sets))).toBe(expected));

  it('says nothing of Pods without labels', () =>
    expect(carriedBy(labelled({ app: 'web' }).map((one) => ({ ...one, pod: { ...one.pod, labels: labelsOf({}) } })))).toBe(''));
});

describe('pairs of nobody', () => {
  const here = labelled({ app: 'web', tier: 'front' }, { app: 'db', tier: 'back' });
  it.each([
    [{ app: 'wbe', tier: 'front' }, ['app=wbe']],
    [{ tier: 'fornt', app: 'wbe' }, ['app=wbe', 'tier=fornt']],
    [{ tier: 'back', app: 'web' }, ['[["app","web"],["tier","back"]]']],
  ])('%j', (selector, expected) => expect(pairsOfNobody(labelsOf(selector), here)).toEqual(expected));

  it('are all of very many', () => {
    const many = labelsOf(Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`key-${at}`, 'x'])));
    expect(pairsOfNobody(many, here)).toHaveLength(1);
  });
});

it('corrects values, keys and what is too much', () => {
  const { corrected, change } = correctedSelector(labelsOf({ app: 'wbe', name: 'front', track: 'x', zone: 'a' }), [
    { key: 'app', wanted: 'wbe', found: 'web' },
    { key: 'name', wanted: 'front', found: undefined, otherKey: 'tier' },
    { key: 'track', wanted: 'x', found: undefined },
  ]);
  expect({ ...corrected }).toEqual({ app: 'web', tier: 'front', zone: 'a' });
  expect(change).toBe('app=web,tier=front without track');
});
