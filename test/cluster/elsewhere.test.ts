import { describe, expect, it } from 'vitest';
import { Elsewhere, everybody, Requesting } from '../../src/cluster/elsewhere.ts';
import type { Access } from '../../src/kube/requester.ts';
import { namespace, service, snapshotOf } from '../admission/reviews.ts';
import { complete } from '../support/objects.ts';
import { resourcesOf } from '../support/rule-worlds.ts';

const within = (where: string, name = 'web') => service(name, {}, { namespace: where });
const pod = (where: string) =>
  complete({ kind: 'Pod', metadata: { name: 'web', namespace: where, labels: { app: 'web' } }, spec: { containers: [] } });
const secret = (where: string) => complete({ kind: 'Secret', metadata: { name: 'tls', namespace: where } });
const world = snapshotOf(namespace('own'), within('own'), within('open'), within('closed'), within('closed', 'api')).with(
  resourcesOf([pod('own'), pod('open'), pod('closed'), secret('own'), secret('closed')]),
);
const rights = (...given: readonly (readonly [string, Access])[]) => new Requesting(new Map(given));
const seen = (audience: Parameters<typeof named>[0]) => named(audience).map(({ metadata }) => metadata.namespace);
const named = (audience: ConstructorParameters<typeof Elsewhere>[2]) => new Elsewhere(world, 'own', audience).listAll('Service');

describe('what a reader may be told of other namespaces', () => {
  it.each([
    ['nothing that was not asked', rights(), ['own']],
    ['nothing that he may not list', rights(['/Service/open', 'denied'], ['/Service/closed', 'unknown']), ['own']],
    ['what he may list there', rights(['/Service/open', 'allowed'], ['/Service/closed', 'denied']), ['open', 'own']],
    ['no Services though he may list the Pods', rights(['/Pod/open', 'allowed'], ['/Service/', 'denied']), ['own']],
    ['everything that he may list everywhere', rights(['/Service/', 'allowed']), ['closed', 'closed', 'open', 'own']],
    ['everything, where all is open', everybody, ['closed', 'closed', 'open', 'own']],
  ] as const)('%s', (_, audience, expected) => expect([...seen(audience)].sort()).toEqual(expected));

  it('is the same by whatever way a rule asks', () => {
    const elsewhere = new Elsewhere(world, 'own', rights(['/Service/open', 'allowed'], ['/Pod/open', 'allowed']));
    expect(elsewhere.get('Service', 'open', 'web')).toBeDefined();
    expect(elsewhere.get('Service', 'closed', 'web')).toBeUndefined();
    for (const [where, count] of [
      ['own', 1],
      ['open', 1],
      ['closed', 0],
    ] as const) {
      expect(elsewhere.list('Service', where)).toHaveLength(count);
      expect(elsewhere.workloads(where)).toHaveLength(count);
      expect(elsewhere.workloadsSelectedBy({ app: 'web' }, where)).toHaveLength(count);
    }
  });

  it('is asked for each kind and namespace, whatever was asked before', () => {
    const elsewhere = new Elsewhere(world, 'own', rights(['/Service/open', 'allowed'], ['/Pod/closed', 'allowed']));
    const tells = (where: string) => [elsewhere.list('Service', where).length, elsewhere.list('Pod', where).length];
    expect(['open', 'closed', 'open'].map(tells)).toEqual([
      [1, 0],
      [0, 1],
      [1, 0],
    ]);
  });

  it('is never that something is absent, but of his own namespace', () => {
    const elsewhere = new Elsewhere(world, 'own', rights(['/Service/', 'allowed']));
    expect(['own', 'open', '*'].map((where) => elsewhere.coverage('Service', where))).toEqual(['complete', 'forbidden', 'forbidden']);
    expect(new Elsewhere(world, 'own', everybody).coverage('Service', 'open')).toBe('complete');
  });

  it('holds for Secrets that were read by name', () => {
    const read = world.knowing({
      fetched: new Map([
        ['Secret own/gone', 'absent'],
        ['Secret closed/gone', 'absent'],
      ]),
    });
    const elsewhere = new Elsewhere(read, 'own', rights());
    const ref = (where: string) => ({ apiVersion: 'v1', kind: 'Secret', namespace: where, name: 'gone' });
    expect([elsewhere.fetched(ref('own')), elsewhere.fetched(ref('closed'))]).toEqual(['absent', 'unknown']);
  });
});

describe('what has to be asked', () => {
  it('is each kind and namespace once, as far as something there would be told', () => {
    const audience = rights(['/Service/open', 'denied']);
    const elsewhere = new Elsewhere(world, 'own', audience);
    elsewhere.those('Service', ({ metadata }) => metadata.name === 'web');
    elsewhere.those('Service', ({ metadata }) => metadata.name === 'web');
    elsewhere.those('Pod', () => false);
    expect(audience.unasked).toEqual([{ group: '', kind: 'Service', namespace: 'closed' }]);
  });
});
