/** Configuration files as nobody would write them: a configuration that works, or a list of what is wrong, in bounded time. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { dump } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfiguration } from '../../src/commands/read-configuration.ts';
import { type Configuration, parseConfiguration } from '../../src/config/settings.ts';
import { OperatorError } from '../../src/errors.ts';
import { labelsOf } from '../../src/kube/labels.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { JudgedResource } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { service } from '../admission/reviews.ts';
import { runs } from '../support/figures.ts';
import { bytesOf, edited, edits, fuzzSeed, report } from '../support/fuzz.ts';

/** With every key that there is. */
const whole = {
  apiVersion: 'portcullis.dev/v1',
  profile: 'guided',
  namespaceProfiles: 'any',
  rules: {
    'service-selector-matches-no-pods': {
      mode: 'audit',
      exemptable: false,
      options: { ignoreLabelKeys: ['rollouts-pod-template-hash'] },
      overrides: [
        { namespaces: ['team-*'], mode: 'warn' },
        { namespaceSelector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }] }, mode: 'off' },
      ],
    },
    'service-node-port-policy': { options: { ranges: [{ namespaces: ['team-a'], ports: ['30100-30199', 30_443] }] } },
    'service-external-ips': {
      options: { allowed: [{ namespaces: ['team-a'], cidrs: ['203.0.113.0/24'] }], clusterRanges: ['10.96.0.0/12'] },
    },
    'service-type-policy': { options: { allowed: [{ namespaceSelector: { matchLabels: { team: 'a' } }, types: ['ClusterIP'] }] } },
  },
  exemptions: {
    byAnnotation: 'permitted',
    list: [{ rules: ['*'], namespaces: ['legacy'], names: ['web-*'], users: ['jane'], reason: 'to be moved', until: '2027-03-31' }],
  },
  secrets: { level: 'existence', expected: ['*-tls'] },
  dns: { resolver: { namespace: 'kube-system', name: 'kube-dns' } },
  docsBaseUrl: 'https://example.com/rules',
  privacy: 'tenant',
  protectedNamespaces: ['kube-system'],
  grace: '1m30s',
  workloads: [{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', resource: 'rollouts', template: 'spec.template' }],
};

const mutated = edits.map((changes) => edited(structuredClone(whole), changes));
const text = fc.oneof(
  { weight: 4, arbitrary: bytesOf(fc.constant(dump(whole))) },
  { weight: 2, arbitrary: bytesOf(mutated.map((value) => dump(value, { skipInvalid: true }))) },
  { weight: 2, arbitrary: bytesOf(fc.constant(JSON.stringify(whole))) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }).map((one) => Buffer.from(one)) },
);

const object = normalize(service('web-1', {}, { annotations: { 'exempt.portcullis.dev/tls-secret-missing': 'x' } })) as JudgedResource;

/** Throws if a configuration that was accepted cannot be used. */
function use(configuration: Configuration): void {
  for (const operation of ['CREATE', 'UPDATE', 'DELETE'] as const) {
    const user = { username: 'jane', groups: [] };
    const bound = configuration.bind({ object, operation, namespaceLabels: labelsOf({ team: 'a' }), user, now: 0 });
    for (const { meta, messages } of bound.rules)
      for (const [messageId, message] of Object.entries(messages)) {
        const finding = { ruleId: meta.id, messageId } as Parameters<typeof bound.exemptionOf>[0];
        if (!['deny', 'warn', 'audit', 'off'].includes(bound.modeOf(finding, message))) throw new Error('no mode');
        bound.exemptionOf(finding, true);
      }
  }
}

type Outcome = 'accepted' | 'refused';

/** What becomes of it; anything but a configuration or an OperatorError is thrown on. */
async function outcomeOf(read: () => Configuration | Promise<Configuration>): Promise<Outcome> {
  try {
    use(await read());
    return 'accepted';
  } catch (error) {
    if (!(error instanceof OperatorError) || error.code !== 'PC0003') throw error;
    if (error.message === '' || error.hint === '') throw new Error('nothing is said', { cause: error });
    return 'refused';
  }
}

describe('configurations', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'portcullis-fuzz-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const fromFile = (bytes: Buffer): Promise<Configuration> => {
    const file = join(directory, 'portcullis.yaml');
    writeFileSync(file, bytes);
    return readConfiguration(file);
  };

  it('that the generators begin with are accepted', async () => {
    expect(await outcomeOf(() => parseConfiguration(whole, rules))).toBe('accepted');
    expect(await outcomeOf(() => fromFile(Buffer.from(dump(whole))))).toBe('accepted');
  });

  const corpus = 'test/fuzz/corpus/configurations';
  it.each(readdirSync(corpus).sort())('of the corpus: %s is %s', { timeout: 5_000 }, async (file) => {
    expect(await outcomeOf(() => fromFile(readFileSync(join(corpus, file))))).toBe(file.startsWith('accepted-') ? 'accepted' : 'refused');
  });

  it.each([
    ['parsed', mutated, (value: object) => parseConfiguration(value, rules)],
    ['as text', text, fromFile],
  ] as const)('%s are accepted, or refused with what is wrong', { timeout: 3_600_000 }, async (what, inputs, read) => {
    const count = runs(2_000, 50_000);
    const outcomes = new Map<Outcome, number>();
    let slowestMs = 0;
    await fc.assert(
      fc.asyncProperty(inputs as fc.Arbitrary<object>, async (input) => {
        const begunAt = performance.now();
        const outcome = await outcomeOf(() => (read as (value: object) => Configuration | Promise<Configuration>)(input));
        slowestMs = Math.max(slowestMs, performance.now() - begunAt);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }),
      { numRuns: count, seed: fuzzSeed() + 2 },
    );
    report(
      `${count} configurations ${what}, ${[...outcomes].map(([name, times]) => `${times} ${name}`).join(', ')}; slowest ${Math.round(slowestMs)} ms`,
    );
    expect([...outcomes.keys()].sort()).toEqual(['accepted', 'refused']);
    expect(slowestMs).toBeLessThan(2_000);
  });
});
