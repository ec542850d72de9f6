import { describe, expect, it } from 'vitest';
import { Directory } from '../../../src/cluster/dependencies/directory.ts';
import { lossesBy } from '../../../src/cluster/dependencies/lost.ts';
import { Elsewhere, Requesting } from '../../../src/cluster/elsewhere.ts';
import { ClusterSnapshot } from '../../../src/cluster/snapshot.ts';
import { labelsOf } from '../../../src/kube/labels.ts';
import { normalize } from '../../../src/kube/normalize.ts';
import type { NetworkPolicy, RawObject, Resource } from '../../../src/kube/resources.ts';
import { complete } from '../../support/objects.ts';

const resourceOf = (raw: RawObject): Resource => normalize(complete(raw)) as Resource;

const template = (name: string, hosts: readonly string[] = []): RawObject => ({
  metadata: { labels: { app: name } },
  spec: { containers: [{ name, args: hosts }] },
});
const deployment = (name: string, hosts?: readonly string[]): RawObject => ({
  kind: 'Deployment',
  metadata: { name, namespace: 'shop' },
  spec: { template: template(name, hosts) },
});
const service = (name: string): RawObject => ({
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: { selector: { app: name }, ports: [{ port: 80 }] },
});
const podOf = (name: string, at: number, hosts?: readonly string[]): RawObject => {
  const { metadata, spec } = template(name, hosts) as { readonly metadata: object; readonly spec: object };
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: name, controller: true }];
  return { kind: 'Pod', metadata: { ...metadata, name: `${name}-${at}`, namespace: 'shop', ownerReferences }, spec };
};
const policy = (spec: RawObject, name = 'policy'): NetworkPolicy =>
  resourceOf({ kind: 'NetworkPolicy', metadata: { name, namespace: 'shop' }, spec }) as NetworkPolicy;

const snapshotOf = (objects: readonly RawObject[]): ClusterSnapshot =>
  ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(objects.map(resourceOf));

const defaultDeny = policy({ podSelector: {}, policyTypes: ['Ingress'] });

const lossesIn = (snapshot: ClusterSnapshot, written = defaultDeny) =>
  lossesBy({ policy: written, before: () => snapshot, cluster: snapshot.with([written]) }, undefined);

it('counts a connection once, however many Pods and shapes of Pods there are', () => {
  const web = { ...deployment('web', ['db:80']), kind: 'StatefulSet' };
  const world = snapshotOf([web, podOf('web', 0, ['db:80']), podOf('web', 1, ['db:80', 'db.shop:80']), deployment('db'), service('db')]);
  const { lost, of } = lossesIn(world);
  expect(lost.map(({ title }) => title)).toEqual(['StatefulSet web to Service db:80']);
  expect(of).toBe(1);
});

