/**
 * Review bodies that no API server would send, to all rules and over the wire: an answer has the uid of its request, what
 * cannot be read is never denied, and neither time nor memory runs away (reliability.md F31, D11).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Handled, handle } from '../../src/admission/handler.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { plentyOfTime, portsOf, requestFor, reviewOf, snapshotOf } from '../admission/reviews.ts';
import { send, start, warmUp } from '../server/client.ts';
import { runs } from '../support/figures.ts';
import { bytesOf, edited, edits, fuzzSeed, report } from '../support/fuzz.ts';
import { ruleWorld } from '../support/rule-worlds.ts';

warmUp();

const configuration = parseConfiguration(
  {
    apiVersion: 'portcullis.dev/v1',
    profile: 'strict',
    exemptions: { byAnnotation: 'permitted', list: [{ rules: ['*'], names: ['db'], users: ['alice'], reason: 'moving' }] },
    rules: {
      'service-node-port-policy': { options: { ranges: [{ namespaces: ['*'], ports: ['30100-30199'] }] } },
      'service-external-ips': { options: { allowed: [{ namespaces: ['*'], cidrs: ['10.0.0.0/8'] }], clusterRanges: ['10.96.0.0/12'] } },
      'service-type-policy': { options: { allowed: [{ namespaces: ['*'], types: ['ClusterIP'] }] } },
    },
  },
  rules,
);

/** A world in which each rule finds something now and then. */
const [world] = fc.sample(ruleWorld(['Service', 'Ingress', 'NetworkPolicy']), { seed: 7, numRuns: 1 });
const snapshot = snapshotOf(...(world?.cluster ?? []));
const ports = portsOf(snapshot, configuration, {
  mayUse: async (_, ruleId) => (ruleId.length % 2 === 0 ? 'allowed' : 'denied'),
  mayList: async (_, { namespace }) => (namespace.length % 2 === 0 ? 'allowed' : 'denied'),
  readByName: async (refs) => new Map(refs.map(({ kind, namespace, name }) => [`${kind} ${namespace}/${name}`, 'absent'])),
});

const operation = fc.constantFrom('CREATE', 'UPDATE', 'UPDATE', 'DELETE', 'CONNECT', 'create', '');
const annotations = { 'exempt.portcullis.dev/service-selector-matches-no-pods': 'moving until 2030-01-01', 'exempt.portcullis.dev/x': '' };

/** A review that an API server could send. */
const valid = fc.tuple(operation, ruleWorld(['Service', 'Ingress', 'NetworkPolicy']), fc.boolean()).map(([how, { object }, dryRun]) => {
  const kind = { group: object['kind'] === 'Service' ? '' : 'networking.k8s.io', version: 'v1', kind: object['kind'] };
  const excused = { ...object, metadata: { ...(object['metadata'] as RawObject), annotations } };
  const oldObject = how === 'CREATE' ? null : object;
  const userInfo = { username: 'alice', uid: 'u', groups: ['developers'], extra: { scopes: ['a'] } };
  return reviewOf(requestFor(how === 'DELETE' ? null : excused, { operation: how, kind, oldObject, dryRun, userInfo }));
});
const mutated = fc
  .tuple(valid, edits)
  .map(([review, changes]) => JSON.stringify(edited(JSON.parse(JSON.stringify(review)) as object, changes)));
const body = fc.oneof(
  { weight: 6, arbitrary: mutated.map((text) => Buffer.from(text)) },
  { weight: 3, arbitrary: bytesOf(mutated) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)) },
);

const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
};
const uidOf = (value: unknown): unknown => (value as { request?: { uid?: unknown } } | undefined)?.request?.uid;

