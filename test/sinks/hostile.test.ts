/** What is stored may be anybody's, and what answers may fail at any moment: nothing is lost by it, and nobody else is hit. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditSink } from '../../src/audit/verdict.ts';
import { KubeError } from '../../src/client/kube-client.ts';
import type { RawObject, Service } from '../../src/kube/resources.ts';
import { auditSinks } from '../../src/sinks/sinks.ts';
import type { SinksOptions } from '../../src/sinks/term.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeCluster } from './fake-cluster.ts';
import { broken, clean, findingOf, serviceNamed, uidOf } from './verdicts.ts';

const reports = '/apis/openreports.io/v1alpha1/namespaces/shop/reports';
const pathOf = (name: string): string => `${reports}/${uidOf(name)}`;
const eventsIn = (namespace: string): string => `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
const clusterPath = '/apis/openreports.io/v1alpha1/clusterreports/portcullis';

let cluster: FakeCluster;
let clock: FakeClock;
let term: AbortController;
let sink: AuditSink;

beforeEach(() => {
  cluster = new FakeCluster();
  clock = new FakeClock(Date.parse('2026-11-21T10:00:00Z'));
  lead();
});
afterEach(async () => sink.close());

/** Another leader begins, who knows nothing. */
function lead(changes: Partial<SinksOptions> = {}): void {
  term?.abort();
  term = new AbortController();
  cluster.calls.length = 0;
  const quiet = (): void => undefined;
  sink = auditSinks({
    client: cluster,
    clock,
    choice: 'auto',
    limit: 1_000,
    maxResults: 50,
    writesPerSecond: 20,
    events: { minSeverity: 'medium' },
    identity: 'portcullis-0',
    docsOf: (ruleId) => ruleId,
    tellsOfOthers: () => false,
    leads: () => true,
    onApis: quiet,
    onWrite: quiet,
    onCapped: quiet,
    onRefused: quiet,
    onProblem: quiet,
    ...changes,
  });
  sink.begin(term.signal);
}

const web = serviceNamed('web');
const api = serviceNamed('api');
const existing = (...objects: readonly Service[]): ReadonlySet<string> => new Set(objects.map(({ metadata }) => metadata.uid as string));
const events = (): readonly RawObject[] => cluster.under('events');
const resultsIn = (path: string): readonly RawObject[] => (cluster.objects.get(path)?.['results'] ?? []) as readonly RawObject[];
const portsOf = (object: Service, many: number) => Array.from({ length: many }, (_, port) => findingOf(object, 1000 + port));

async function tellAll(...verdicts: readonly Parameters<AuditSink['tell']>[0][]): Promise<void> {
  for (const verdict of verdicts) sink.tell(verdict);
  await clock.advance(2_000);
}

