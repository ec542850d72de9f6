/** Whose right to list is asked for, when, how often, and what becomes of the text (docs/privacy.md). */
import { describe, expect, it, vi } from 'vitest';
import { handle, type Ports } from '../../src/admission/handler.ts';
import type { MayList } from '../../src/admission/rights.ts';
import { listingKey } from '../../src/cluster/elsewhere.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject, Resource } from '../../src/kube/resources.ts';
import { serviceSelectorMatchesNoPods } from '../../src/rules/service-selector-matches-no-pods.ts';
import { configurationOf, namespace, plentyOfTime, portsOf, requestFor, reviewOf, service, snapshotOf } from './reviews.ts';

const deployment = (where: string, app = 'web'): RawObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: app, namespace: where },
  spec: { template: { metadata: { labels: { app } }, spec: { containers: [] } } },
});
const configuration = configurationOf([serviceSelectorMatchesNoPods]);

async function written(
  world: readonly RawObject[],
  mayList: MayList,
  more: { readonly ports?: Partial<Ports>; readonly request?: RawObject } = {},
) {
  const asking = vi.fn<MayList>(mayList);
  const snapshot = snapshotOf(namespace('shop')).with(world.map((raw) => normalize(raw) as Resource));
  const ports = portsOf(snapshot, configuration, { mayList: asking, ...more.ports });
  const handled = await handle(reviewOf(requestFor(service(), more.request)), plentyOfTime, ports);
  if (handled.outcome !== 'judged') throw new Error(handled.outcome);
  return {
    said: (handled.answer.response.warnings ?? []).join('\n'),
    asked: asking.mock.calls.map(([, listing]) => listingKey(listing)),
    asking,
  };
}
const allowing =
  (...keys: readonly string[]): MayList =>
  async (_, listing) =>
    keys.includes(listingKey(listing)) ? 'allowed' : 'denied';
const told = 'Deployment web in bank carries these labels';
const key = 'apps/Deployment/';

describe('a fact of another namespace', () => {
  it.each([
    ['who may list it there', allowing(`${key}bank`), [key, `${key}bank`]],
    ['who may list it everywhere', allowing(key), [key]],
  ] as const)('is told to %s', async (_, mayList, questions) => {
    const { said, asked, asking } = await written([deployment('bank')], mayList);
    expect(said).toContain(told);
    expect(asked).toEqual(questions);
    expect(asking.mock.calls[0]?.[0]).toMatchObject({ username: 'alice', groups: ['developers'] });
  });

  it.each([
    ['who may not', async () => 'denied' as const],
    ['anybody while nobody can be asked', async () => 'unknown' as const],
    ['who may list other kinds there', allowing('/Pod/bank', '/Service/bank')],
    ['who may list it elsewhere', allowing(`${key}other`)],
  ])('is kept from %s, and the finding stays', async (_, mayList) => {
    const { said } = await written([deployment('bank')], mayList);
    expect(said).not.toContain('bank');
    expect(said).toContain('app=web matches nothing');
  });

  it('is kept from a requester who is not named', async () => {
    const { said, asked } = await written([deployment('bank')], async () => 'allowed', { request: { userInfo: {} } });
    expect([said.includes('bank'), asked]).toEqual([false, []]);
  });

  it('is told to everybody where the configuration says so, and nobody is asked', async () => {
    const { said, asked } = await written([deployment('bank')], async () => 'denied', { ports: { tellsOfOthers: () => true } });
    expect([said.includes(told), asked]).toEqual([true, []]);
  });
});

describe('nobody is asked', () => {
  it('where nothing is found', async () =>
    expect((await written([deployment('bank'), deployment('shop')], async () => 'allowed')).asked).toEqual([]));
  it('where nothing would be told', async () =>
    expect((await written([deployment('bank', 'api')], async () => 'allowed')).asked).toEqual([]));
  it('about more than thirty namespaces: then only who may list everywhere is told', async () => {
    const many = Array.from({ length: 31 }, (_, index) => deployment(`bank-${index}`));
    const some = await written(many, async (_, { namespace: where }) => (where === '' ? 'denied' : 'allowed'));
    expect([some.asked, some.said.includes('bank')]).toEqual([[key], false]);
    expect((await written(many.slice(1), async (_, { namespace: where }) => (where === '' ? 'denied' : 'allowed'))).said).toContain(
      'bank-',
    );
    expect((await written(many, allowing(key))).said).toContain('bank-');
  });
});
