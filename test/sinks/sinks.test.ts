/** From verdicts to writes: each change once, none without one, and none by who does not lead. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditSink } from '../../src/audit/verdict.ts';
import { KubeError } from '../../src/client/kube-client.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { RawObject, Service } from '../../src/kube/resources.ts';
import { auditSinks } from '../../src/sinks/sinks.ts';
import type { SinksOptions } from '../../src/sinks/term.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeCluster } from './fake-cluster.ts';
import { broken, clean, findingOf, serviceNamed, uidOf } from './verdicts.ts';

const reports = '/apis/openreports.io/v1alpha1/namespaces/shop/reports';
const pathOf = (name: string): string => `${reports}/${uidOf(name)}`;
const clusterPath = '/apis/openreports.io/v1alpha1/clusterreports/portcullis';

let cluster: FakeCluster;
let clock: FakeClock;
let told: string[];
let capped: boolean[];
let apis: string[];
let leads: boolean;
let term: AbortController;
let sink: AuditSink;

beforeEach(() => {
  cluster = new FakeCluster();
  clock = new FakeClock(Date.parse('2026-11-21T10:00:00Z'));
  lead();
});
afterEach(async () => {
  cluster.gate = Promise.resolve();
  await sink.close();
});

/** Another leader begins, who knows nothing. */
function lead(changes: Partial<SinksOptions> = {}): void {
  term?.abort();
  term = new AbortController();
  told = [];
  capped = [];
  apis = [];
  leads = true;
  cluster.calls.length = 0;
  sink = auditSinks({
    client: cluster,
    clock,
    choice: 'auto',
    limit: 100,
    maxResults: 50,
    writesPerSecond: 20,
    events: { minSeverity: 'medium' },
    identity: 'portcullis-0',
    docsOf: (ruleId) => `portcullis explain ${ruleId}`,
    tellsOfOthers: () => false,
    leads: () => leads,
    onApis: (now, before) => apis.push(`${before?.join() ?? 'begin'} > ${now.join()}`),
    onWrite: (result, what) => told.push(`${what} ${result}`),
    onCapped: (is) => capped.push(is),
    onRefused: ({ status }) => told.push(`refused ${status}`),
    onProblem: ({ message }) => told.push(message),
    ...changes,
  });
  sink.begin(term.signal);
}

const web = serviceNamed('web');
const api = serviceNamed('api');
const existing = (...objects: readonly Service[]): ReadonlySet<string> => new Set(objects.map(({ metadata }) => metadata.uid as string));
const resultsIn = (path: string): readonly RawObject[] => (cluster.objects.get(path)?.['results'] ?? []) as readonly RawObject[];
const firstSeen = (name: string): readonly unknown[] =>
  resultsIn(pathOf(name)).map(({ properties }) => (properties as RawObject)['firstSeen']);
const events = (): readonly RawObject[] => cluster.under('events');
const writesOf = (kind: 'events' | 'reports'): readonly string[] => cluster.writes.filter((call) => call.includes(`/${kind}`));

async function tellAll(...verdicts: readonly Parameters<AuditSink['tell']>[0][]): Promise<void> {
  for (const verdict of verdicts) sink.tell(verdict);
  await clock.advance(2_000);
}