describe('a report that somebody has forged', () => {
  const scope = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web', uid: 'uid-of-web' };
  const forged = (changes: RawObject = {}, scopeChanges: RawObject = {}, metadata: RawObject = {}): RawObject => ({
    metadata: {
      name: 'uid-of-web',
      namespace: 'shop',
      labels: { 'app.kubernetes.io/managed-by': 'portcullis' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'web', uid: 'uid-of-web' }],
      ...metadata,
    },
    scope: { ...scope, ...scopeChanges },
    results: [
      {
        policy: 'service-named-target-port-unresolved',
        severity: 'high',
        properties: { fingerprint: 'f', firstSeen: '2026-11-20T10:00:00Z', mode: 'deny' },
      },
    ],
    ...changes,
  });
  const eventCalls = (): readonly string[] => cluster.calls.filter((call) => call.includes('/events.k8s.io/'));

  const meet = async (report: RawObject): Promise<void> => {
    cluster.edit(pathOf('web'), report);
    lead();
    await clock.advance(100);
    sink.passed(existing());
    await clock.advance(5_000);
  };

  it.each([
    ['names another namespace', forged({}, { namespace: 'victim' })],
    ['names an object that cannot be', forged({}, { name: 'important?x' }, { ownerReferences: [{ ...scope, name: 'important?x' }] })],
    ['is of another kind', forged({}, { kind: 'Pod' }, { ownerReferences: [{ ...scope, kind: 'Pod' }] })],
    ['has no owner', forged({}, {}, { ownerReferences: [] })],
    ['has another owner', forged({}, {}, { ownerReferences: [{ ...scope, uid: 'uid-of-api' }] })],
    ['has another uid in its scope', forged({}, { uid: 'uid-of-api' })],
  ])('and that %s is not believed, and goes', async (_, report) => {
    await meet(report);
    expect(eventCalls()).toEqual([]);
    expect(cluster.objects.size).toBe(0);
  });

  it('as ours would be leads to no Event but ours', async () => {
    await meet(forged());
    const [look] = eventCalls();
    expect(look).toMatch(new RegExp(`^LOOK ${eventsIn('shop')}/web\\.[0-9a-f]{16}$`));
    const path = (look as string).slice('LOOK '.length);
    for (const regarding of [{ uid: 'uid-of-api' }, { uid: 'uid-of-web' }]) {
      cluster.objects.clear();
      cluster.edit(path, { reportingController: regarding.uid === 'uid-of-web' ? 'kubelet' : 'portcullis.dev/audit', regarding });
      await meet(forged());
      expect([...cluster.objects.keys()]).toEqual([path]);
    }
    cluster.edit(path, { reportingController: 'portcullis.dev/audit', regarding: { uid: 'uid-of-web' } });
    await meet(forged());
    expect(cluster.objects.size).toBe(0);
  });

  it.each(['yesterday', '1', '1970-01-01T00:00:00Z', '2999-01-01T00:00:00Z'])('does not say since when: %s', async (firstSeen) => {
    await tellAll(broken(web));
    const [result] = resultsIn(pathOf('web'));
    cluster.edit(pathOf('web'), { results: [{ ...result, properties: { ...(result?.['properties'] as RawObject), firstSeen } }] });
    lead();
    await tellAll(broken(web));
    expect(resultsIn(pathOf('web')).map(({ properties }) => String((properties as RawObject)['firstSeen']))).toEqual([
      expect.stringMatching(/^2026-11-21T10:0/),
    ]);
  });

  it('and is large is not read with a hundred others, and ours beside it stay known', async () => {
    cluster.pageSize = 100;
    await tellAll(broken(web), broken(api));
    for (let at = 0; at < 20; at++) {
      const metadata = { name: `forged-${at}`, ownerReferences: [{ ...scope, uid: `forged-${at}` }] };
      cluster.edit(`${reports}/forged-${at}`, forged({ note: 'x'.repeat(1_300_000) }, {}, metadata));
    }
    cluster.largest = 0;
    lead();
    await tellAll(broken(web), broken(api));
    expect(cluster.writes).toEqual([]);
    expect(cluster.largest).toBeLessThan(1_000_000);
    sink.passed(existing(web, api));
    await clock.advance(5_000);
    expect([cluster.under('reports').length, events().length]).toEqual([2, 2]);
  });
});

describe('nothing is lost', () => {
  it('of reports when their definition is deleted and made anew between two looks', async () => {
    await tellAll(broken(web), broken(api));
    sink.passed(existing(web, api));
    await clock.advance(2_000);
    for (const path of cluster.objects.keys()) if (path.includes('/reports/')) cluster.objects.delete(path);
    await clock.advance(70_000);
    expect(cluster.under('reports').length).toBe(2);
  });

  it('of reports that were written while there was no such API', async () => {
    sink.passed(existing(web));
    await clock.advance(2_000);
    cluster.fault = (call) => (call.startsWith('PATCH') && call.includes('/reports/') ? new KubeError(404, '', 'HTTP 404') : undefined);
    await tellAll(broken(web));
    cluster.fault = () => undefined;
    await clock.advance(70_000);
    expect(cluster.under('reports').length).toBe(1);
  });

  it('of Events that could not be written or deleted by a leader: the next one does it', async () => {
    cluster.fault = (call) => (call.startsWith('POST') ? new KubeError(500, 'InternalError', 'for now') : undefined);
    await tellAll(broken(web));
    expect(cluster.under('reports')).toEqual([]);
    cluster.fault = () => undefined;
    lead();
    await tellAll(broken(web));
    expect([events().length, cluster.under('reports').length]).toEqual([1, 1]);
    cluster.fault = (call) =>
      call.startsWith('DELETE') && call.includes('/events/') ? new KubeError(500, 'InternalError', 'no') : undefined;
    await tellAll(clean(web));
    expect(cluster.under('reports').length).toBe(1);
    cluster.fault = () => undefined;
    lead();
    await tellAll(clean(web));
    expect(cluster.objects.size).toBe(0);
  });

  it('of reports where Events cannot be written for a long time', async () => {
    cluster.fault = (call) => (call.startsWith('POST') ? new KubeError(500, 'InternalError', 'never') : undefined);
    await tellAll(broken(web));
    await clock.advance(180_000);
    expect(cluster.under('reports').length).toBe(1);
  });

  it('of the report of the cluster when an API appears later', async () => {
    cluster.served.clear();
    lead();
    sink.passed(existing(web));
    await tellAll(broken(web, [findingOf(web, 90, { facts: 'foreign' })]));
    cluster.served.add('openreports.io/v1alpha1');
    await clock.advance(70_000);
    expect(resultsIn(clusterPath).length).toBe(1);
  });
});