/** Throws if this is no answer that the API server would take. */
function expectWellFormed(handled: Handled, uid: unknown): void {
  if (handled.outcome === 'refused') return;
  const { apiVersion, kind, response } = JSON.parse(JSON.stringify(handled.answer)) as {
    readonly apiVersion: string;
    readonly kind: string;
    readonly response: {
      readonly uid: unknown;
      readonly allowed: unknown;
      readonly status?: RawObject;
      readonly warnings?: readonly string[];
    };
  };
  const { allowed, status, warnings = [] } = response;
  const isWellFormed =
    [apiVersion, kind].join() === 'admission.k8s.io/v1,AdmissionReview' &&
    response.uid === uid &&
    (handled.outcome === 'judged' ? typeof allowed === 'boolean' : allowed === true) &&
    (allowed === true ? status === undefined : status?.['code'] === 422) &&
    warnings.length <= 5 &&
    (handled.outcome !== 'judged' || handled.decision.faults.length === 0);
  if (!isWellFormed) expect({ uid, handled }).toBe('an answer');
}

describe('the corpus', () => {
  const directory = 'test/fuzz/corpus/reviews';
  const files = readdirSync(directory).sort();

  it.each(files)('%s is answered, or is malformed', async (file) => {
    const bytes = readFileSync(join(directory, file));
    expectWellFormed(await handle(parsed(bytes), plentyOfTime, ports), uidOf(parsed(bytes)));
    const server = await start({ ports });
    const answer = await send(server, bytes);
    expect([200, 400, 413]).toContain(answer.status);
    if (answer.status === 200) expect(answer.json().response.uid).toBe(uidOf(parsed(bytes)));
    expect(server.logged.filter(({ msg }) => msg === 'internal error')).toEqual([]);
  });
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const usedMebibytes = (): number => {
  collect();
  return Math.round(process.memoryUsage().heapUsed / 2 ** 20);
};

/** No body takes longer, on a machine that does much else: a rule may have 200 ms, and there are a few reviews in one. */
const longestMs = 2_000;

it('are answered with the uid of their request, in bounded time and memory', { timeout: 7_200_000 }, async () => {
  const count = runs(20_000, 1_000_000);
  const outcomes = new Map<string, number>();
  const startedAt = performance.now();
  let slowestMs = 0;
  let done = 0;
  let usedAtFirst = 0;
  await fc.assert(
    fc.asyncProperty(body, async (bytes) => {
      const value = parsed(bytes);
      const begunAt = performance.now();
      const handled = await handle(value, plentyOfTime, ports);
      slowestMs = Math.max(slowestMs, performance.now() - begunAt);
      expectWellFormed(handled, uidOf(value));
      outcomes.set(handled.outcome, (outcomes.get(handled.outcome) ?? 0) + 1);
      if (++done === Math.floor(count / 10)) usedAtFirst = usedMebibytes();
    }),
    { numRuns: count, seed: fuzzSeed() },
  );
  const used = usedMebibytes();
  const perSecond = Math.round((count / (performance.now() - startedAt)) * 1000);
  report(
    `${count} review bodies, ${[...outcomes].map(([name, times]) => `${times} ${name}`).join(', ')}; ${perSecond}/s, slowest ${Math.round(slowestMs)} ms, ` +
      `heap ${usedAtFirst} to ${used} MiB, RSS ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`,
  );
  expect([...outcomes.keys()].sort()).toEqual(['judged', 'passed', 'refused', 'unreadable']);
  expect(slowestMs).toBeLessThan(longestMs);
  expect(used).toBeLessThan(usedAtFirst + 30);
});

it('over the wire: 200 with the right uid, or a client error', { timeout: 3_600_000 }, async () => {
  const server = await start({ ports });
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const count = runs(1_000, 50_000);
  await fc.assert(
    fc.asyncProperty(body, async (bytes) => {
      const answer = await send(server, bytes, { agent });
      expect([200, 400, 413]).toContain(answer.status);
      if (answer.status === 200) expect(answer.json().response.uid).toBe(uidOf(parsed(bytes)));
    }),
    { numRuns: count, seed: fuzzSeed() + 1 },
  );
  agent.destroy();
  report(`${count} review bodies over the wire`);
  expect(server.logged.filter(({ msg }) => msg === 'internal error')).toEqual([]);
});
