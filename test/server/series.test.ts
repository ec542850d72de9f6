/** How many series one process has: at most 2,000, with 80 rules, at the worst, and whatever the cluster holds. */
import { expect, it, onTestFinished } from 'vitest';
import type { Asked } from '../../src/admission/request.ts';
import type { Skip } from '../../src/engine/evaluate.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { Decision, Warning } from '../../src/engine/review.ts';
import { type Rule, waitsForOthers } from '../../src/engine/rule.ts';
import { rules } from '../../src/rules/index.ts';
import { createMetrics, type Metrics, type MetricsSources } from '../../src/server/metrics.ts';
import { byNamespace, namespaceLimits, type OpenFinding, otherNamespaces } from '../../src/server/open-findings.ts';
import type { TurnedAway } from '../../src/server/validate-route.ts';
import type { WriteResult } from '../../src/sinks/write-queue.ts';
import type { RestartReason } from '../../src/sources/restart.ts';
import { watchedKinds } from '../../src/sources/watched.ts';
import { service, snapshotOf } from '../admission/reviews.ts';
import { AuditedWorld } from '../support/audited-world.ts';

const budget = 2_000;
/** As many as there may be one day: ecosystem.md counts on so many. */
const many = 80;

/** All words of a type: the compiler refuses one that is missing. */
const all = <Word extends string>(words: Readonly<Record<Word, true>>): readonly Word[] => Object.keys(words) as Word[];
/** The others are for who audits, and for who has files. */
const lacks = all<Exclude<Skip['reason'], 'tooNew' | 'notGiven' | 'partial'>>({
  unsynced: true,
  forbidden: true,
  notServed: true,
  unanswered: true,
  deadline: true,
  tooMany: true,
});
const turnedAway = all<TurnedAway>({ malformed: true, 'too-large': true, overloaded: true, unready: true, closing: true });
const results = all<WriteResult>({ written: true, deleted: true, retried: true, refused: true });
const restarts = all<RestartReason>({
  ended: true,
  disconnected: true,
  refused: true,
  expired: true,
  silent: true,
  unreadable: true,
  forbidden: true,
  notServed: true,
  wentBack: true,
});

const seriesOf = async (metrics: Metrics): Promise<readonly string[]> =>
  (await metrics.scrape()).text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const metricsOf = (sources: Partial<MetricsSources> = {}): Metrics =>
  createMetrics({
    version: '1.2.3',
    snapshot: () => snapshotOf(),
    certificateEnds: () =>
      new Map([
        ['leaf', 1],
        ['ca', 2],
      ]),
    ...sources,
  });

const nothing: Decision = {
  allowed: true,
  denials: [],
  warnings: [],
  audited: [],
  exempted: [],
  skipped: [],
  faults: [],
  toConfirm: new Map(),
};
const judged = (metrics: Metrics, asked: Pick<Asked, 'operation' | 'kind'>, decision: Partial<Decision>): void =>
  metrics.handled({ outcome: 'judged', asked: asked as Asked, decision: { ...nothing, ...decision }, answer: {} as never }, 1);

/** Everything that can become of what a rule finds. */
function everyOutcome({ meta }: Rule, ruleId: string): Partial<Decision> {
  const finding = { ruleId } as Finding;
  const looks = meta.reads.length > 0;
  const softened: readonly Warning['softened'][] = [
    'ratcheted',
    ...(looks ? (['dry-run', 'unconfirmed'] as const) : []),
    ...(waitsForOthers(meta.orderClass) ? (['owned'] as const) : []),
  ];
  return {
    allowed: false,
    denials: [finding],
    warnings: [{ finding }, ...softened.map((why) => ({ finding, softened: why as NonNullable<typeof why> }))],
    audited: [finding],
    exempted: [{ finding, reason: '' }],
    skipped: lacks.filter((reason) => looks || reason === 'deadline').map((reason) => ({ ruleId, reason })),
    faults: [{ ruleId, cause: undefined }],
  };
}

/** Today's rules again and again, until there are so many. */
const someRules = Array.from({ length: many }, (_, index) => [rules[index % rules.length] as Rule, `rule-${index}`] as const);
const severitiesOf = ({ messages }: Rule): readonly string[] => [...new Set(Object.values(messages).map(({ severity }) => severity))];
const cells = someRules.flatMap(([rule, id]) => severitiesOf(rule).map((severity) => [id, severity] as const));
/** Each rule and severity, in as many namespaces in turn. */
const everyFinding = (namespaces: number): readonly OpenFinding[] =>
  Array.from({ length: Math.max(namespaces, cells.length) }, (_, index): OpenFinding => {
    const [id, severity] = cells[index % cells.length] as (typeof cells)[number];
    return [id, severity, 1, `namespace-${index % namespaces}`];
  });

