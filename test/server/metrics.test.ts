import { expect, it } from 'vitest';
import { configurationOf, needsTemplate, portsOf, requestFor, reviewOf, selfContained, service, snapshotOf } from '../admission/reviews.ts';
import { reviewText, send, start, warmUp } from './client.ts';

warmUp();

const sample = (text: string, start: string): readonly string[] =>
  text.split('\n').filter((line) => line.startsWith(`portcullis_${start}`));

it('counts reviews by what was answered, and findings by what became of them', async () => {
  const rules = [needsTemplate(), selfContained('always', () => true)];
  const server = await start({ ports: portsOf(snapshotOf(), configurationOf(rules), { confirm: async () => undefined }) });
  await send(server, reviewText());
  await send(server, reviewText({ subResource: 'status' }));
  await send(server, reviewText({ operation: 'UPDATE', oldObject: service() }));
  await send(server, 'nonsense');
  const text = await server.counted();
  expect(sample(text, 'admission_requests_total')).toEqual([
    'portcullis_admission_requests_total{operation="CREATE",resource="services",decision="deny"} 1',
    'portcullis_admission_requests_total{operation="CREATE",resource="services",decision="passed"} 1',
    'portcullis_admission_requests_total{operation="UPDATE",resource="services",decision="warn"} 1',
    'portcullis_admission_requests_total{operation="",resource="",decision="malformed"} 1',
  ]);
  expect(sample(text, 'rule_findings_total')).toEqual([
    'portcullis_rule_findings_total{rule="always",outcome="denied",mode="deny"} 1',
    'portcullis_rule_findings_total{rule="service-needs-template",outcome="unconfirmed",mode="deny"} 1',
    'portcullis_rule_findings_total{rule="service-needs-template",outcome="ratcheted",mode="deny"} 1',
    'portcullis_rule_findings_total{rule="always",outcome="ratcheted",mode="deny"} 1',
  ]);
  expect(sample(text, 'admission_duration_seconds_count')).toEqual([
    'portcullis_admission_duration_seconds_count{operation="CREATE",resource="services"} 2',
    'portcullis_admission_duration_seconds_count{operation="UPDATE",resource="services"} 1',
  ]);
});

it('tells of the view, the certificate, the configuration and the build', async () => {
  const server = await start({ ports: portsOf(snapshotOf(service()), configurationOf([])) });
  server.metrics.configurationRead(true, 5_000);
  server.metrics.configurationRead(false, 6_000);
  server.metrics.watchRestarted('pods', 'expired');
  const text = await server.counted();
  for (const line of [
    'cache_objects{resource="Service"} 1',
    'cache_staleness_seconds{resource="Pod"} 0',
    'cache_synced{resource="Ingress"} 1',
    'tls_not_after_seconds{cert="leaf"} 1',
    'config_reload_success 0',
    'config_reload_timestamp_seconds 5',
    'watch_restarts_total{resource="pods",reason="expired"} 1',
    `build_info{version="1.2.3",node="${process.versions.node}"} 1`,
  ])
    expect(text).toContain(`portcullis_${line}\n`);
});

it('has as many series after hostile names as before', async () => {
  const server = await start({ ports: portsOf(snapshotOf(), configurationOf([needsTemplate()])) });
  const series = async (): Promise<number> => sample(await server.counted(), '').length;
  await send(server, reviewText());
  await send(server, reviewText({ operation: 'odd', kind: { group: 'x', version: 'v1', kind: 'y' } }));
  const before = await series();
  for (let index = 0; index < 50; index += 1) {
    await send(server, JSON.stringify(reviewOf(requestFor(service(`n${index}`), { uid: `u${index}`, namespace: `ns${index}` }))));
    await send(server, reviewText({ operation: `odd${index}`, kind: { group: `g${index}`, version: 'v1', kind: `k${index}` } }));
  }
  expect(await series()).toBe(before);
});
