/** What the audit tells, on the real API server: reports by the CRDs that people install, and Events that kubectl shows. */
import { readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { AuditSink } from '../../src/audit/verdict.ts';
import { kubeconfigCredentials } from '../../src/client/credentials.ts';
import { type KubeClient, kubeClient } from '../../src/client/kube-client.ts';
import { type AuditSinkFlags, createSinks } from '../../src/commands/audit-sinks.ts';
import type { RawObject, Service } from '../../src/kube/resources.ts';
import { createLog } from '../../src/server/log.ts';
import { broken, clean, findingOf, serviceNamed } from '../sinks/verdicts.ts';
import { until } from '../support/child-process.ts';
import { type Cluster, connectCluster, describeOnCluster, pathOf } from '../support/cluster.ts';
import { kubeconfigOf } from '../support/control-plane.ts';
import { openReportsDefinitions, policyReportDefinitions } from '../support/report-definitions.ts';

const openReports = 'openreports.io/v1alpha1';
const policyReports = 'wgpolicyk8s.io/v1alpha2';

describeOnCluster('what the audit tells the cluster', () => {
  let cluster: Cluster;
  let strict: KubeClient;
  let namespace: string;
  let term: AbortController;
  let sink: AuditSink;
  const written: string[] = [];

  beforeAll(async () => {
    cluster = connectCluster();
    for (const object of [...(loadAll(readFileSync('deploy/00-namespace.yaml', 'utf8')) as RawObject[])])
      await cluster.kubectl(['apply', '-f', '-'], { input: object });
    await cluster.kubectl(['apply', '-f', 'deploy/10-rbac.yaml']);
    await install([...(await openReportsDefinitions()), ...policyReportDefinitions()]);
    const client = kubeClient(await kubeconfigCredentials({ file: kubeconfigOf(cluster.address, 'portcullis') }));
    // A field that an API does not have would be dropped without a word.
    strict = { ...client, send: (method, path, ...rest) => client.send(method, method === 'DELETE' ? path : asStrict(path), ...rest) };
  });

  afterAll(async () => {
    await strict?.close();
    for (const { metadata } of [...(await openReportsDefinitions()), ...policyReportDefinitions()] as { metadata: { name: string } }[])
      await cluster.kubectl(['delete', 'crd', metadata.name]);
    await cluster?.close();
  });

  beforeEach(async () => {
    namespace = await cluster.newNamespace('reports');
    written.length = 0;
    lead();
  });

  afterEach(async () => {
    await sink.close();
    for (const api of ['reports.openreports.io', 'policyreports.wgpolicyk8s.io'])
      await cluster.kubectl(['delete', api, '-n', namespace, '--all']);
  });

  const install = async (definitions: readonly RawObject[]): Promise<void> => {
    const { code, stderr } = await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: definitions });
    if (code !== 0) throw new Error(stderr);
    for (const { metadata } of definitions as readonly { readonly metadata: { readonly name: string } }[]) {
      const [plural = '', ...group] = metadata.name.split('.');
      const version = group.join('.') === 'openreports.io' ? openReports : policyReports;
      const where = plural.startsWith('cluster') ? '' : 'default';
      await until(`${metadata.name} is served`, async () => (await cluster.request('GET', `/apis/${version}/${plural}`)).status === 200);
      // A definition that has just been installed is listed before it takes objects: 429, storage is (re)initializing.
      const probe = { metadata: { generateName: 'probe-' } };
      const path = `${pathOf(version, plural, where)}?dryRun=All`;
      await until(`${metadata.name} takes objects`, async () => (await cluster.request('POST', path, probe)).status !== 429);
    }
  };

  /** Another leader begins. */
  const lead = (options: AuditSinkFlags = {}): void => {
    term = new AbortController();
    sink = createSinks({
      client: strict,
      log: createLog({ write: (line: string) => void written.push(line) } as never, 'warn'),
      options: { lease: 'portcullis-leader', ...options },
      configuration: () => ({ docsBaseUrl: '', privacy: 'namespace' }) as never,
      identity: 'portcullis-0_e2e',
      onWrite: (result, what) => written.push(`${what} ${result}`),
    });
    sink.begin(term.signal);
  };

  const service = async (name: string): Promise<Service> => {
    const { body } = await cluster.request('POST', pathOf('v1', 'services', namespace), {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
    });
    return serviceNamed(name, body.metadata.uid, namespace);
  };

  const reportsOf = async (api = openReports, plural = 'reports') =>
    (await cluster.request('GET', pathOf(api, plural, namespace))).body.items;
  const events = async () => (await cluster.request('GET', pathOf('events.k8s.io/v1', 'events', namespace))).body.items;
  const settled = (many: number): Promise<unknown> => until(`${many} writes`, async () => written.length >= many);

  it('is a report that the CRD takes as it is, beside the object', async () => {
    const web = await service('web');
    const verdict = broken(web, [findingOf(web), findingOf(web, 443)]);
    sink.tell({
      ...verdict,
      exempted: [{ finding: findingOf(web, 'old', { severity: 'low' }), reason: 'moves in May' }],
      faults: [{ ruleId: 'dns-resolver-isolated', cause: new Error('boom') }],
    });
    await settled(3);
    expect(written).toEqual(
      ['report written', 'event written', 'event written'].toSorted((a, b) => written.indexOf(a) - written.indexOf(b)),
    );
    const [report] = await reportsOf();
    const { metadata, ...content } = report;
    expect(metadata.name).toBe(web.metadata.uid);
    expect(metadata.ownerReferences).toEqual([{ apiVersion: 'v1', kind: 'Service', name: 'web', uid: web.metadata.uid }]);
    expect(metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'portcullis' });
    expect(metadata.managedFields.map(({ manager, operation }: Record<string, string>) => `${manager} ${operation}`)).toEqual([
      'portcullis-audit Apply',
    ]);
    expect(content.scope).toEqual({ apiVersion: 'v1', kind: 'Service', namespace, name: 'web', uid: web.metadata.uid });
    expect(content.summary).toEqual({ pass: 0, fail: 2, error: 1, warn: 0, skip: 1 });
    expect(content.results.map(({ policy, result }: Record<string, string>) => `${policy} ${result}`)).toEqual([
      'service-named-target-port-unresolved fail',
      'service-named-target-port-unresolved fail',
      'dns-resolver-isolated error',
      'service-named-target-port-unresolved skip',
    ]);
    const { stdout } = await cluster.kubectl(['get', 'reports.openreports.io', '-n', namespace, '--no-headers']);
    expect(stdout).toMatch(/\s+0\s+2\s+0\s+1\s+1\s/);
  });

  it('is shown by kubectl describe, and gone when it is repaired', async () => {
    const web = await service('web');
    sink.tell(broken(web));
    await settled(2);
    const { stdout } = await cluster.kubectl(['describe', 'service', 'web', '-n', namespace]);
    expect(stdout).toMatch(
      /Warning\s+NamedTargetPortUnresolved\s+\S+\s+portcullis.dev\/audit\s+spec\.ports\[0\]\.targetPort: targetPort 80 is declared by 0 of 3 Pods; name/,
    );
    const ours = await cluster.kubectl([
      'get',
      'events',
      '-n',
      namespace,
      '--field-selector',
      'reportingComponent=portcullis.dev/audit',
      '-o',
      'name',
    ]);
    expect(ours.stdout).toMatch(/^event\/web\.[0-9a-f]{16}\n$/);
    sink.tell(clean(web));
    await settled(4);
    expect([await reportsOf(), await events()]).toEqual([[], []]);
    expect(written.every((line) => !line.includes('"level"'))).toBe(true);
  });

  it('causes no write where nothing has changed, for another leader and at full passes neither', async () => {
    const all = await Promise.all(['a', 'b', 'c'].map(service));
    const verdicts = all.map((one) => broken(one));
    for (const verdict of verdicts) sink.tell(verdict);
    await settled(6);
    const before = (await reportsOf()).map(({ metadata }: RawObject) => metadata);
    await sink.close();
    written.length = 0;
    lead();
    for (const verdict of verdicts) sink.tell(verdict);
    // It is written as soon as the leader knows what is stored.
    const other = await service('other');
    sink.tell(broken(other, [findingOf(other)], 'audit'));
    await settled(1);
    const uids = new Set([...all, other].map(({ metadata }) => metadata.uid as string));
    sink.passed(uids);
    // What is edited by hand shows that the pass is over.
    await cluster.request('PATCH', pathOf(openReports, 'reports', namespace, verdicts[1]?.object.metadata.uid), { results: [] });
    sink.passed(uids);
    await settled(2);
    expect(written).toEqual(['report written', 'report written']);
    const after = await reportsOf();
    expect(after.map(({ results }: { results: unknown[] }) => results.length)).toEqual([1, 1, 1, 1]);
    const versions = (list: readonly RawObject[]): readonly unknown[] =>
      list.map(({ name, resourceVersion }) => `${name} ${resourceVersion}`);
    const kept = versions(before).filter((one) => versions(after.map(({ metadata }: RawObject) => metadata)).includes(one));
    expect(kept.length).toBe(2);
    expect((await events()).map(({ series }: RawObject) => series)).toEqual([undefined, undefined, undefined]);
  });

  it('ends after 50 results with one that counts the rest, and an Event of another leader becomes a series', async () => {
    const web = await service('web');
    const verdict = broken(
      web,
      Array.from({ length: 60 }, (_, port) => findingOf(web, 1000 + port)),
    );
    sink.tell(verdict);
    await until('the report is there', async () => (await reportsOf()).length === 1);
    const [{ results, summary }] = await reportsOf();
    expect(results.length).toBe(51);
    expect(results.at(-1)).toMatchObject({ rule: 'more-results', result: 'fail', message: '10 more: `portcullis audit` tells all.' });
    expect(summary.fail).toBe(60);
    await until('the Events are there', async () => (await events()).length === 10);
    await sink.close();
    await cluster.kubectl(['delete', 'reports.openreports.io', '-n', namespace, '--all']);
    lead();
    sink.tell(verdict);
    await until('they are series', async () =>
      (await events()).every(({ series }: { series?: { count: number } }) => (series?.count ?? 1) >= 2),
    );
    expect((await events()).length).toBe(10);
  });

  it('is a PolicyReport too where both are asked for, and nothing where neither is', async () => {
    await sink.close();
    lead({ reports: 'both', events: false });
    const web = await service('web');
    sink.tell(broken(web));
    await settled(2);
    const [report] = await reportsOf(policyReports, 'policyreports');
    expect(report.results[0]).toMatchObject({ source: 'portcullis', result: 'fail', severity: 'high', category: 'Services' });
    expect(await events()).toEqual([]);
    await sink.close();
    written.length = 0;
    lead({ reports: 'openreports', events: false });
    sink.tell(clean(web));
    sink.passed(new Set([web.metadata.uid as string]));
    await settled(1);
    expect(await reportsOf()).toEqual([]);
    expect((await reportsOf(policyReports, 'policyreports')).length).toBe(1);
  });

  it('believes no report that somebody has forged, and reads ours beside large ones', async () => {
    const [web, other] = (await Promise.all(['web', 'other'].map(service))) as [Service, Service];
    sink.tell(broken(web));
    await settled(2);
    const [ours] = await reportsOf();
    const victim = await cluster.newNamespace('victim');
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'important' },
      involvedObject: { kind: 'Service', namespace: victim },
    };
    expect((await cluster.request('POST', pathOf('v1', 'events', victim), event)).status).toBe(201);
    for (let at = 0; at < 5; at++) {
      const scope = { ...ours.scope, namespace: victim, name: 'important?x' };
      const [owner, uid] = [{ ...ours.metadata.ownerReferences[0] }, at === 0 ? other.metadata.uid : `forged-${at}`];
      const metadata = { name: uid, labels: ours.metadata.labels, ownerReferences: [{ ...owner, name: 'other', uid: other.metadata.uid }] };
      const results = [{ ...ours.results[0], message: 'x'.repeat(1_200_000) }];
      const { status } = await cluster.request('POST', pathOf(openReports, 'reports', namespace), { ...ours, scope, metadata, results });
      expect(status).toBe(201);
    }
    await sink.close();
    written.length = 0;
    lead();
    sink.tell(broken(web));
    sink.passed(new Set([web, other].map(({ metadata }) => metadata.uid as string)));
    await settled(5);
    expect(written).toEqual(Array.from({ length: 5 }, () => 'report deleted'));
    expect((await reportsOf()).map(({ metadata }: { metadata: RawObject }) => metadata['resourceVersion'])).toEqual([
      ours.metadata.resourceVersion,
    ]);
    expect((await cluster.request('GET', pathOf('v1', 'events', victim, 'important'))).status).toBe(200);
  });

  it('has a report of the cluster while there are too many', async () => {
    await sink.close();
    lead({ reportLimit: 1, events: false });
    const [a, b] = (await Promise.all(['a', 'b'].map(service))) as [Service, Service];
    sink.tell(broken(a));
    sink.tell(broken(b));
    await settled(2);
    const ofCluster = async () => cluster.request('GET', `/apis/${openReports}/clusterreports/portcullis`);
    expect((await ofCluster()).body.results[0].message).toMatch(/^1 object with something to tell has no report/);
    sink.tell(clean(a));
    await until('there is room again', async () => (await ofCluster()).status === 404);
    expect((await reportsOf()).map(({ metadata }: { metadata: RawObject }) => metadata['name'])).toEqual([b.metadata.uid]);
    // As docs/reports.md has it.
    const all = ['reports.openreports.io,clusterreports.openreports.io', '--all-namespaces'];
    const { stdout } = await cluster.kubectl(['delete', ...all, '--selector', 'app.kubernetes.io/managed-by=portcullis']);
    expect(stdout).toContain(`"${b.metadata.uid}" deleted`);
    expect(await reportsOf()).toEqual([]);
  });
});

const asStrict = (path: string): string => `${path}${path.includes('?') ? '&' : '?'}fieldValidation=Strict`;
