/** What an operator reads of it in the log: each thing once. */
import { expect, it } from 'vitest';
import { KubeError } from '../../src/client/kube-client.ts';
import { type AuditSinkFlags, createSinks } from '../../src/commands/audit-sinks.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { createLog } from '../../src/server/log.ts';
import { FakeCluster } from '../sinks/fake-cluster.ts';
import { broken, clean, serviceNamed } from '../sinks/verdicts.ts';
import { FakeClock } from '../support/fake-clock.ts';

function started(options: AuditSinkFlags, configuration: RawObject = {}) {
  const [client, clock, lines, counted] = [new FakeCluster(), new FakeClock(), [] as string[], [] as string[]];
  const settings = parseConfiguration({ apiVersion: 'portcullis.dev/v1', ...configuration }, rules);
  const sink = createSinks({
    client,
    clock,
    log: createLog({ write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) }),
    options,
    configuration: () => settings,
    identity: 'portcullis-0',
    onWrite: (result, what) => counted.push(`${what} ${result}`),
    onCapped: (isCapped) => counted.push(isCapped ? 'capped' : 'not capped'),
  });
  sink.begin(new AbortController().signal);
  return { client, clock, lines, counted, sink };
}

const [web, api] = [serviceNamed('web'), serviceNamed('api')];

it('tells of a refusal once, and counts all', async () => {
  const { client, clock, lines, counted, sink } = started({ events: false });
  client.fault = (call) => (call.startsWith('PATCH') ? new KubeError(403, 'Forbidden', 'no') : undefined);
  sink.tell(broken(web));
  sink.tell(broken(api));
  await clock.advance(5_000);
  expect(counted.filter((one) => one === 'report refused').length).toBe(2);
  expect(lines).toEqual(['a report or Event is refused; more refusals of this kind are only counted']);
  await sink.close();
});

it('tells of the limit when it is reached, and when there is room again', async () => {
  const { clock, lines, counted, sink } = started({ events: false, reportLimit: 1 });
  sink.tell(broken(web));
  sink.tell(broken(api));
  await clock.advance(5_000);
  expect(lines.length).toBe(1);
  sink.tell(clean(web));
  await clock.advance(5_000);
  expect(lines.length).toBe(2);
  expect(counted.filter((one) => one.endsWith('capped')).at(-1)).toBe('not capped');
  await sink.close();
});

it.each([
  [{}, 'portcullis explain service-named-target-port-unresolved'],
  [{ docsBaseUrl: 'https://docs.example.com/rules' }, 'https://docs.example.com/rules/service-named-target-port-unresolved'],
])('leads on to where the rule is explained: %o', async (configuration, docs) => {
  const { client, clock, sink } = started({}, configuration);
  sink.tell(broken(web));
  await clock.advance(5_000);
  expect(client.under('reports')[0]?.['results']).toMatchObject([{ properties: { docs } }]);
  await sink.close();
});