describe('a finding', () => {
  it('appears, changes and clears once', async () => {
    await tellAll(broken(web));
    expect(cluster.writes).toEqual(['POST /apis/events.k8s.io/v1/namespaces/shop/events', `PATCH ${pathOf('web')}`]);
    await tellAll(broken(web));
    expect(cluster.writes.length).toBe(2);
    // The text has changed, not the set of findings.
    await tellAll(broken(web, [findingOf(web, 80, { what: 'targetPort 80 is declared by 0 of 4 Pods' })]));
    expect([writesOf('reports').length, writesOf('events').length]).toEqual([2, 1]);
    await tellAll(clean(web));
    expect(cluster.objects.size).toBe(0);
    await tellAll(clean(web));
    expect([writesOf('reports').length, writesOf('events').length]).toEqual([3, 2]);
  });

  it('is not told again by another leader, and keeps the moment when it was first seen', async () => {
    await tellAll(broken(web), broken(api));
    const seen = firstSeen('web');
    expect(seen).toEqual(['2026-11-21T10:00:00.000Z']);
    await clock.advance(3_600_000);
    lead();
    await tellAll(broken(web), broken(api));
    sink.passed(existing(web, api));
    await clock.advance(120_000);
    expect(cluster.writes).toEqual([]);
    await tellAll(broken(web, [findingOf(web), findingOf(web, 81)]));
    expect(new Set(firstSeen('web'))).toEqual(new Set([...seen, '2026-11-21T11:02:04.000Z']));
    expect(writesOf('events').length).toBe(1);
  });

  it('stays told while another leader gives it time, and nothing begins with that', async () => {
    const pending = (object: Service) => ({ ...clean(object), pending: broken(object).findings });
    await tellAll(broken(web));
    lead();
    await tellAll(pending(web), pending(api));
    sink.passed(existing(web, api));
    await clock.advance(5_000);
    expect(cluster.writes).toEqual([]);
    await tellAll(clean(web));
    expect([writesOf('reports').length, writesOf('events').length]).toEqual([1, 1]);
  });

  it('that was repaired while nobody led is cleared after the first pass, its Event too', async () => {
    await tellAll(broken(web), broken(api));
    lead();
    await tellAll(broken(api));
    expect(cluster.writes).toEqual([]);
    sink.passed(existing(web, api));
    await clock.advance(5_000);
    expect([...cluster.objects.keys()].filter((path) => path.includes('web'))).toEqual([]);
    expect(cluster.under('reports').length + events().length).toBe(2);
  });

  it('is told at most once more by each leader where no report API is served', async () => {
    cluster.served.clear();
    await tellAll(broken(web));
    await tellAll(broken(web));
    lead();
    await tellAll(broken(web));
    expect(writesOf('reports')).toEqual([]);
    expect(events().map(({ series }) => series)).toEqual([{ count: 2, lastObservedTime: '2026-11-21T10:00:04.000000Z' }]);
    lead();
    await tellAll(broken(web));
    expect(events().map(({ series }) => (series as RawObject)['count'])).toEqual([3]);
  });

  it('in the exemptions of the configuration is told in the report of the cluster, and not again by another leader', async () => {
    const entries = [{ path: 'exemptions.list[1]', is: 'unused' as const, text: 'exemptions.list[1] exempts nothing; remove it' }];
    sink.passed(new Set(), entries);
    await clock.advance(2_000);
    expect(resultsIn(clusterPath)).toMatchObject([{ policy: 'exemption-invalid', result: 'warn', message: `${entries[0]?.text}.` }]);
    lead();
    await clock.advance(60_000);
    sink.passed(new Set(), entries);
    await clock.advance(2_000);
    expect(cluster.writes).toEqual([]);
    sink.passed(new Set(), []);
    await clock.advance(2_000);
    expect(cluster.objects.size).toBe(0);
  });

  it('that rests on other namespaces is told in the report of the cluster only, unless they may be told of', async () => {
    const foreign = findingOf(web, 90, { facts: 'foreign' });
    sink.passed(existing(web));
    await tellAll(broken(web, [findingOf(web), foreign]));
    expect(resultsIn(pathOf('web')).length).toBe(1);
    expect(resultsIn(clusterPath)).toMatchObject([{ policy: foreign.ruleId, resources: [{ name: 'web', namespace: 'shop' }] }]);
    expect(events().length).toBe(1);
    lead();
    await clock.advance(60_000);
    await tellAll(broken(web, [findingOf(web), foreign]));
    sink.passed(existing(web));
    await clock.advance(2_000);
    expect(cluster.writes).toEqual([]);
    await tellAll(broken(web));
    expect(cluster.objects.has(clusterPath)).toBe(false);
    lead({ tellsOfOthers: () => true });
    await tellAll(broken(web, [findingOf(web), foreign]));
    expect(resultsIn(pathOf('web')).length).toBe(2);
  });
});

