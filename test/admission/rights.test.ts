/** Exemptions by annotation where they have to be permitted: who is asked about, when, and what becomes of the write. */
import { describe, expect, it, vi } from 'vitest';
import { handle } from '../../src/admission/handler.ts';
import type { MayUse } from '../../src/admission/rights.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import type { Rule } from '../../src/engine/rule.ts';
import type { Access } from '../../src/kube/requester.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { exemptionInvalid } from '../../src/rules/exemption-invalid.ts';
import { namespace, plentyOfTime, portsOf, requestFor, reviewOf, selfContained, service, snapshotOf } from './reviews.ts';

/** Finds every Service whose name begins so. */
const rules = [...['odd', 'even'].map((word) => selfContained(`service-is-${word}`, (name) => name.startsWith(word))), exemptionInvalid];
const key = (word: string): string => `exempt.portcullis.dev/service-is-${word}`;
const annotated = (name: string, annotations: RawObject = { [key('odd')]: 'agreed' }): RawObject => service(name, {}, { annotations });
const configuration = parseConfiguration({ apiVersion: 'portcullis.dev/v1', exemptions: { byAnnotation: 'permitted' } }, rules);

async function written(object: RawObject | null, answer: Access | MayUse, changes: RawObject = {}, deadline = plentyOfTime) {
  const mayUse = vi.fn<MayUse>(typeof answer === 'string' ? async () => answer : answer);
  const ports = portsOf(snapshotOf(namespace('shop')), configuration, { mayUse });
  const handled = await handle(reviewOf(requestFor(object, changes)), deadline, ports);
  if (handled.outcome !== 'judged') throw new Error(handled.outcome);
  const { response } = handled.answer;
  return { allowed: response.allowed, response, said: response.warnings ?? [], asked: mayUse.mock.calls, mayUse };
}
const update = (oldObject: RawObject): RawObject => ({ operation: 'UPDATE', oldObject });

describe('a new annotation', () => {
  it('exempts who has the right, and the audit log says why', async () => {
    const { response, said, asked } = await written(annotated('odd'), 'allowed');
    expect({ allowed: response.allowed, said }).toEqual({ allowed: true, said: [] });
    expect(response.auditAnnotations?.['rules']).toBe('exempt:service-is-odd (agreed (annotation))');
    expect(asked.map(([who, ruleId, namespace]) => [who.username, ruleId, namespace])).toEqual([['alice', 'service-is-odd', 'shop']]);
  });

  it.each([
    [
      'denied',
      'you may not use exemptions.portcullis.dev/service-is-odd in shop, so it has no effect; ask for that right, or leave it out.',
    ],
    ['unknown', 'whether you may use it could not be asked, so it has no effect; try again.'],
  ] as const)('has no effect where the right is %s, and the denial says so once', async (access, why) => {
    const { allowed, response } = await written(annotated('odd'), access);
    expect(allowed).toBe(false);
    const told = `metadata.annotations[${key('odd')}]: warning: ${why}`;
    expect(response.status?.message.split(told), response.status?.message).toHaveLength(2);
  });

  it('that has no effect is said though nothing is found', async () => {
    const { allowed, said } = await written(annotated('fine'), 'denied');
    expect({ allowed, said }).toEqual({
      allowed: true,
      said: [expect.stringContaining('you may not use exemptions.portcullis.dev/service-is-odd in shop, so it has no effect')],
    });
  });

  it('needs the right again when it is changed', async () => {
    const before = annotated('odd', { [key('odd')]: 'agreed until 2100-01-01' });
    expect((await written(annotated('odd'), 'denied', update(before))).asked).toHaveLength(1);
  });

  it('exempts from its own rule alone', async () => {
    const { allowed, asked } = await written(annotated('even'), 'allowed');
    expect([allowed, asked.length]).toEqual([false, 1]);
  });
});

describe('an annotation that was there before', () => {
  it('stays valid for what was there before, and nobody is asked', async () => {
    const { allowed, said, asked } = await written(annotated('odd'), 'denied', update(annotated('odd')));
    expect({ allowed, said, asked }).toEqual({ allowed: true, said: [], asked: [] });
  });

  it('exempts from a new defect only who has the right', async () => {
    const before = annotated('fine');
    const denied = await written(annotated('odd'), 'denied', update(before));
    expect([denied.allowed, denied.asked.length]).toEqual([false, 1]);
    expect(denied.response.status?.message).toContain('you may not use');
    const allowed = await written(annotated('odd'), 'allowed', update(before));
    expect([allowed.allowed, allowed.asked.length, allowed.said]).toEqual([true, 1, []]);
  });
});

