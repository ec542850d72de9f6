import { describe, expect, it, vi } from 'vitest';
import { type Deadline, handle, type Ports } from '../../src/admission/handler.ts';
import type { Rule } from '../../src/engine/rule.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import {
  configurationOf,
  namespace,
  needsTemplate,
  plentyOfTime,
  portsOf,
  requestFor,
  reviewOf,
  selfContained,
  service,
  snapshotOf,
} from './reviews.ts';

const deployment = (app: string): RawObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: app, namespace: 'shop' },
  spec: { template: { metadata: { labels: { app } }, spec: { containers: [] } } },
});

interface Options {
  readonly world?: readonly RawObject[];
  readonly ports?: Partial<Ports>;
  readonly request?: RawObject;
  readonly deadline?: Deadline;
  readonly settings?: Parameters<typeof configurationOf>[1];
}

async function judged(
  rules: readonly Rule[],
  { world = [], ports = {}, request = {}, deadline = plentyOfTime, settings = {} }: Options = {},
) {
  const snapshot = snapshotOf(namespace('shop'), ...world);
  const object = request['operation'] === 'DELETE' ? null : service();
  const body = reviewOf(requestFor(object, request));
  const handled = await handle(body, deadline, portsOf(snapshot, configurationOf(rules, settings), ports));
  if (handled.outcome !== 'judged') throw new Error(handled.outcome);
  return { ...handled, response: handled.answer.response };
}

describe('the way through', () => {
  it('allows what is fine and denies what is not', async () => {
    expect((await judged([needsTemplate()], { world: [deployment('web')] })).response.allowed).toBe(true);
    expect((await judged([needsTemplate()])).response).toMatchObject({ uid: expect.any(String), allowed: false, status: { code: 422 } });
  });

  it('refuses what is no review, passes what is none of its business', async () => {
    const ports = portsOf(snapshotOf(), configurationOf([]));
    expect(await handle({}, plentyOfTime, ports)).toEqual({ outcome: 'refused' });
    const body = reviewOf(requestFor(service(), { subResource: 'status' }));
    expect(await handle(body, plentyOfTime, ports)).toMatchObject({ outcome: 'passed', answer: { response: { allowed: true } } });
  });

  it('leaves removals and updates alone in a namespace that is going', async () => {
    const world = [namespace('shop', { deletionTimestamp: '2026-11-21T09:00:00Z' })];
    const ports = portsOf(snapshotOf(...world), configurationOf([]));
    const removal = reviewOf(requestFor(null, { operation: 'DELETE', oldObject: service() }));
    const update = reviewOf(requestFor(service(), { operation: 'UPDATE', oldObject: service('web', { ports: [{ port: 1 }] }) }));
    for (const write of [removal, update])
      expect(await handle(write, plentyOfTime, ports)).toMatchObject({ outcome: 'passed', reason: 'namespace-terminating' });
    expect(await handle(reviewOf(requestFor(service())), plentyOfTime, ports)).toMatchObject({ outcome: 'judged' });
  });

  it('binds the configuration to the write, once', async () => {
    const configuration = configurationOf([]);
    const bind = vi.fn<typeof configuration.bind>((context) => configuration.bind(context));
    const ports = portsOf(snapshotOf(namespace('shop', { labels: { team: 'a' } })), { ...configuration, bind }, { now: () => 42 });
    const update = { operation: 'UPDATE', oldObject: service('web', { ports: [{ port: 1 }] }) };
    await handle(reviewOf(requestFor(service(), update)), plentyOfTime, ports);
    expect(bind.mock.calls).toEqual([
      [
        {
          object: expect.objectContaining({ spec: expect.objectContaining({ ports: [expect.objectContaining({ port: 80 })] }) }),
          before: expect.objectContaining({ spec: expect.objectContaining({ ports: [expect.objectContaining({ port: 1 })] }) }),
          operation: 'UPDATE',
          namespaceLabels: expect.objectContaining({ team: 'a' }),
          user: { username: 'alice', groups: ['developers'] },
          now: 42,
          rights: new Map(),
        },
      ],
    ]);
  });

  it('says what the configuration has to say', async () => {
    const { response } = await judged([], { settings: { notices: ['the exemption of x has ended'] } });
    expect(response.warnings).toEqual(['the exemption of x has ended']);
  });

  it('never denies an update for what was there before', async () => {
    const { response } = await judged([needsTemplate()], { request: { operation: 'UPDATE', oldObject: service() } });
    expect(response).toMatchObject({ allowed: true, warnings: [expect.stringMatching(/^not new, so not denied: /)] });
  });
});

