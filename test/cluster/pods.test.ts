import { describe, expect, it } from 'vitest';
import { NamespacePods } from '../../src/cluster/pods.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Labels, Pod } from '../../src/kube/resources.ts';

const pod = (name: string, labels: Labels, { owner = '', ready = true, ip = '10.0.0.1' } = {}): Pod =>
  normalize({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'shop',
      name,
      labels,
      ...(owner && { ownerReferences: [{ kind: 'StatefulSet', name: owner, controller: true }] }),
    },
    spec: { nodeName: 'node', containers: [{ ports: [{ containerPort: 80 }] }] },
    status: { podIPs: [{ ip }, { ip: 'fd00::1' }], conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }) as Pod;
const holding = (...pods: Pod[]): NamespacePods => NamespacePods.empty.with(new Map(pods.map((one) => [one.metadata.name, one])));
const changed = (pods: NamespacePods, name: string, to?: Pod): NamespacePods => pods.with(new Map([[name, to]]));
const replica = (set: string, number: number): Pod =>
  pod(
    `${set}-${number}`,
    { app: set, 'statefulset.kubernetes.io/pod-name': `${set}-${number}`, 'apps.kubernetes.io/pod-index': String(number) },
    { owner: set },
  );

describe('NamespacePods', () => {
  it('counts replicas as one workload, called after their maker', () => {
    const pods = holding(replica('db', 0), replica('db', 1), replica('db', 2), pod('lone', { app: 'db' }));
    expect(pods.workloads.map(({ metadata, owner }) => [metadata.name, owner])).toEqual([
      ['', undefined],
      ['db', 'StatefulSet/db'],
    ]);
    expect(pods.workloads.map((one) => pods.podsOf(one).count)).toEqual([1, 3]);
    expect(pods.podsOf(pods.workloads[1] as Pod).names(2)).toEqual(['db-0', 'db-1']);
    expect(pods.size).toBe(4);
    expect([pods.hasPodOf('StatefulSet/db'), pods.hasPodOf('StatefulSet/web')]).toEqual([true, false]);
  });

  it.each([{ priorityClassName: 'system-node-critical' }, { serviceAccountName: 'db' }])('tells Pods apart by %j', (difference) => {
    const [one, other] = [pod('a', { app: 'db' }), pod('b', { app: 'db' })];
    expect(holding(one, other).workloads).toHaveLength(1);
    expect(holding(one, { ...other, pod: { ...other.pod, ...difference } }).workloads).toHaveLength(2);
  });

  it('gives back of each Pod what is its own', () => {
    const pods = holding(
      replica('db', 0),
      pod('odd', { 'statefulset.kubernetes.io/pod-name': 'other', 'apps.kubernetes.io/pod-index': '"' }),
    );
    const records = pods.workloads.flatMap((one) => [...pods.podsOf(one).records()]);
    expect(Object.fromEntries(records)).toEqual({
      'db-0': {
        ips: '10.0.0.1,fd00::1',
        ready: true,
        terminating: false,
        scheduled: true,
        labels: { 'statefulset.kubernetes.io/pod-name': 'db-0', 'apps.kubernetes.io/pod-index': '0' },
      },
      odd: {
        ips: '10.0.0.1,fd00::1',
        ready: true,
        terminating: false,
        scheduled: true,
        labels: { 'statefulset.kubernetes.io/pod-name': 'other', 'apps.kubernetes.io/pod-index': '"' },
      },
    });
  });

  it('finds single Pods by the labels that only they have', () => {
    const pods = holding(replica('db', 0), replica('db', 1), replica('web', 0));
    const owners = (labels: Labels): (string | undefined)[] => pods.selectedBy(labels).map(({ owner }) => owner);
    expect(owners({ 'statefulset.kubernetes.io/pod-name': 'db-1' })).toEqual(['StatefulSet/db']);
    expect(owners({ 'apps.kubernetes.io/pod-index': '0' })).toEqual(['StatefulSet/db', 'StatefulSet/web']);
    expect(owners({ app: 'web', 'apps.kubernetes.io/pod-index': '1' })).toEqual([]);
    expect(owners({ app: 'web', 'statefulset.kubernetes.io/pod-name': 'db-1' })).toEqual([]);
    expect(owners({})).toEqual(['StatefulSet/db', 'StatefulSet/web']);
  });

  it('is itself after news that change nothing that is kept', () => {
    const pods = holding(replica('db', 0));
    expect(changed(pods, 'db-0', replica('db', 0))).toBe(pods);
    expect(changed(pods, 'nobody')).toBe(pods);
    const moved = changed(pods, 'db-0', pod('db-0', { app: 'db' }, { ip: '10.0.0.9' }));
    expect(moved).not.toBe(pods);
    expect([...pods.podsOf(pods.workloads[0] as Pod).records()]).toHaveLength(1);
  });

  it.each<[string, Pod]>([
    ['address', pod('a', { app: 'web' }, { ip: '10.0.0.9' })],
    ['readiness', pod('a', { app: 'web' }, { ready: false })],
    ['own labels', pod('a', { app: 'web', 'apps.kubernetes.io/pod-index': '1' })],
  ])('takes over a changed %s', (_, after) => {
    const before = holding(pod('a', { app: 'web' }));
    const now = changed(before, 'a', after);
    expect([...now.podsOf(now.workloads[0] as Pod).records()]).toEqual([['a', after.record]]);
    expect(now.workloads).toBe(before.workloads);
  });

  it('shares shapes between versions that differ in Pods alone', () => {
    const pods = holding(replica('db', 0), replica('db', 1));
    const unready = changed(
      pods,
      'db-1',
      pod('db-1', { app: 'db', 'statefulset.kubernetes.io/pod-name': 'db-1' }, { owner: 'db', ready: false }),
    );
    expect(unready.workloads).toBe(pods.workloads);
    expect(changed(unready, 'db-1').workloads).toBe(pods.workloads);
    expect(changed(changed(unready, 'db-1'), 'db-0').workloads).toEqual([]);
  });
});
