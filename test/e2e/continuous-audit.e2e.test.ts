/** The audit of a whole process on the real API server: verdicts that arrive when they are true, and go when they are not. */
import { beforeAll, expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { until } from '../support/child-process.ts';
import { describeOnCluster, pathOf } from '../support/cluster.ts';
import { openReportsDefinitions } from '../support/report-definitions.ts';
import { ingress, labelled, service } from '../support/shop.ts';
import { configurationOf, useStage, withoutOurWay } from '../support/stage.ts';
import type { Replica } from '../support/webhook.ts';

const reportsIn = (namespace: string): string => pathOf('openreports.io/v1alpha1', 'reports', namespace);
const eventsIn = (namespace: string): string => pathOf('events.k8s.io/v1', 'events', namespace);
const graceMs = 5_000;

describeOnCluster('the continuous audit', () => {
  const configuration = configurationOf({ grace: `${graceMs / 1000}s`, rules: withoutOurWay });
  const stage = useStage({ purpose: 'audit', configuration, replicas: 0, ownControlPlane: true });
  let replica: Replica;
  let namespace: string;

  const start = async (): Promise<void> => {
    replica = await stage.webhook.startReplica({ flags: ['--audit-interval', '2s', '--reports', 'auto', '--events'] });
  };
  // biome-ignore lint/suspicious/noExplicitAny: objects of the API, which this picks apart
  const items = async (path: string): Promise<readonly any[]> => (await stage.cluster.request('GET', path)).body.items ?? [];
  const reports = () => items(reportsIn(namespace));
  const events = async () => (await items(eventsIn(namespace))).filter((one) => one.reportingController === 'portcullis.dev/audit');
  const metric = async (beginning: string): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${replica.healthPort}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(beginning));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  const passes = (): Promise<number> => metric('portcullis_audit_timestamp_seconds');
  const anotherPass = async (): Promise<void> => {
    const last = await passes();
    await until('another pass is over', async () => (await passes()) > last);
  };
  const logged = (what: string): readonly RawObject[] =>
    replica.process
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as RawObject)
      .filter(({ msg }) => msg === what);
  const applied = async (object: RawObject, ...flags: readonly string[]): Promise<void> => {
    const { code, stderr } = await stage.apply(namespace, object, flags);
    if (code !== 0) throw new Error(stderr);
  };

  beforeAll(async () => {
    const { code, stderr } = await stage.cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: await openReportsDefinitions() });
    if (code !== 0) throw new Error(stderr);
    await start();
    namespace = await stage.cluster.newNamespace('audit', { e2e: 'audit' });
  });

  it('tells of a Service without Pods after the grace, and of its repair within five seconds', async () => {
    const began = Date.now();
    await applied(service());
    const [report] = await until('a report is there', async () => (await reports()).length > 0 && reports());
    // The API server's times are whole seconds.
    expect(Date.now() - began).toBeGreaterThan(graceMs - 1_000);
    expect(report).toMatchObject({ source: 'portcullis', scope: { kind: 'Service', name: 'web' }, summary: { fail: 1 } });
    const [event] = await until('an Event is there', async () => (await events()).length > 0 && events());
    expect(event).toMatchObject({ reason: 'SelectorMatchesNoPods', regarding: { kind: 'Service', name: 'web' } });
    expect(Date.now() - began).toBeLessThan(graceMs + 5_000);
    expect((await stage.cluster.kubectl(['describe', 'service', 'web', '-n', namespace])).stdout).toContain('SelectorMatchesNoPods');
    expect(await metric('portcullis_open_findings{rule="service-selector-matches-no-pods"')).toBe(1);
    await anotherPass();
    const [begun] = logged('this process audits');
    expect(begun).toMatchObject({ level: 'info', reports: 'openreports.io/v1alpha1', events: 'on', leads: 'without a Lease' });
    expect(logged('everything stored was audited').at(-1)).toMatchObject({ level: 'info', findings: { high: 1 } });

    const repaired = Date.now();
    await applied(labelled('web'));
    await until('nothing is told any more', async () => (await reports()).length + (await events()).length === 0);
    expect(Date.now() - repaired).toBeLessThan(5_000);
    expect(await metric('portcullis_open_findings{rule="service-selector-matches-no-pods"')).toBe(0);
  });

  it('writes nothing while nothing changes, nor when another process takes over', async () => {
    await applied(service({ name: 'api', selector: { app: 'api' } }));
    await until('it is told', async () => (await reports()).length > 0 && (await events()).length > 0);
    await anotherPass();
    const writes = (): Promise<number[]> =>
      Promise.all([metric('portcullis_report_writes_total'), metric('portcullis_event_writes_total')]);
    const versions = async (): Promise<unknown> =>
      [...(await reports()), ...(await events())].map(({ metadata }) => [metadata.name, metadata.resourceVersion]);
    const [written, before] = [await writes(), await versions()];
    for (let pass = 0; pass < 3; pass++) await anotherPass();
    expect(await writes()).toEqual(written);

    await replica.process.stop('SIGKILL');
    await start();
    await until('the new one has audited everything', async () => (await passes()) > 0);
    await anotherPass();
    expect(await versions()).toEqual(before);
  });

  it('judges every kind, with the rights of the chart', async () => {
    await applied(ingress('nowhere-tls'));
    await applied({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'all', annotations: { 'exempt.portcullis.dev/network-policy-isolates-dsn': 'soon' } },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    });
    const told = async (kind: string): Promise<boolean> => (await reports()).some(({ scope }) => scope.kind === kind);
    await until('the Ingress and the policy have reports', async () => (await told('Ingress')) && (await told('NetworkPolicy')));
  });

  it('makes an Event again that somebody has deleted, while its finding stands', async () => {
    const ofService = async () => (await events()).filter(({ regarding }) => regarding.kind === 'Service');
    const [{ metadata }] = await ofService();
    await stage.cluster.kubectl(['delete', 'events', '--all', '-n', namespace]);
    const [again] = await until('it is there again', async () => (await ofService()).length > 0 && ofService());
    expect(again.metadata).toMatchObject({ name: metadata.name, uid: expect.not.stringMatching(metadata.uid) });
  });

  it('says nothing of what a dry-run would have made', async () => {
    await applied(service({ name: 'dry', selector: { app: 'dry' } }), '--dry-run=server');
    await anotherPass();
    expect((await events()).filter(({ regarding }) => regarding.name === 'dry')).toEqual([]);
  });

  it('takes the report away with its object', async () => {
    await stage.cluster.kubectl(['delete', 'service', 'api', '-n', namespace]);
    await until('the report is gone', async () => !(await reports()).some(({ scope }) => scope.name === 'api'));
  });
});