describe('the live look', () => {
  it('is taken only for a denial that rests on the cluster', async () => {
    const confirm = vi.fn(async () => snapshotOf());
    await judged([needsTemplate()], { world: [deployment('web')], ports: { confirm } });
    await judged([selfContained('always', () => true)], { ports: { confirm } });
    expect(confirm).not.toHaveBeenCalled();
    await judged([needsTemplate(), selfContained('always', () => true)], { ports: { confirm } });
    expect(confirm).toHaveBeenCalledExactlyOnceWith(
      [
        { collection: 'Template', namespace: 'shop' },
        { collection: 'Pod', namespace: 'shop', selector: { app: 'web' } },
        { collection: 'Namespace', namespace: '', name: 'shop' },
      ],
      expect.any(AbortSignal),
    );
  });

  it('takes a denial back that it refutes', async () => {
    const { response } = await judged([needsTemplate()], { ports: { confirm: async () => snapshotOf(deployment('web')) } });
    expect(response).toMatchObject({ allowed: true, auditAnnotations: { decision: 'allow' } });
    expect(response.warnings).toBeUndefined();
  });

  it('that fails leaves what is certain, and makes warnings of the rest', async () => {
    const confirm = async () => undefined;
    const alone = (await judged([needsTemplate()], { ports: { confirm } })).response;
    expect(alone).toMatchObject({ allowed: true, warnings: [expect.stringMatching(/^unconfirmed, so not denied: /)] });
    const both = (await judged([needsTemplate(), selfContained('always', () => true)], { ports: { confirm } })).response;
    expect(both).toMatchObject({ allowed: false, auditAnnotations: { rules: 'deny:always, unconfirmed:service-needs-template' } });
  });

  it('on which a rule fails has confirmed nothing', async () => {
    let looks = 0;
    const rule = needsTemplate();
    const failing: Rule = {
      ...rule,
      configure: () => {
        const configured = rule.configure();
        return {
          ...configured,
          check: (...args) => {
            looks += 1;
            if (looks > 1) throw new Error('second look');
            return configured.check(...args);
          },
        };
      },
    };
    const { response } = await judged([failing]);
    expect(response).toMatchObject({ allowed: true, warnings: [expect.stringMatching(/^unconfirmed/)] });
  });

  it('has a second at most, and never more than is left', async () => {
    const asked: number[] = [];
    const deadlineWith = (ms: number): Deadline => ({
      remainingMs: () => ms,
      signal: (within) => {
        asked.push(within);
        return new AbortController().signal;
      },
    });
    await judged([needsTemplate()], { deadline: deadlineWith(5000) });
    await judged([needsTemplate()], { deadline: deadlineWith(300) });
    await judged([needsTemplate({ fetching: true })], { deadline: deadlineWith(300), world: [deployment('web')] });
    expect(asked).toEqual([1000, 300, 150]);
  });
});

describe('a namespace made a moment ago', () => {
  const harsh = (labels: Readonly<Record<string, string>>) => ({
    modeOf: () => (labels['strict'] === 'yes' ? ('deny' as const) : ('warn' as const)),
  });
  const configuration = (rules: readonly Rule[]) => {
    const base = configurationOf(rules);
    const bind: typeof base.bind = (context) => ({ ...base.bind(context), ...harsh(context.namespaceLabels) });
    return { ...base, bind };
  };
  const strict = namespace('shop', { labels: { strict: 'yes' } });
  const answerOf = async (watched: readonly RawObject[], live: readonly RawObject[]) => {
    const confirm = vi.fn(async () => snapshotOf(...live));
    const ports = portsOf(snapshotOf(...watched), configuration([needsTemplate()]), { confirm });
    const handled = await handle(reviewOf(requestFor(service())), plentyOfTime, ports);
    return { confirm, response: handled.outcome === 'judged' ? handled.answer.response : undefined };
  };

  it('is looked up where the view has not seen it yet: its labels say what is denied', async () => {
    const { confirm, response } = await answerOf([], [strict]);
    expect(confirm.mock.calls[0]).toEqual([[{ collection: 'Namespace', namespace: '', name: 'shop' }], expect.any(AbortSignal)]);
    expect(response?.allowed).toBe(false);
  });

  it('is looked up again before a denial: its labels may allow it by now', async () => {
    expect((await answerOf([strict], [strict])).response?.allowed).toBe(false);
    expect((await answerOf([strict], [namespace('shop')])).response).toMatchObject({ allowed: true });
  });
});