describe('a connection of several ways', () => {
  const data = (name: string): RawObject => {
    const pods = { metadata: { labels: { app: name, role: 'data' } }, spec: { containers: [] } };
    return { ...deployment(name), spec: { template: pods } };
  };
  const both = { ...service('db'), spec: { selector: { role: 'data' }, ports: [{ port: 80 }] } };
  const world = snapshotOf([deployment('web', ['db:80']), data('db'), data('other'), both]);
  const shutting = (app: string, ingress: readonly RawObject[] = []): NetworkPolicy =>
    policy({ podSelector: { matchLabels: { app } }, policyTypes: ['Ingress'], ingress }, app);

  it('is not lost while one way is left', () => {
    expect(lossesIn(world, shutting('db')).lost).toEqual([]);
    expect(lossesIn(world).lost).toHaveLength(1);
  });

  it('is lost with the last way, and what opens that is told', () => {
    const { lost } = lossesIn(world.with([shutting('other')]), shutting('db'));
    expect(lost.map(({ ways }) => ways.map(({ dependency: { to } }) => to.workload.metadata.name))).toEqual([['db']]);
  });

  it('is not lost while another way may be open', () => {
    const blocks = [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }];
    expect(lossesIn(world.with([shutting('other', blocks)]), shutting('db')).lost).toEqual([]);
  });

  it('is not lost once more where all were shut before', () => {
    const shut = world.with([shutting('other'), shutting('db')]);
    expect(lossesIn(shut).lost).toEqual([]);
  });

  /** At which of the policies it is told, as they stand. */
  const toldAt = (cluster: ClusterSnapshot, policies: readonly NetworkPolicy[]): readonly string[] =>
    policies.flatMap((standing) =>
      lossesBy({ policy: standing, before: undefined, cluster }, undefined).lost.map(() => standing.metadata.name),
    );

  it('is told once as things stand, though each of two policies shuts one', () => {
    const policies = [shutting('db'), shutting('other')];
    expect(toldAt(world.with(policies), policies)).toHaveLength(1);
  });

  const ofFriends = (app: string): NetworkPolicy => shutting(app, [{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }] }]);

  it('is told at the policy that has forgotten it, beside a default deny', () => {
    const policies = [policy({ podSelector: {} }, 'a-deny'), ofFriends('db'), ofFriends('other')];
    expect(toldAt(world.with(policies), policies)).toHaveLength(1);
    expect(toldAt(world.with(policies), policies)).not.toContain('a-deny');
  });

  it('is told at a default deny where no other policy is about these Pods, be there one for each direction', () => {
    const policies = [
      policy({ podSelector: {}, policyTypes: ['Egress'] }, 'out'),
      policy({ podSelector: {}, policyTypes: ['Ingress'] }, 'in'),
    ];
    expect(toldAt(world.with(policies), policies)).toEqual(['in']);
  });
});

it('asks who reads it only where something is lost', () => {
  const askedFor = ({ podSelector }: { readonly podSelector: object }): number => {
    const snapshot = snapshotOf([deployment('web', ['db:80']), deployment('db'), service('db')]);
    const written = policy({ podSelector, policyTypes: ['Ingress'] });
    const reader = new Requesting(new Map());
    lossesBy({ policy: written, before: () => snapshot, cluster: snapshot.with([written]) }, new Elsewhere(snapshot, 'shop', reader));
    return reader.unasked.length;
  };
  expect(askedFor({ podSelector: { matchLabels: { app: 'web' } } })).toBe(0);
  expect(askedFor({ podSelector: { matchLabels: { app: 'db' } } })).toBeGreaterThan(0);
});

it('looks at so many and no more, and says so', () => {
  const names = Array.from({ length: 30 }, (_, at) => `app-${at}`);
  const hosts = names.map((name) => `${name}:80`);
  const world = snapshotOf([...names.map((name) => deployment(name, hosts)), ...names.map(service)]);
  const { lost, of, isCut } = lossesIn(world);
  expect(isCut).toBe(true);
  expect(lost).toHaveLength(of);
  expect(of).toBeGreaterThan(400);
  expect(of).toBeLessThanOrEqual(500);
});

it('asks nothing of the cluster where the policy selects nothing', () => {
  const nobody = policy({ podSelector: { matchLabels: { app: 'nobody' } }, policyTypes: ['Ingress'] });
  expect(lossesIn(snapshotOf([deployment('web', ['db:80']), deployment('db'), service('db')]), nobody)).toEqual({
    lost: [],
    of: 0,
    isCut: false,
  });
});

it('finds the workloads of a cluster once, as long as they stay what they are', () => {
  const labels = labelsOf({ app: 'web' });
  const world = snapshotOf([deployment('web'), podOf('db', 0)]);
  const directory = Directory.of(world);
  expect(Directory.of(world.with([defaultDeny]))).toBe(directory);
  expect(directory.soleMaker(labels)).toHaveLength(1);
  const later = Directory.of(world.with([resourceOf(podOf('web', 0))]));
  expect(later).not.toBe(directory);
  expect(later.soleMaker(labels)).toEqual([]);
});