describe('an Event', () => {
  it('stays as long as its finding does, though graver ones come before it', async () => {
    lead({ maxResults: 2 });
    const one = findingOf(web, 80, { severity: 'medium' });
    await tellAll(broken(web, [one]));
    const [first] = [...cluster.objects.keys()].filter((path) => path.includes('/events/'));
    await tellAll(broken(web, [...portsOf(web, 3), one]));
    expect(cluster.objects.has(first as string)).toBe(true);
    await tellAll(broken(web, portsOf(web, 3)));
    expect(cluster.objects.has(first as string)).toBe(false);
  });

  it('that stands for many goes with the last of them under another leader too', async () => {
    await tellAll(broken(web, portsOf(web, 30)));
    await clock.advance(10_000);
    expect(events().length).toBe(10);
    lead();
    await tellAll(broken(web, portsOf(web, 30)));
    await tellAll(clean(web));
    await clock.advance(10_000);
    expect(events()).toEqual([]);
  });
});

describe('namespaces', () => {
  it('take turns', async () => {
    const many = Array.from({ length: 400 }, (_, at) => serviceNamed(`web-${at}`));
    const till = serviceNamed('till', 'uid-of-till', 'bank');
    await tellAll(...many.map((one) => broken(one)), broken(till));
    expect(events().filter(({ metadata }) => (metadata as RawObject)['namespace'] === 'bank').length).toBe(1);
    expect(cluster.under('reports').some(({ metadata }) => (metadata as RawObject)['namespace'] === 'bank')).toBe(true);
  });

  it('do without one report alone where that one is not taken', async () => {
    lead({ events: undefined });
    cluster.fault = (call) => (/bad-\d+$/.test(call) ? new KubeError(422, 'Invalid', 'too large') : undefined);
    await tellAll(...Array.from({ length: 6 }, (_, at) => broken(serviceNamed(`bad-${at}`))), broken(web));
    expect(cluster.under('reports').length).toBe(1);
  });
});

it('at the limit a grave finding takes the place of a mild one, and no more than one', async () => {
  lead({ limit: 2, events: undefined });
  const mild = ['a', 'b'].map((name) => serviceNamed(name)) as [Service, Service];
  await tellAll(...mild.map((one) => broken(one, [findingOf(one, 80, { severity: 'low' })])));
  const medium = serviceNamed('medium');
  await tellAll(broken(medium, [findingOf(medium, 80, { severity: 'medium' })]), broken(web));
  await clock.advance(2_000);
  sink.passed(existing(...mild, medium, web));
  await clock.advance(5_000);
  expect(cluster.under('reports').map(({ metadata }) => (metadata as RawObject)['name'])).toEqual([uidOf('b'), uidOf('web')]);
  expect(String(resultsIn(clusterPath)[0]?.['message'])).toMatch(/^2 objects/);
  await tellAll(clean(web));
  expect(cluster.under('reports').length).toBe(2);
});

it('the report of the cluster is put together once for many that are told at once', async () => {
  sink.passed(existing());
  await clock.advance(2_000);
  let asked = 0;
  lead({
    events: undefined,
    docsOf: (ruleId) => {
      asked++;
      return ruleId;
    },
  });
  await clock.advance(100);
  sink.passed(existing());
  await clock.advance(3_000);
  const many = Array.from({ length: 100 }, (_, at) => serviceNamed(`web-${at}`));
  await tellAll(...many.map((one) => broken(one, [findingOf(one, 80, { facts: 'foreign' })])));
  expect(resultsIn(clusterPath).length).toBe(100);
  expect(asked).toBeLessThanOrEqual(400);
});