describe('an Event', () => {
  it.each([
    ['audit alone', 'audit', {}, 0],
    ['too mild', 'deny', { severity: 'low' }, 0],
    ['grave enough', 'warn', { severity: 'medium' }, 1],
  ] as const)('is there for what would be warned about or denied: %s', async (_, mode, changes: Partial<Finding>, expected) => {
    await tellAll(broken(web, [findingOf(web, 80, changes)], mode));
    expect(events().length).toBe(expected);
    expect(cluster.under('reports').length).toBe(1);
  });

  it('comes when a mode becomes stricter, and goes when it becomes milder', async () => {
    await tellAll(broken(web, [findingOf(web)], 'audit'));
    await tellAll(broken(web, [findingOf(web)], 'deny'));
    expect(events().map(({ type }) => type)).toEqual(['Warning']);
    await tellAll(broken(web, [findingOf(web)], 'audit'));
    expect(events()).toEqual([]);
  });

  it('whose hour is over while it is counted is made anew', async () => {
    cluster.served.clear();
    lead();
    await tellAll(broken(web));
    const [path] = cluster.objects.keys();
    lead();
    cluster.fault = (call) => {
      if (call.startsWith('PATCH')) cluster.objects.delete(path as string);
      return undefined;
    };
    await tellAll(broken(web));
    await clock.advance(5_000);
    expect(events().length).toBe(1);
  });

  it('that somebody has deleted is made again at a pass as long as it would stand there, and what stands there is not written', async () => {
    await tellAll(broken(web), broken(api));
    const [ofWeb] = [...cluster.objects.keys()].filter((path) => path.includes('/events/web.'));
    for (const another of [false, true]) {
      if (another) {
        lead();
        await tellAll(broken(web), broken(api));
      }
      cluster.objects.delete(ofWeb as string);
      const before = cluster.writes.length;
      sink.passed(existing(web, api));
      await clock.advance(2_000);
      expect(cluster.writes.slice(before)).toEqual(['POST /apis/events.k8s.io/v1/namespaces/shop/events']);
      expect(events().map(({ series }) => series)).toEqual([undefined, undefined]);
    }
    await clock.advance(3_600_000);
    cluster.objects.delete(ofWeb as string);
    const before = cluster.calls.length;
    sink.passed(existing(web, api));
    await clock.advance(2_000);
    expect(cluster.calls.slice(before).filter((call) => call.includes('/events'))).toEqual([]);
  });

  it('is not made again for what has been repaired meanwhile, nor for what stands in the one for many', async () => {
    const many = broken(
      web,
      Array.from({ length: 30 }, (_, port) => findingOf(web, 1000 + port)),
    );
    await tellAll(many, broken(api));
    await clock.advance(10_000);
    lead();
    await tellAll(many, broken(api));
    await tellAll(clean(api));
    sink.passed(existing(web, api));
    await clock.advance(10_000);
    expect(events().length).toBe(10);
    expect(writesOf('events').map((call) => call.split(' ')[0])).toEqual(['DELETE']);
  });

  it('is looked for no more than 200 times a pass, and at each pass for others', async () => {
    const all = Array.from({ length: 300 }, (_, at) => serviceNamed(`web-${at}`));
    await tellAll(...all.map((one) => broken(one)));
    await clock.advance(60_000);
    for (const path of cluster.objects.keys()) if (path.includes('/events/')) cluster.objects.delete(path);
    for (const expected of [200, 300]) {
      sink.passed(existing(...all));
      await clock.advance(60_000);
      expect(events().length).toBe(expected);
    }
  });

  it('can be switched off', async () => {
    lead({ events: undefined });
    await tellAll(broken(web));
    await tellAll(clean(web));
    expect(writesOf('events')).toEqual([]);
  });

  it('stands for many where there are many alike, and goes with the last of them', async () => {
    const many = broken(
      web,
      Array.from({ length: 30 }, (_, port) => findingOf(web, 1000 + port)),
    );
    await tellAll(many);
    await clock.advance(10_000);
    expect(events().length).toBe(10);
    expect(events().filter(({ note }) => String(note).startsWith('(combined from similar events): ')).length).toBe(1);
    await tellAll(clean(web));
    await clock.advance(10_000);
    expect(events()).toEqual([]);
  });

  it('of a finding that flaps is limited', async () => {
    for (let round = 0; round < 40; round++) await tellAll(broken(web), clean(web));
    const created = cluster.writes.filter((call) => call.startsWith('POST')).length;
    expect(created).toBeLessThanOrEqual(25);
  });
});

