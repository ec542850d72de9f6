/** What an operator reads of it in the log: each thing once. */
import { expect, it } from 'vitest';
import { KubeError } from '../../src/client/kube-client.ts';
import { type AuditSinkOptions, createSinks } from '../../src/commands/audit-sinks.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { createLog } from '../../src/server/log.ts';
import { FakeCluster } from '../sinks/fake-cluster.ts';
import { broken, clean, serviceNamed } from '../sinks/verdicts.ts';
import { FakeClock } from '../support/fake-clock.ts';

const inCluster = { lease: 'portcullis-leader' };

function started(options: AuditSinkOptions['options'], configuration: RawObject = {}) {
  const [client, clock, lines, counted] = [new FakeCluster(), new FakeClock(), [] as RawObject[], [] as string[]];
  const settings = parseConfiguration({ apiVersion: 'portcullis.dev/v1', ...configuration }, rules);
  const sink = createSinks({
    client,
    clock,
    log: createLog({ write: (line: string) => void lines.push(JSON.parse(line) as RawObject) }),
    options,
    configuration: () => settings,
    identity: 'portcullis-0',
    onWrite: (result, what) => counted.push(`${what} ${result}`),
    onCapped: (isCapped) => counted.push(isCapped ? 'capped' : 'not capped'),
  });
  sink.begin(new AbortController().signal);
  /** Without what every line has. */
  const logged = () => lines.map(({ time: _, ...line }) => line);
  return { client, clock, lines, logged, counted, sink };
}

const begins = 'this process audits';

const [web, api] = [serviceNamed('web'), serviceNamed('api')];

it('tells of a refusal once, and counts all', async () => {
  const { client, clock, logged, counted, sink } = started({ ...inCluster, events: false });
  client.fault = (call) => (call.startsWith('PATCH') ? new KubeError(403, 'Forbidden', 'no') : undefined);
  sink.tell(broken(web));
  sink.tell(broken(api));
  await clock.advance(5_000);
  expect(counted.filter((one) => one === 'report refused').length).toBe(2);
  // A refusal is no defect of ours: no stack.
  expect(logged().slice(1)).toEqual([
    { level: 'warn', reason: 'no', msg: 'a report or Event is refused; more refusals of this kind are only counted' },
  ]);
  await sink.close();
});

it('tells of the limit when it is reached, and when there is room again', async () => {
  const { clock, lines, counted, sink } = started({ ...inCluster, events: false, reportLimit: 1 });
  sink.tell(broken(web));
  sink.tell(broken(api));
  await clock.advance(5_000);
  expect(lines.length).toBe(2);
  sink.tell(clean(web));
  await clock.advance(5_000);
  expect(lines.length).toBe(3);
  expect(counted.filter((one) => one.endsWith('capped')).at(-1)).toBe('not capped');
  await sink.close();
});

it.each([
  [{}, 'portcullis explain service-named-target-port-unresolved'],
  [{ docsBaseUrl: 'https://docs.example.com/rules' }, 'https://docs.example.com/rules/service-named-target-port-unresolved'],
])('leads on to where the rule is explained: %o', async (configuration, docs) => {
  const { client, clock, sink } = started(inCluster, configuration);
  sink.tell(broken(web));
  await clock.advance(5_000);
  expect(client.under('reports')[0]?.['results']).toMatchObject([{ properties: { docs } }]);
  await sink.close();
});

it.each<[AuditSinkOptions['options'], number, number, RawObject]>([
  [inCluster, 1, 1, { reports: 'openreports.io/v1alpha1', events: 'on', leads: 'by the Lease portcullis-leader' }],
  [{}, 0, 0, { reports: 'off (no --lease)', events: 'off (no --lease)', leads: 'without a Lease' }],
  [{ reports: 'auto' }, 1, 0, { reports: 'openreports.io/v1alpha1', events: 'off (no --lease)', leads: 'without a Lease' }],
  [{ reports: 'policyreport', events: true }, 0, 1, { reports: 'none served', events: 'on', leads: 'without a Lease' }],
  [{ ...inCluster, reports: 'off', events: false }, 0, 0, { reports: 'off', events: 'off', leads: 'by the Lease portcullis-leader' }],
])('writes with a Lease, or where a flag asks for it, and says so: %o', async (options, reports, events, line) => {
  const { client, clock, logged, sink } = started(options);
  sink.tell(broken(web));
  await clock.advance(5_000);
  sink.passed(new Set([web.metadata.uid as string]));
  await clock.advance(5_000);
  expect([client.under('reports').length, client.under('events').length]).toEqual([reports, events]);
  if (reports + events === 0) expect(client.writes).toEqual([]);
  expect(logged()).toEqual([{ level: 'info', ...line, msg: begins }]);
  await sink.close();
});

it('says when the API is another one, and waits without a stack for one that only just begins to take objects', async () => {
  const { client, clock, logged, sink } = started(inCluster);
  await clock.advance(1_000);
  client.served.clear();
  await clock.advance(61_000);
  client.served.add('openreports.io/v1alpha1');
  let refusals = 2;
  const initializing = 'storage is (re)initializing';
  client.fault = (call) => (call.startsWith('PATCH') && refusals-- > 0 ? new KubeError(429, 'TooManyRequests', initializing) : undefined);
  sink.tell(broken(web));
  await clock.advance(70_000);
  expect(client.under('reports').length).toBe(1);
  client.served.clear();
  await clock.advance(61_000);
  const [change, none] = ['the API that reports are written to has changed', 'none served'];
  expect(logged().slice(1)).toEqual([
    { level: 'info', reports: none, before: 'openreports.io/v1alpha1', msg: change },
    { level: 'info', reports: 'openreports.io/v1alpha1', before: none, msg: change },
    { level: 'warn', reason: initializing, msg: 'reports and Events cannot be written at present: tried again until it works' },
    { level: 'info', reports: none, before: 'openreports.io/v1alpha1', msg: change },
  ]);
  await sink.close();
});
