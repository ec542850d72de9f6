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
import { type Handled, handle, type Ports } from '../../src/admission/handler.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import { objectAt } from '../../src/kube/read.ts';
import { formatRef, type Kind, type RawObject, refOf } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { plentyOfTime, portsOf, requestFor, reviewOf } from '../admission/reviews.ts';
import { send, start, warmUp } from '../server/client.ts';
import { runs } from '../support/figures.ts';
import { bytesOf, edited, edits, fuzzSeed, report } from '../support/fuzz.ts';
import { reshaped } from '../support/ingress-shapes.ts';
import { complete, identityOf } from '../support/objects.ts';
import { judgedObject, resourcesOf, ruleWorld } from '../support/rule-worlds.ts';
import { flannel, ovnKubernetes } from '../support/usual-objects.ts';
import { meeting, seldomMet } from './seldom-met.ts';

warmUp();

const configuration = parseConfiguration(
  {
    apiVersion: 'portcullis.dev/v1',
    profile: 'strict',
    exemptions: { byAnnotation: 'permitted', list: [{ rules: ['*'], names: ['db'], users: ['alice'], reason: 'moving' }] },
    secrets: { level: 'full', expected: ['*-generated'] },
    dns: { resolver: { namespace: 'kube-system', name: 'web' } },
    rules: {
      'service-node-port-policy': { options: { ranges: [{ namespaces: ['*'], ports: ['30100-30199'] }], allocated: 'judge' } },
      'service-external-ips': { options: { allowed: [{ namespaces: ['*'], cidrs: ['10.0.0.0/8'] }], clusterRanges: ['10.96.0.0/12'] } },
      'service-type-policy': { options: { allowed: [{ namespaces: ['*'], types: ['ClusterIP'] }] } },
      'service-selector-matches-no-pods': { options: { ignoreLabelKeys: ['role'] } },
      'ingress-catch-all-host-policy': { options: { in: [{ namespaces: ['*'] }] } },
      'ingress-class-missing': { options: { withoutObject: ['served-*'] } },
      'ingress-path-literal-trap': { options: { regexAnnotations: ['example.com/regex'] } },
      'ingress-rule-without-effect': { options: { annotations: ['example.com/answers'] } },
      'tls-expiry': { options: { warnDays: 3_650 } },
      'tls-required': { options: { in: [{ namespaces: ['*'] }], exceptClasses: ['edge'], exceptAnnotations: ['example.com/edge'] } },
      'tls-secret-missing': { options: { providerAnnotations: ['example.com/brings'] } },
    },
  },
  rules,
);

const kinds: readonly Kind[] = ['Service', 'Ingress', 'NetworkPolicy'];

/** In 2026. */
const now = Date.UTC(2026, 10, 21);

/** What some generated objects meet, and beside it what they seldom meet; of network plugins this one. */
function portsBeside(plugin: RawObject): Ports {
  const byChance = fc.sample(ruleWorld(kinds), { seed: 7, numRuns: 3 }).flatMap(({ cluster }) => cluster);
  const others = byChance.filter((one) => !plugins.some((other) => identityOf(other) === identityOf(one)));
  const resources = resourcesOf([...others, ...seldomMet, plugin]);
  const standing = new Map(resources.map((one) => [formatRef(refOf(one)), one]));
  const snapshot = ClusterSnapshot.empty({ observedAt: now, coverage: () => 'complete' });
  return portsOf(snapshot.with([...standing.values()].filter(({ kind }) => kind !== 'Secret')), configuration, {
    mayUse: async (_, ruleId) => (ruleId.length % 2 === 0 ? 'allowed' : 'denied'),
    mayList: async (_, { namespace }) => (namespace.length % 2 === 0 ? 'allowed' : 'denied'),
    readByName: async (refs) => new Map(refs.map((ref) => [formatRef(ref), standing.get(formatRef(ref)) ?? 'absent'])),
    now: () => now,
  });
}

/** One enforces nothing, the other does not understand all: no cluster has both. */
const plugins = [flannel, ovnKubernetes].map(complete);
const everyPorts = plugins.map(portsBeside);
const [ports] = everyPorts as [Ports];

const operation = fc.constantFrom('CREATE', 'UPDATE', 'UPDATE', 'DELETE', 'CONNECT', 'create', '');
const annotations = { 'exempt.portcullis.dev/service-selector-matches-no-pods': 'moving until 2030-01-01', 'exempt.portcullis.dev/x': '' };

const objects = (kind: Kind) =>
  fc.oneof(
    { weight: 4, arbitrary: reshaped(judgedObject([kind])) },
    { weight: 1, arbitrary: fc.constantFrom(...meeting.filter((one) => one['kind'] === kind)) },
  );

/** A review that an API server could send, of an object as it is, and as it stands or may have been. */
const validOf = (kind: Kind) =>
  fc.tuple(operation, objects(kind), judgedObject([kind]), fc.boolean()).map(([how, object, other, dryRun]) => {
    const metadata = objectAt(object, 'metadata');
    const before = seldomMet.find((one) => identityOf(one) === identityOf(object)) ?? other;
    const excused = { ...object, metadata: { ...metadata, annotations: { ...objectAt(metadata, 'annotations'), ...annotations } } };
    return reviewOf(
      requestFor(how === 'DELETE' ? null : excused, {
        operation: how,
        kind: { group: kind === 'Service' ? '' : 'networking.k8s.io', version: 'v1', kind },
        oldObject: how === 'CREATE' ? null : { ...before, metadata },
        dryRun,
        userInfo: { username: 'alice', uid: 'u', groups: ['developers'], extra: { scopes: ['a'] } },
        namespace: metadata['namespace'],
      }),
    );
  });
const valid = fc.oneof(...kinds.map(validOf));
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

it('are about objects in which each rule finds something', { timeout: 120_000 }, async () => {
  const silent = new Set(rules.map(({ meta }) => meta.id));
  for (let tried = 0; tried < 5_000 && silent.size > 0; tried++) {
    const [one] = fc.sample(valid, { seed: tried, numRuns: 1 });
    const handled = await handle(JSON.parse(JSON.stringify(one)), plentyOfTime, everyPorts[tried % 2] as Ports);
    if (handled.outcome !== 'judged') continue;
    const { denials, warnings, audited, exempted } = handled.decision;
    for (const { ruleId } of [...denials, ...audited]) silent.delete(ruleId);
    for (const { finding } of [...warnings, ...exempted]) silent.delete(finding.ruleId);
  }
  expect([...silent]).toEqual([]);
});

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
    fc.asyncProperty(body, fc.constantFrom(...everyPorts), async (bytes, beside) => {
      const value = parsed(bytes);
      const begunAt = performance.now();
      const handled = await handle(value, plentyOfTime, beside);
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