describe('writes', () => {
  it('are the newest of each object, no more in a second than allowed', async () => {
    lead({ events: undefined, limit: 1_000 });
    const many = Array.from({ length: 100 }, (_, at) => serviceNamed(`web-${at}`));
    for (const port of [1, 2, 3]) for (const one of many) sink.tell(broken(one, [findingOf(one, port)]));
    await clock.advance(100);
    expect(cluster.writes.length).toBeGreaterThanOrEqual(20);
    expect(cluster.writes.length).toBeLessThanOrEqual(23);
    await clock.advance(4_000);
    expect(cluster.writes.length).toBe(100);
    expect(new Set(cluster.under('reports').map(({ results }) => (results as RawObject[])[0]?.['message'])).size).toBe(1);
  });

  it('that fail in passing are tried again, as late as the API server asks, and others with them', async () => {
    await clock.advance(10);
    cluster.fault = (call) => (call.startsWith('PATCH') ? new KubeError(429, 'TooManyRequests', 'busy', 7_000) : undefined);
    sink.tell(broken(web));
    sink.tell(broken(api));
    await clock.advance(6_900);
    expect(writesOf('reports').length).toBe(1);
    cluster.fault = () => undefined;
    await clock.advance(2_000);
    expect(cluster.under('reports').length).toBe(2);
    expect(told.filter((one) => one.startsWith('report') || one === 'busy')).toEqual([
      'report retried',
      'busy',
      'report written',
      'report written',
    ]);
  });

  it.each([403, 404, 422])('that are refused with %s are not tried again before the next pass', async (status) => {
    cluster.fault = (call) => (call.startsWith('PATCH') ? new KubeError(status, 'No', 'never') : undefined);
    await tellAll(broken(web));
    await clock.advance(300_000);
    expect(writesOf('reports').length).toBe(1);
    cluster.fault = () => undefined;
    sink.passed(existing(web));
    await clock.advance(2_000);
    expect(cluster.under('reports').length).toBe(1);
  });

  it('are no storm where all of a namespace are refused, and others go on', async () => {
    lead({ events: undefined });
    cluster.fault = (call) =>
      call.startsWith('PATCH') && call.includes('/shop/') ? new KubeError(403, 'Forbidden', 'it is being terminated') : undefined;
    for (let at = 0; at < 90; at++) sink.tell(broken(serviceNamed(`web-${at}`)));
    sink.tell(broken(serviceNamed('till', 'uid-of-till', 'bank')));
    await clock.advance(60_000);
    expect(cluster.writes.length).toBe(6);
    expect(cluster.under('reports').length).toBe(1);
    cluster.fault = () => undefined;
    sink.passed(existing(...Array.from({ length: 90 }, (_, at) => serviceNamed(`web-${at}`)), serviceNamed('till', 'uid-of-till', 'bank')));
    await clock.advance(10_000);
    expect(cluster.under('reports').length).toBe(91);
  });

  it('that fail do not come back in place of a newer one', async () => {
    await clock.advance(10);
    const gate = Promise.withResolvers<void>();
    const { send } = cluster;
    cluster.send = async () => {
      await gate.promise;
      throw new KubeError(500, 'InternalError', 'for once');
    };
    sink.tell(broken(web));
    await clock.advance(10);
    sink.tell(clean(web));
    cluster.send = send;
    gate.resolve();
    await clock.advance(10_000);
    expect(cluster.writes.filter((call) => call.startsWith('POST'))).toEqual([]);
    expect(cluster.objects.size).toBe(0);
  });

  it('wait until it is known what is stored, however long that takes', async () => {
    lead();
    cluster.fault = () => new Error('no route');
    await tellAll(broken(web));
    sink.passed(existing(web));
    await clock.advance(60_000);
    expect(cluster.writes).toEqual([]);
    expect(told).toEqual(['no route']);
    cluster.fault = () => undefined;
    await clock.advance(60_000);
    expect([cluster.under('reports').length, events().length]).toEqual([1, 1]);
  });

  it('that a pass asks for are made as soon as it can be seen what is stored, and what has been repaired goes', async () => {
    await tellAll(broken(web), broken(api));
    lead();
    cluster.fault = () => new Error('no route');
    await tellAll(broken(web));
    sink.passed(existing(web, api));
    await clock.advance(60_000);
    cluster.fault = () => undefined;
    await clock.advance(60_000);
    expect([...cluster.objects.keys()].filter((path) => path.includes('api.') || path.endsWith('-api'))).toEqual([]);
    cluster.objects.delete(pathOf('web'));
    cluster.fault = () => new Error('no route');
    sink.passed(existing(web, api));
    await clock.advance(10_000);
    cluster.fault = () => undefined;
    await clock.advance(61_000);
    expect(cluster.objects.has(pathOf('web'))).toBe(true);
  });

  it('wait for the rights of an API server that only just starts, and do without those that never come', async () => {
    await tellAll(broken(web));
    lead();
    let lists = 0;
    cluster.fault = (call) =>
      call.endsWith('/reports') && call.startsWith('GET') && ++lists < 3 ? new KubeError(403, 'Forbidden', 'soon') : undefined;
    await tellAll(broken(web));
    await clock.advance(10_000);
    expect(cluster.writes).toEqual([]);
    lead();
    cluster.fault = (call) => (call.endsWith('/reports') ? new KubeError(403, 'Forbidden', 'never') : undefined);
    await tellAll(broken(web, [findingOf(web, 81)]));
    await clock.advance(10_000);
    expect([writesOf('reports').length, events().length]).toEqual([0, 2]);
    expect(told).toEqual(['never', 'refused 403', 'event written']);
  });

  it('wait as long as nobody leads, though the term has not noticed that it is over', async () => {
    leads = false;
    await tellAll(broken(web));
    expect(cluster.writes).toEqual([]);
    leads = true;
    await clock.advance(3_000);
    expect([cluster.under('reports').length, events().length]).toEqual([1, 1]);
  });

  it('end with the term, in the middle of one too', async () => {
    await clock.advance(10);
    const gate = Promise.withResolvers<void>();
    cluster.gate = gate.promise;
    sink.tell(broken(web));
    sink.tell(broken(api));
    await clock.advance(1_000);
    expect(writesOf('events').length).toBe(1);
    term.abort();
    gate.resolve();
    await sink.close();
    sink.tell(broken(serviceNamed('late')));
    await clock.advance(60_000);
    expect([writesOf('reports').length, writesOf('events').length]).toEqual([0, 1]);
    expect(cluster.objects.size).toBe(0);
  });

  it('leave nothing behind if the object is repaired while its report is on its way', async () => {
    await clock.advance(10);
    const gate = Promise.withResolvers<void>();
    cluster.gate = gate.promise;
    sink.tell(broken(web));
    await clock.advance(10);
    sink.tell(clean(web));
    gate.resolve();
    await clock.advance(1_000);
    expect(cluster.objects.size).toBe(0);
  });

  it('whose answer is lost may have arrived', async () => {
    await clock.advance(10);
    const { send } = cluster;
    cluster.send = async (...call) => {
      await send(...call);
      throw new Error('connection reset');
    };
    sink.tell(broken(web));
    await clock.advance(10);
    cluster.send = send;
    sink.tell(clean(web));
    await clock.advance(10_000);
    expect(cluster.objects.size).toBe(0);
  });
});