describe('a removal', () => {
  const [odd] = rules as [Rule];
  const meta = { ...odd.meta, judgesDelete: true };
  const judging: Rule = { ...odd, meta, configure: (...given) => ({ ...odd.configure(...given), meta }) };
  const file = {
    apiVersion: 'portcullis.dev/v1',
    exemptions: { byAnnotation: 'permitted' },
    rules: { 'service-is-odd': { mode: 'deny' } },
  };
  const removed = async (access: Access) => {
    const ports = portsOf(snapshotOf(namespace('shop')), parseConfiguration(file, [judging, exemptionInvalid]), {
      mayUse: async () => access,
    });
    const object = annotated('odd', { [key('odd')]: 'agreed', [key('no-such-rule')]: '' });
    const handled = await handle(reviewOf(requestFor(null, { operation: 'DELETE', oldObject: object })), plentyOfTime, ports);
    return handled.outcome === 'judged' ? handled.answer.response : expect.unreachable(handled.outcome);
  };

  it('is told why its annotation does not excuse it, and nothing else of annotations', async () => {
    const { allowed, status } = await removed('denied');
    expect(allowed).toBe(false);
    expect(status?.details.causes.map(({ field }) => field)).toEqual(['spec.ports[0].port', `metadata.annotations[${key('odd')}]`]);
    expect(status?.message).toContain('you may not use exemptions.portcullis.dev/service-is-odd in shop');
    expect(await removed('allowed')).toMatchObject({ allowed: true });
  });
});

describe('who asks', () => {
  it('is asked about as the review has it, extra included', async () => {
    const extra = JSON.parse('{"__proto__":["x"],"scopes.example.com":["a","b"]}') as unknown;
    const { asked } = await written(annotated('odd'), 'allowed', { userInfo: { username: 'bob', uid: 'u-1', groups: ['devs'], extra } });
    expect(asked[0]?.[0]).toEqual({
      username: 'bob',
      uid: 'u-1',
      groups: ['devs'],
      extra: new Map([
        ['__proto__', ['x']],
        ['scopes.example.com', ['a', 'b']],
      ]),
    });
  });

  it.each([
    undefined,
    null,
    'alice',
    {},
    { username: '' },
    { username: ['alice'] },
    { username: 'alice', groups: 'devs' },
    { username: 'alice', groups: ['devs', 7] },
    { username: 'alice', uid: 7 },
    { username: 'alice', extra: [] },
    { username: 'alice', extra: { scopes: 'none' } },
    { username: 'alice', extra: { scopes: [null] } },
  ])('has no right where the API server would not say %j', async (userInfo) => {
    const { allowed, asked } = await written(annotated('odd'), 'allowed', { userInfo });
    expect([allowed, asked.length]).toEqual([false, 0]);
  });
});

describe('the questions', () => {
  it('are 32 at most, side by side, and what was not asked is not granted', async () => {
    const ids = Array.from({ length: 34 }, (_, index) => `service-is-odd-${index}`);
    const many = ids.map((id) => selfContained(id, () => true));
    const annotations = Object.fromEntries(ids.map((id) => [`exempt.portcullis.dev/${id}`, 'agreed']));
    let open = 0;
    let mostOpen = 0;
    const mayUse = vi.fn<MayUse>(async () => {
      mostOpen = Math.max(mostOpen, ++open);
      await Promise.resolve();
      open--;
      return 'allowed';
    });
    const wide = parseConfiguration({ apiVersion: 'portcullis.dev/v1', exemptions: { byAnnotation: 'permitted' } }, many);
    const handled = await handle(
      reviewOf(requestFor(annotated('odd', annotations))),
      plentyOfTime,
      portsOf(snapshotOf(namespace('shop')), wide, { mayUse }),
    );
    expect([mayUse.mock.calls.length, mostOpen]).toEqual([32, 32]);
    expect(handled).toMatchObject({ decision: { denials: [{ ruleId: ids[32] }, { ruleId: ids[33] }], exempted: { length: 32 } } });
  });

  it.each([
    [2_400, 1_000],
    [900, 450],
    [-5, 0],
  ])('of a review with %i ms left have %i ms', async (left, given) => {
    const signal = vi.fn(() => new AbortController().signal);
    await written(annotated('fine'), 'denied', {}, { remainingMs: () => left, signal });
    expect(signal).toHaveBeenCalledExactlyOnceWith(given);
  });

  it('are not asked where no annotation hangs on them', async () => {
    expect((await written(service('odd'), 'allowed')).asked).toEqual([]);
    expect((await written(annotated('odd', { [key('odd')]: 'agreed until 1969-12-31' }), 'allowed')).asked).toEqual([]);
  });
});
