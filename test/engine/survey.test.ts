import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import type { Mode } from '../../src/engine/mode.ts';
import { defineRule } from '../../src/engine/rule.ts';
import { type Surveyed, type SurveyOptions, survey } from '../../src/engine/survey.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { formatRef, type JudgedResource, type RawObject, type Resource, refOf } from '../../src/kube/resources.ts';

const message = (severity: 'high' | 'low') => ({
  severity,
  modes: { guided: 'warn', strict: 'deny' } as const,
  facts: 'self' as const,
  text: () => ({ what: 'it is there', why: 'It matters.', fixes: [{ text: 'remove it' }] as const }),
});
const secret = { apiVersion: 'v1', kind: 'Secret', namespace: 'x', name: 'tls' };
let checked: string[] = [];
const rule = (id: string, check: 'finds' | 'throws' | 'lists' | 'fetches', severity: 'high' | 'low' = 'high') =>
  defineRule({
    id,
    kinds: ['Service'],
    orderClass: 'self-contained',
    summary: '',
    reads: [],
    since: '0.1.0',
    options: z.unknown(),
    messages: { found: message(severity) },
    fetches: () => (check === 'fetches' ? [secret] : []),
    *check({ object, cluster, before, finding }) {
      checked.push(`${id} ${object.metadata.name}`);
      if (check === 'throws') throw new Error('broken');
      if (check === 'lists') cluster.list('NetworkPolicy', 'x');
      if (check === 'fetches' && cluster.fetched(secret) !== 'absent') return;
      if (before === undefined) yield finding('found', ['spec'], undefined);
    },
  }).configure();

const object = (kind: string, name: string, namespace = 'x'): Resource =>
  normalize({
    apiVersion: kind === 'Service' ? 'v1' : 'networking.k8s.io/v1',
    kind,
    metadata: { name, namespace },
    spec: {},
  } as RawObject) as Resource;
const snapshot = ClusterSnapshot.empty({
  observedAt: 0,
  coverage: (collection) => (collection === 'NetworkPolicy' ? 'notGiven' : 'complete'),
}).with([
  object('Service', 'b'),
  object('Service', 'a', 'y'),
  object('Service', 'a'),
  object('Ingress', 'z'),
  object('NetworkPolicy', 'p'),
]);

const options = (
  rules: ReturnType<typeof rule>[],
  modes: Readonly<Record<string, Mode>> = {},
  exempt: readonly string[] = [],
): SurveyOptions => ({
  bind: () => ({
    rules,
    notices: ['careful'],
    entries: [],
    modeOf: ({ ruleId }) => modes[ruleId] ?? 'warn',
    exemptionOf: ({ ruleId }) => (exempt.includes(ruleId) ? 'it is known' : undefined),
  }),
});
async function all(given: SurveyOptions): Promise<Surveyed[]> {
  checked = [];
  const surveyed: Surveyed[] = [];
  for await (const one of survey(snapshot, given)) surveyed.push(one);
  return surveyed;
}

describe('survey', () => {
  it('judges every object, in the same order each time', async () => {
    const refs = (await all(options([rule('one', 'finds')]))).map(({ object: one }) => formatRef(refOf(one)));
    expect(refs).toEqual(['Ingress x/z', 'NetworkPolicy x/p', 'Service x/a', 'Service x/b', 'Service y/a']);
    expect(checked).toEqual(['one a', 'one b', 'one a']);
  });
  it('is lazy', async () => {
    checked = [];
    const surveyed = survey(snapshot, options([rule('one', 'finds')]));
    for (let count = 0; count < 3; count++) await surveyed.next();
    expect(checked).toEqual(['one a']);
  });
  it('gives each finding its mode, gravest first, without those that are off', async () => {
    const rules = [rule('mild', 'finds', 'low'), rule('grave', 'finds'), rule('gone', 'finds')];
    const [, , service] = await all(options(rules, { mild: 'audit', grave: 'deny', gone: 'off' }));
    expect(service?.findings.map(({ finding, mode }) => [finding.ruleId, mode])).toEqual([
      ['grave', 'deny'],
      ['mild', 'audit'],
    ]);
    expect(service?.notices).toEqual(['careful']);
  });
  it('keeps what is exempt apart, with the reason', async () => {
    const [, , service] = await all(options([rule('one', 'finds'), rule('two', 'finds')], {}, ['two']));
    expect(service?.findings.map(({ finding }) => finding.ruleId)).toEqual(['one']);
    expect(service?.exempted.map(({ finding, reason }) => [finding.ruleId, reason])).toEqual([['two', 'it is known']]);
  });
  it('does not call a finding exempt that is off', async () => {
    const [, , service] = await all(options([rule('one', 'finds')], { one: 'off' }, ['one']));
    expect(service?.exempted).toEqual([]);
  });
  it('tells what was skipped and what failed', async () => {
    const [, , service] = await all(options([rule('unsure', 'lists'), rule('broken', 'throws'), rule('fine', 'finds')]));
    expect(service?.skipped).toEqual([{ ruleId: 'unsure', reason: 'notGiven', missing: 'NetworkPolicy', namespace: 'x' }]);
    expect(service?.faults.map(({ ruleId }) => ruleId)).toEqual(['broken']);
    expect(service?.findings.length).toBe(1);
  });
  it('reads by name what rules ask for, each once', async () => {
    const asked: string[][] = [];
    const readByName: SurveyOptions['readByName'] = async (refs) => {
      asked.push(refs.map(formatRef));
      return new Map(refs.map((ref) => [formatRef(ref), 'absent'] as const));
    };
    const [, , service] = await all({ ...options([rule('one', 'fetches'), rule('two', 'fetches')]), readByName });
    expect(service?.findings.length).toBe(2);
    expect(asked).toEqual([['Secret x/tls'], ['Secret x/tls'], ['Secret x/tls']]); // for each of the three Services
  });
  it('skips a rule whose reads by name nobody answers', async () => {
    const [, , service] = await all(options([rule('one', 'fetches')]));
    expect(service?.skipped).toEqual([{ ruleId: 'one', reason: 'forbidden', missing: 'Secret', namespace: 'x' }]);
  });
  it('says which entries of the configuration are needed: those that exempt from a rule that is not done with the object', async () => {
    const rules = [rule('clean', 'fetches'), rule('one', 'finds'), rule('unsure', 'lists'), rule('broken', 'throws')];
    const removals = { ...rules[0], meta: { ...rules[0]?.meta, id: 'removals', judgesDelete: true } } as (typeof rules)[number];
    const entries = ['clean', 'one', 'unsure', 'broken', 'removals', 'other'].map((id) => ({ path: id, ruleIds: [id] }));
    const both = { path: 'clean and one', ruleIds: ['clean', 'one'] };
    const { bind } = options([...rules, removals]);
    const needed = async (answer: Resource | 'unknown') => {
      const readByName = async () => new Map([[formatRef(secret), answer]]);
      const [, , service] = await all({ readByName, bind: (one) => ({ ...bind(one), entries: [...entries, both] }) });
      return service?.entries;
    };
    expect(await needed(object('Service', 'b'))).toEqual(['one', 'unsure', 'broken', 'removals', 'other', 'clean and one']);
    expect(await needed('unknown')).toContain('clean');
  });
  it('leaves out what it is told to', async () => {
    const judges = ({ metadata }: JudgedResource): boolean => metadata.name === 'b';
    expect((await all({ ...options([]), judges })).length).toBe(1);
  });
});