describe('a costly object', () => {
  it.each([
    ['200 ms at once', 'warn', 200],
    ['a second by the rules that can refuse it', 'deny', 1000],
  ] as const)('is given %s, and what was not reached is said', async (_, mode, ms) => {
    let now = 5000;
    const slow = needsTemplate({ id: 'slow' });
    const rules = [slow, needsTemplate({ id: 'later' })].map((rule) => ({
      ...rule,
      configure: () => {
        const configured = rule.configure();
        return {
          ...configured,
          check: (...[subject, cluster, views]: Parameters<typeof configured.check>) => {
            for (let round = 0; round < 10_000; round++) {
              now -= 0.1;
              cluster.step();
            }
            return configured.check(subject, cluster, views);
          },
        };
      },
    }));
    const deadline: Deadline = { remainingMs: () => now, signal: () => new AbortController().signal };
    const { response } = await judged(rules, { deadline, settings: { modeOf: () => mode } });
    expect(5000 - now).toBeGreaterThan(ms - 20);
    expect(5000 - now).toBeLessThan(ms + 20);
    expect(response).toMatchObject({ allowed: true, warnings: ['portcullis: slow and 1 more not checked: out of time'] });
  });
});

describe('reading by name', () => {
  const secret = { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'web' };

  it('happens before the rules run, and a denial that rests on it needs no second look', async () => {
    const readByName = vi.fn(async () => new Map([['Secret shop/web', 'absent' as const]]));
    const confirm = vi.fn(async () => snapshotOf(deployment('web')));
    const { response } = await judged([needsTemplate({ fetching: true })], { world: [deployment('web')], ports: { readByName, confirm } });
    expect(readByName).toHaveBeenCalledExactlyOnceWith([secret], expect.any(AbortSignal));
    expect(response).toMatchObject({ allowed: false, status: { details: { causes: [{ field: 'metadata.name' }] } } });
    for (const [reads] of confirm.mock.calls as unknown as [readonly { collection: string }[]][]) {
      expect(reads.map(({ collection }) => collection)).not.toContain('Secret');
    }
  });

  it('asks for each object once, and for ten at most', async () => {
    const readByName = vi.fn(async () => new Map());
    const names = ['web', 'web', ...Array.from({ length: 20 }, (_, index) => `s${index}`)];
    const rule = selfContained('many', () => false);
    const fetching: Rule = {
      ...rule,
      configure: () => ({ ...rule.configure(), fetches: () => names.map((name) => ({ ...secret, name })) }),
    };
    await judged([fetching], { ports: { readByName } });
    const [[refs]] = readByName.mock.calls as unknown as [[readonly { name: string }[]]];
    expect(refs.map(({ name }) => name)).toEqual(names.slice(1, 11));
  });
});

describe('what goes wrong', () => {
  const broken = selfContained('broken', () => {
    throw new Error('boom');
  });

  it('in a rule leaves the others their verdicts', async () => {
    const { response, decision } = await judged([broken, selfContained('always', () => true)]);
    expect(response.allowed).toBe(false);
    expect(decision.faults).toMatchObject([{ ruleId: 'broken', cause: { message: 'boom' } }]);
    expect((await judged([broken])).response).toMatchObject({
      allowed: true,
      warnings: ['portcullis: broken not checked: internal error'],
      auditAnnotations: { 'not-evaluated': 'broken: internal error' },
    });
  });

  it('where a rule says what it wants read is a fault of the rule too', async () => {
    const rule = selfContained('always', () => true);
    const throwing: Rule = {
      ...rule,
      configure: () => ({
        ...rule.configure(),
        fetches: () => {
          throw new Error('boom');
        },
      }),
    };
    const { response, decision } = await judged([throwing]);
    expect(decision.faults).toMatchObject([{ ruleId: 'always' }]);
    expect(response.allowed).toBe(false);
  });

  it('recursion without end is a fault too', async () => {
    const endless = (name: string): boolean => endless(`${name}x`) && endless(name);
    expect((await judged([selfContained('deep', endless), selfContained('always', () => true)])).decision.faults).toHaveLength(1);
  });

  it('the time runs out: what was found counts, what was not reached is said', async () => {
    let now = 0;
    const slow = (id: string) =>
      selfContained(id, () => {
        now += 50;
        return true;
      });
    const rules = Array.from({ length: 40 }, (_, index) => slow(`rule-${index}`));
    const deadline: Deadline = { remainingMs: () => 240 - now, signal: (ms) => plentyOfTime.signal(ms) };
    const { response, decision } = await judged(rules, { deadline });
    expect(decision.denials.map(({ ruleId }) => ruleId)).toEqual(['rule-0', 'rule-1', 'rule-2', 'rule-3', 'rule-4']);
    expect(response.status?.message).toContain('portcullis: rule-5 and 34 more not checked: out of time');
  });
});
