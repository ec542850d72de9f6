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
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import { objectAt } from '../../src/kube/read.ts';
import { formatRef, type RawObject, refOf } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { plentyOfTime, portsOf, requestFor, reviewOf } from '../admission/reviews.ts';
import { send, start, warmUp } from '../server/client.ts';
import { runs } from '../support/figures.ts';
import { bytesOf, edited, edits, fuzzSeed, report } from '../support/fuzz.ts';
import { reshaped } from '../support/ingress-shapes.ts';
import { complete, identityOf } from '../support/objects.ts';
import { resourcesOf, ruleWorld } from '../support/rule-worlds.ts';

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

const worlds = ruleWorld(['Service', 'Ingress', 'NetworkPolicy']);

const workload = (name: string, namespace: string, app: string, ports: readonly RawObject[]): RawObject => ({
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: { replicas: 1, template: { metadata: { labels: { app, part: name } }, spec: { containers: [{ ports }] } } },
});
const certificate = (name: string, crt: string, key: string): RawObject => ({
  kind: 'Secret',
  metadata: { name, namespace: 'shop' },
  type: 'kubernetes.io/tls',
  stringData: { 'tls.crt': `<${crt}.crt>`, 'tls.key': `<${key}.key>` },
});
/** One selector for two workloads of which one lacks the port, odd certificates, and a resolver named as generated Services are. */
const seldomMet: readonly RawObject[] = [
  workload('front', 'shop', 'web', [{ name: 'http', containerPort: 8080 }]),
  workload('worker', 'shop', 'web', [{ name: 'grpc', containerPort: 9090 }]),
  workload('names', 'kube-system', 'names', [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 53 }]),
  {
    kind: 'Service',
    metadata: { name: 'web', namespace: 'kube-system' },
    spec: { clusterIP: '10.96.0.11', selector: { app: 'names' }, ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] },
  },
  { kind: 'IngressClass', metadata: { name: 'nginx' }, spec: { controller: 'k8s.io/ingress-nginx' } },
  {
    kind: 'Ingress',
    metadata: { name: 'front', namespace: 'rivals' },
    spec: { ingressClassName: 'nginx', rules: [{ host: 'shop.example', http: { paths: [{}] } }] },
  },
  certificate('db', 'expired', 'expired'),
  certificate('api', 'shop', 'other'),
  { ...certificate('wbe', 'shop', 'shop'), stringData: { 'tls.crt': 'none' } },
].map(complete);

/** In 2026. What stands there: what some generated objects meet, and beside it what they seldom meet. */
const now = Date.UTC(2026, 10, 21);
const standing = new Map(
  [...fc.sample(worlds, { seed: 7, numRuns: 3 }).flatMap(({ cluster }) => cluster), ...seldomMet].flatMap((raw) =>
    resourcesOf([raw]).map((one) => [formatRef(refOf(one)), one] as const),
  ),
);
const snapshot = ClusterSnapshot.empty({ observedAt: now, coverage: () => 'complete' }).with(
  [...standing.values()].filter(({ kind }) => kind !== 'Secret'),
);
const ports = portsOf(snapshot, configuration, {
  mayUse: async (_, ruleId) => (ruleId.length % 2 === 0 ? 'allowed' : 'denied'),
  mayList: async (_, { namespace }) => (namespace.length % 2 === 0 ? 'allowed' : 'denied'),
  readByName: async (refs) => new Map(refs.map((ref) => [formatRef(ref), standing.get(formatRef(ref)) ?? 'absent'])),
  now: () => now,
});

const operation = fc.constantFrom('CREATE', 'UPDATE', 'UPDATE', 'DELETE', 'CONNECT', 'create', '');
const annotations = { 'exempt.portcullis.dev/service-selector-matches-no-pods': 'moving until 2030-01-01', 'exempt.portcullis.dev/x': '' };

/** A review that an API server could send, of an object as it is in one world, and was in another. */
const valid = fc
  .tuple(operation, reshaped(worlds.map(({ object }) => object)), worlds, fc.boolean())
  .map(([how, object, { object: other, cluster }, dryRun]) => {
    const kind = { group: object['kind'] === 'Service' ? '' : 'networking.k8s.io', version: 'v1', kind: object['kind'] };
    const metadata = objectAt(object, 'metadata');
    const isSame = (one: RawObject): boolean => identityOf(one) === identityOf(object);
    const before = [...seldomMet, other, ...cluster].find(isSame) ?? [other, ...cluster].find(({ kind: one }) => one === object['kind']);
    const oldObject = how === 'CREATE' ? null : { ...(before ?? object), metadata };
    const excused = { ...object, metadata: { ...metadata, annotations: { ...objectAt(metadata, 'annotations'), ...annotations } } };
    const userInfo = { username: 'alice', uid: 'u', groups: ['developers'], extra: { scopes: ['a'] } };
    return reviewOf(
      requestFor(how === 'DELETE' ? null : excused, {
        operation: how,
        kind,
        oldObject,
        dryRun,
        userInfo,
        namespace: metadata['namespace'],
      }),
    );
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

it('are about objects in which each rule finds something', { timeout: 120_000 }, async () => {
  const silent = new Set(rules.map(({ meta }) => meta.id));
  for (let tried = 0; tried < 20_000 && silent.size > 0; tried++) {
    const [one] = fc.sample(valid, { seed: tried, numRuns: 1 });
    const handled = await handle(JSON.parse(JSON.stringify(one)), plentyOfTime, ports);
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