function everything(metrics: Metrics): Metrics {
  for (const [rule, id] of someRules) judged(metrics, { operation: 'CREATE', kind: 'Service' }, everyOutcome(rule, id));
  for (const operation of ['CREATE', 'UPDATE', 'DELETE', 'CONNECT', 'odd'])
    for (const kind of ['Service', 'Ingress', 'NetworkPolicy', 'Pod', 'odd']) {
      const asked = { operation, kind };
      const warnings = [{ finding: { ruleId: 'rule-0' } as Finding }];
      for (const decision of [{}, { warnings }, { allowed: false }]) judged(metrics, asked, decision);
      for (const outcome of ['passed', 'unreadable'] as const) metrics.handled({ outcome, asked: asked as Asked } as never, 1);
    }
  for (const why of turnedAway) metrics.turnedAway(why);
  for (const result of results) for (const what of ['report', 'event'] as const) metrics.written(what, result);
  const workloads = ['a', 'b', 'c'].map((resource) => ({ apiVersion: 'x.io/v1', kind: resource, resource, template: [] }));
  for (const { resource } of watchedKinds(workloads as never)) for (const reason of restarts) metrics.watchRestarted(resource, reason);
  for (const where of ['request', 'process', 'log', 'certificate', 'audit'] as const) metrics.internalError(where);
  for (const reason of ['pod', 'certificate'] as const) metrics.callerRefused(reason);
  metrics.selfChecked(true);
  metrics.configurationRead(true, 1);
  return metrics;
}

it.each([
  ['without namespaces', false, 1],
  ['with one namespace', true, 1],
  ['with a thousand namespaces', true, 1_000],
] as const)('are at most 2,000 with 80 rules of which all has happened, %s', async (_, tellsNamespaces, namespaces) => {
  const metrics = everything(metricsOf({ tellsNamespaces, openFindings: () => everyFinding(namespaces) }));
  const series = await seriesOf(metrics);
  expect(series.length).toBeGreaterThan(budget * 0.75);
  // Of Node's own there may be some more than here: handles and requests of other types.
  expect(series.length).toBeLessThanOrEqual(budget - 30);
});

const hostile = ['__proto__', 'constructor', '(other)', 'other', 'a"b', 'a\\', 'a\nb{c="d"} 1', '\u202e', 'ü', 'a b'];

it('are as many for 5,000 objects with hostile names as for 20', async () => {
  const countOf = async (objects: number): Promise<number> => {
    const world = new AuditedWorld();
    onTestFinished(() => world.close());
    const nameOf = (index: number): string => `${hostile[index % hostile.length]}${index}`;
    world.apply(...Array.from({ length: objects }, (_, index) => astray(nameOf(index), nameOf(index % 1_000))));
    world.start();
    for (let rounds = 0; rounds < 200 && world.passes.length === 0; rounds++) await world.clock.advance(1_000);
    await world.clock.advance(70_000);
    const metrics = metricsOf({ openFindings: () => world.open, snapshot: () => world.snapshot });
    expect(world.open.reduce((sum, [, , count]) => sum + count, 0)).toBe(objects);
    for (let index = 0; index < objects; index++) {
      judged(metrics, { operation: index % 2 ? 'CREATE' : nameOf(index), kind: index % 3 ? 'Service' : nameOf(index) }, {});
      metrics.handled({ outcome: 'passed', asked: { operation: 'UPDATE', kind: nameOf(index) } } as never, 1);
    }
    return (await seriesOf(metrics)).filter((line) => line.startsWith('portcullis_')).length;
  };
  expect(await countOf(5_000)).toBe(await countOf(20));
});

const astray = (name: string, namespace: string) => {
  const { metadata, ...rest } = service(name);
  return { ...rest, metadata: { ...(metadata as object), namespace } };
};

it('tell of namespaces with the most findings, and of the others together', () => {
  const open: readonly OpenFinding[] = [
    ['a', 'high', 2, 'few'],
    ['a', 'high', 9, 'most'],
    ['b', 'low', 1, 'most'],
    ['a', 'high', 5, 'many'],
    ['a', 'high', 1, 'alone'],
    ['b', 'low', 1, 'alone'],
  ];
  const told = (limits: { readonly namespaces: number; readonly series: number }): readonly string[] =>
    byNamespace(open, limits).map(({ labels: { rule, severity, namespace }, count }) => `${rule} ${severity} ${namespace} ${count}`);
  expect(told({ namespaces: 2, series: 100 })).toEqual([
    'a high (other) 3',
    'a high most 9',
    'b low most 1',
    'a high many 5',
    'b low (other) 1',
  ]);
  expect(told({ namespaces: 9, series: 4 })).toEqual(['a high (other) 8', 'a high most 9', 'b low most 1', 'b low (other) 1']);
  expect(told({ namespaces: 9, series: 2 })).toEqual(['a high (other) 17', 'b low (other) 2']);
  const [wide] = byNamespace(everyFinding(400)).filter(({ labels }) => labels.namespace === otherNamespaces);
  expect(wide?.count).toBeGreaterThan(1);
  expect(byNamespace(everyFinding(400)).length).toBeLessThanOrEqual(namespaceLimits.series);
});

it('begin at nothing where a rate has to see the first failure', async () => {
  const series = await seriesOf(metricsOf());
  for (const line of [
    'portcullis_internal_errors_total{where="request"} 0',
    'portcullis_refused_callers_total{reason="pod"} 0',
    'portcullis_report_writes_total{result="refused"} 0',
    'portcullis_event_writes_total{result="retried"} 0',
  ])
    expect(series).toContain(line);
});
