import { describe, expect, it, vi } from 'vitest';
import { accessReview } from '../../src/client/access-review.ts';
import { KubeError } from '../../src/client/kube-client.ts';
import type { Requester } from '../../src/kube/requester.ts';
import type { RawObject } from '../../src/kube/resources.ts';

const jane: Requester = { username: 'jane', uid: 'u-1', groups: ['devs', 'ops'], extra: new Map([['__proto__', ['x']]]) };
const use = { verb: 'use', group: 'portcullis.dev', resource: 'exemptions', namespace: 'shop', name: 'some-rule' };
const signal = new AbortController().signal;

function asking(answer: (body: RawObject) => RawObject | Promise<RawObject>) {
  const clock = { now: 0 };
  const sent: string[] = [];
  const failures: unknown[] = [];
  const send = vi.fn(async (_method: string, _path: string, body: RawObject) => {
    sent.push(JSON.stringify(body));
    return answer(body);
  });
  const ask = accessReview({ client: { send }, now: () => clock.now, onFailure: (cause) => void failures.push(cause) });
  return { ask, clock, send, sent, failures };
}
const answering = (status: RawObject) => asking(() => ({ kind: 'SubjectAccessReview', status }));

describe('a SubjectAccessReview', () => {
  it('names the requester as the review does, a key like __proto__ included', async () => {
    const { ask, send, sent } = answering({ allowed: true });
    expect(await ask(jane, use, signal)).toBe('allowed');
    expect(send.mock.calls[0]?.slice(0, 2)).toEqual(['POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews']);
    expect(sent).toEqual([
      '{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{"user":"jane","uid":"u-1","groups":["devs","ops"],' +
        '"extra":{"__proto__":["x"]},"resourceAttributes":{"verb":"use","group":"portcullis.dev","resource":"exemptions",' +
        '"namespace":"shop","name":"some-rule"}}}',
    ]);
  });

  it('asks for all objects where no name is given', async () => {
    const { ask, sent } = answering({ allowed: true });
    await ask(jane, { verb: 'list', group: '', resource: 'services', namespace: 'shop' }, signal);
    expect(sent[0]).toContain('"resourceAttributes":{"verb":"list","group":"","resource":"services","namespace":"shop"}');
  });

  it.each([
    [{ allowed: true }, 'allowed'],
    [{ allowed: true, evaluationError: 'one authorizer failed' }, 'allowed'],
    [{ allowed: false, reason: 'no rule' }, 'denied'],
    [{ allowed: true, denied: true }, 'denied'],
    [{ allowed: 'true' }, 'denied'],
    [{}, 'denied'],
  ] as const)('with status %j means %s', async (status, access) => {
    expect(await answering(status).ask(jane, use, signal)).toBe(access);
  });

  it.each([new KubeError(403, 'Forbidden', 'no'), new KubeError(500, '', 'boom'), new DOMException('late', 'TimeoutError')])(
    'that ends in %s grants nothing, is told, and is asked again',
    async (cause) => {
      const { ask, send, failures } = asking(() => Promise.reject(cause));
      expect([await ask(jane, use, signal), await ask(jane, use, signal)]).toEqual(['unknown', 'unknown']);
      expect([send.mock.calls.length, failures]).toEqual([2, [cause, cause]]);
    },
  );
});

describe('an answer', () => {
  it.each([
    [true, 10_000],
    [false, 5_000],
  ])('of %s is good for %i ms', async (allowed, ms) => {
    const { ask, send, clock } = answering({ allowed });
    for (const now of [0, ms - 1]) {
      clock.now = now;
      await ask(jane, use, signal);
    }
    expect(send).toHaveBeenCalledOnce();
    clock.now = ms;
    await ask(jane, use, signal);
    expect(send).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['another user', { ...jane, username: 'joe' }, use],
    ['the same name anew', { ...jane, uid: 'u-2' }, use],
    ['other groups', { ...jane, groups: ['devs'] }, use],
    ['groups that only look alike', { ...jane, groups: ['devs","ops'] }, use],
    ['other extra', { ...jane, extra: new Map([['__proto__', ['y']]]) }, use],
    ['no extra', { ...jane, extra: new Map() }, use],
    ['another namespace', jane, { ...use, namespace: 'bank' }],
    ['another rule', jane, { ...use, name: 'other-rule' }],
    ['another verb', jane, { ...use, verb: 'list' }],
  ])('is not good for %s', async (_, who, what) => {
    const { ask, send } = answering({ allowed: true });
    await ask(jane, use, signal);
    await ask(who, what, signal);
    expect(send).toHaveBeenCalledTimes(2);
  });

  it('of long ago makes room: 1,000 are held', async () => {
    const { ask, send } = answering({ allowed: true });
    const names = Array.from({ length: 1_001 }, (_, index) => `rule-${index}`);
    for (const name of names) await ask(jane, { ...use, name }, signal);
    await ask(jane, { ...use, name: 'rule-1000' }, signal);
    expect(send).toHaveBeenCalledTimes(1_001);
    await ask(jane, { ...use, name: 'rule-0' }, signal);
    expect(send).toHaveBeenCalledTimes(1_002);
  });
});