describe('reports', () => {
  it('that somebody has edited or deleted are put right at a pass, and nothing else is written', async () => {
    await tellAll(broken(web), broken(api), broken(serviceNamed('third')));
    const before = cluster.writes.length;
    cluster.edit(pathOf('web'), { results: [] });
    cluster.objects.delete(pathOf('api'));
    sink.passed(existing(web, api, serviceNamed('third')));
    await clock.advance(2_000);
    expect(cluster.writes.slice(before).toSorted()).toEqual([`PATCH ${pathOf('api')}`, `PATCH ${pathOf('web')}`]);
    expect(resultsIn(pathOf('web')).length).toBe(1);
  });

  it('that somebody has edited while nobody led are put right by the next leader', async () => {
    await tellAll(broken(web));
    cluster.edit(pathOf('web'), { summary: { pass: 7 } });
    lead();
    await tellAll(broken(web));
    expect(cluster.writes).toEqual([`PATCH ${pathOf('web')}`]);
  });

  it('are deleted though somebody has edited them', async () => {
    await tellAll(broken(web));
    cluster.edit(pathOf('web'), { note: 'mine' });
    await tellAll(clean(web));
    expect(cluster.under('reports')).toEqual([]);
  });

  it('are written as soon as an API is installed, in the newer form if both are, and the older ones go', async () => {
    cluster.served.clear();
    await tellAll(broken(web));
    cluster.served.add('wgpolicyk8s.io/v1alpha2');
    await clock.advance(61_000);
    expect(cluster.under('policyreports').length).toBe(1);
    cluster.served.add('openreports.io/v1alpha1');
    await clock.advance(61_000);
    sink.passed(existing(web));
    await clock.advance(2_000);
    expect([cluster.under('policyreports').length, cluster.under('reports').length]).toEqual([0, 1]);
    expect(firstSeen('web')).toEqual(['2026-11-21T10:00:00.000Z']);
    expect(writesOf('events').length).toBe(1);
  });

  it('say to which API they go, and when that is another one', async () => {
    await clock.advance(10);
    cluster.served.add('wgpolicyk8s.io/v1alpha2');
    await clock.advance(61_000);
    cluster.served.delete('openreports.io/v1alpha1');
    await clock.advance(61_000);
    cluster.served.clear();
    await clock.advance(61_000);
    expect(apis).toEqual([
      'begin > openreports.io/v1alpha1',
      'openreports.io/v1alpha1 > wgpolicyk8s.io/v1alpha2',
      'wgpolicyk8s.io/v1alpha2 > ',
    ]);
  });

  it('that turn up later say since when, and what has been told meanwhile stays told', async () => {
    await tellAll(broken(web));
    cluster.served.clear();
    await clock.advance(3_600_000);
    lead();
    await tellAll(broken(web, [findingOf(web), findingOf(web, 81)]));
    const before = writesOf('events').length;
    cluster.served.add('openreports.io/v1alpha1');
    await clock.advance(61_000);
    await tellAll(broken(web, [findingOf(web), findingOf(web, 81, { what: 'another text' })]));
    expect(writesOf('events').length).toBe(before);
    expect(new Set(firstSeen('web'))).toEqual(new Set(['2026-11-21T10:00:00.000Z', '2026-11-21T11:00:02.000Z']));
  });

  it('of an object of whose end nobody told go when a whole pass has not met it', async () => {
    await clock.advance(10);
    sink.passed(existing());
    await tellAll(broken(web));
    sink.passed(existing());
    await clock.advance(2_000);
    expect(cluster.under('reports').length).toBe(1);
    sink.passed(existing());
    await clock.advance(2_000);
    expect(cluster.objects.size).toBe(0);
  });

  it('are in both APIs where both are asked for', async () => {
    cluster.served.add('wgpolicyk8s.io/v1alpha2');
    lead({ choice: 'both' });
    await tellAll(broken(web));
    expect([cluster.under('policyreports').length, cluster.under('reports').length]).toEqual([1, 1]);
  });

  it('are left alone where none are asked for', async () => {
    lead({ choice: 'off' });
    await tellAll(broken(web));
    expect(writesOf('reports')).toEqual([]);
    expect(events().length).toBe(1);
  });

  it('are no more than the limit; the report of the cluster says how many are missing, until they have room', async () => {
    lead({ limit: 2, events: undefined });
    const all = ['a', 'b', 'c', 'd'].map((name) => serviceNamed(name)) as [Service, Service, Service, Service];
    await tellAll(...all.map((one) => broken(one)));
    sink.passed(existing(...all));
    await clock.advance(2_000);
    expect(cluster.under('reports').length).toBe(2);
    expect(resultsIn(clusterPath).map(({ message }) => message)).toEqual([
      expect.stringMatching(/^2 objects with something to tell have no report/),
    ]);
    expect(capped.at(-1)).toBe(true);
    await tellAll(clean(all[0]));
    expect(cluster.objects.has(pathOf('c'))).toBe(true);
    expect(capped.at(-1)).toBe(true);
    await tellAll(clean(all[1]), clean(all[3]));
    expect([...cluster.objects.keys()]).toEqual([pathOf('c')]);
    expect(capped.at(-1)).toBe(false);
  });

  it('of an object that was deleted go, and of one of the same name that was made anew come', async () => {
    await tellAll(broken(web));
    const anew = serviceNamed('web', 'another-uid');
    await tellAll(clean(web), broken(anew));
    expect(cluster.under('reports').map(({ metadata }) => (metadata as RawObject)['name'])).toEqual(['another-uid']);
    expect(events().length).toBe(1);
  });
});
