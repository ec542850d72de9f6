/** Alerts and dashboards of the chart on the real Prometheus, which scrapes our processes and the real API server. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { dashboards } from '../../scripts/chart/dashboards.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { type Balancer, startBalancer } from '../support/balancer.ts';
import { until } from '../support/child-process.ts';
import { type Cluster, connectCluster, pathOf } from '../support/cluster.ts';
import { type ControlPlane, freePort, tokenOf } from '../support/control-plane.ts';
import { newControlPlane } from '../support/control-plane-provider.ts';
import { type Rendered, render } from '../support/helm.ts';
import { describeWithPrometheus, type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { policyReportDefinitions } from '../support/report-definitions.ts';
import { deployment, ingress, service } from '../support/shop.ts';
import { addressOf, configurationOf, create, untilViewIsTrue, withoutOurWay } from '../support/stage.ts';
import { installWebhook, type Registration, type Replica, type Webhook, withFail, withSelector } from '../support/webhook.ts';

const purpose = 'monitoring';

describeWithPrometheus(inject('helm') !== null && inject('controlPlane') !== null)('monitoring', () => {
  let plane: ControlPlane;
  let cluster: Cluster;
  let between: Balancer;
  let webhook: Webhook;
  let leader: Replica;
  let answering: Replica;
  let prometheus: Prometheus;
  let strict: string;
  let guided: string;
  let unanswered: string;

  let alerts: readonly { readonly alert: string; readonly expr: string }[];

  beforeAll(async () => {
    plane = await newControlPlane(console.error);
    cluster = connectCluster(plane.address);
    await applied([...policyReportDefinitions()]);
    const [port, deadPort] = [await freePort(), await freePort()];
    const registrations = (deployed: Registration) => [forLabel(deployed, 'answered'), to(deadPort, forLabel(deployed, 'unanswered'))];
    const configuration = configurationOf({ grace: '1s', rules: withoutOurWay });
    webhook = await installWebhook(cluster, { purpose, configuration, port, registrations });
    await applied(readFileSync('deploy/25-state.yaml', 'utf8'));
    await forbidSecrets();
    between = await startBalancer(await freePort());
    between.setReady([Number(new URL(plane.address.url).port)]);
    const flags = [
      '--namespace',
      'portcullis',
      '--service',
      purpose,
      '--lease',
      'portcullis-leader',
      '--audit-interval',
      '2s',
      '--metrics-namespaces',
    ];
    leader = await webhook.startReplica({ port: await freePort(), flags });
    await until('it leads', async () => (await (await fetch(metricsOf(leader))).text()).includes('\nportcullis_leader 1\n'));
    answering = await webhook.startReplica({ port, flags, apiServerPort: between.port });
    const { groups } = render({ metrics: { prometheusRule: { enabled: true } } }).find(({ kind }) => kind === 'PrometheusRule').spec;
    alerts = groups.flatMap(({ rules }: Rendered) => rules);
    prometheus = await startPrometheus([scrapeOfApiServer(), scrapeOf(leader, 'leader'), scrapeOf(answering, 'answering')], groups);
    strict = await cluster.newNamespace('strict', { e2e: 'answered', 'portcullis.dev/profile': 'strict' });
    guided = await cluster.newNamespace('guided', { e2e: 'answered' });
    unanswered = await cluster.newNamespace('unanswered', { e2e: 'unanswered' });
    for (const namespace of [strict, guided]) await create(cluster, namespace, deployment);
    await create(cluster, guided, service({ name: 'shop' }));
    await untilViewIsTrue(cluster, answering);
  });
  afterAll(async () => {
    await prometheus?.stop();
    await webhook?.remove();
    await between?.close();
    await cluster?.close();
    await plane?.stop();
  });

  const applied = async (input: string | readonly RawObject[]): Promise<void> => {
    const { code, stderr } = await cluster.kubectl(['apply', '-f', '-'], { input });
    if (code !== 0) throw new Error(stderr);
  };

  const forLabel = (deployed: Registration, label: string): Registration => ({
    ...withSelector(deployed, { key: 'e2e', operator: 'In', values: [label] }),
    metadata: { name: `portcullis-${label}` },
  });

  const to = (port: number, registered: Registration): Registration => ({
    ...registered,
    webhooks: registered.webhooks.map((entry) => {
      const { clientConfig } = entry as unknown as { readonly clientConfig: { readonly service: object } };
      return { ...entry, clientConfig: { ...clientConfig, service: { ...clientConfig.service, port } } };
    }),
  });

  /** Then there is something that cannot be judged. */
  async function forbidSecrets(): Promise<void> {
    const path = pathOf('rbac.authorization.k8s.io/v1', 'clusterroles', '', 'portcullis');
    const { body } = await cluster.request('GET', path);
    const rules = body.rules.filter(({ resources }: { readonly resources: readonly string[] }) => !resources.includes('secrets'));
    expect(rules.length).toBe(body.rules.length - 1);
    expect((await cluster.request('PATCH', path, { rules })).status).toBe(200);
  }

  const metricsOf = ({ healthPort }: Replica): string => `http://127.0.0.1:${healthPort}/metrics`;

  /** With the labels that a ServiceMonitor gives. */
  const scrapeOf = ({ healthPort }: Replica, pod: string): RawObject => ({
    job_name: pod,
    static_configs: [{ targets: [`127.0.0.1:${healthPort}`], labels: { job: 'portcullis', namespace: 'portcullis', pod } }],
  });

  const scrapeOfApiServer = (): RawObject => ({
    job_name: 'apiserver',
    scheme: 'https',
    tls_config: { ca_file: plane.address.caFile },
    authorization: { credentials: tokenOf('admin') },
    static_configs: [{ targets: [new URL(plane.address.url).host] }],
  });

  /** What was done, by what came of it. */
  const done = { deny: 0, warn: 0, allow: 0, passed: 0, blocked: 0, refused: 0 };

  async function write(namespace: string, object: RawObject): Promise<void> {
    const path = `${addressOf(String(object['kind']), namespace)}${namespace === strict ? '' : '?dryRun=All'}`;
    const { status, body, warnings } = await cluster.request('POST', path, object);
    if (namespace === unanswered) done[status === 201 ? 'passed' : 'blocked']++;
    else if (status === 201) done[warnings.length > 0 ? 'warn' : 'allow']++;
    else if (String(body.message).includes('denied the request')) done.deny++;
    else throw new Error(`${status}: ${body.message}`);
  }

  const astray = (name = 'web'): RawObject => service({ name, selector: { app: 'wbe' } });

  async function someOfEach(): Promise<void> {
    await write(strict, astray());
    await write(guided, astray());
    await write(guided, ingress('gone', { service: 'shop' }));
    await write(unanswered, astray());
    await callAsPod();
  }

  /** From the address of a Pod of somebody. */
  const callAsPod = (): Promise<void> =>
    new Promise((resolve) => {
      const agent = new Agent({ localAddress: '127.0.0.2' } as object);
      const end = (): void => resolve();
      request(`https://127.0.0.1:${answering.port}/validate`, { method: 'POST', rejectUnauthorized: false, agent }, (answer) =>
        answer.resume().once('end', end),
      )
        .once('error', () => {
          done.refused++;
          end();
        })
        .end('{}');
    });

  const only = async (expression: string): Promise<number> => (await prometheus.query(expression))[0]?.value ?? 0;
  const counts = (expression: string, count: number): Promise<unknown> =>
    until(`${expression} is ${count}`, async () => (await only(expression)) === count).catch(async (error: Error) => {
      throw new Error(`${error.message}; it is ${await only(expression)}`);
    });

  const queries = Object.values(dashboards as Record<string, Rendered>).flatMap(({ panels }) =>
    panels.flatMap(({ title, targets }: Rendered) =>
      targets.map(({ expr }: Rendered) => ({
        title: title as string,
        query: (expr as string).replaceAll('$__rate_interval', '10s').replaceAll('$namespace', 'portcullis'),
      })),
    ),
  ) as readonly { readonly title: string; readonly query: string }[];
  /** It would wake somebody: tried below. */
  const ofBlocked = (query: string): boolean => query.includes('apiserver_admission_webhook_rejection_count');

  it('has an answer to every query of the dashboards', async () => {
    await create(cluster, guided, { ...caller, spec: { nodeName: 'nowhere', containers: [{ name: 'main', image: 'none' }] } });
    const path = `${addressOf('Pod', guided, 'caller')}/status`;
    await cluster.request('PATCH', path, { status: { phase: 'Running', podIP: '127.0.0.2', podIPs: [{ ip: '127.0.0.2' }] } });
    for (const name of ['a', 'b', 'c']) await create(cluster, guided, astray(name));

    const silent = new Set(queries.map(({ query }) => query).filter((query) => !ofBlocked(query)));
    expect(silent.size).toBeGreaterThan(25);
    const round = async (): Promise<boolean> => {
      await someOfEach();
      for (const query of silent) {
        if (query.includes('watch_restarts')) between.cut();
        if ((await prometheus.query(query)).length > 0) silent.delete(query);
      }
      return silent.size === 0;
    };
    await until('all are answered', round, { everyMs: 500 }).catch((error: Error) => {
      throw new Error(`${error.message}, but not ${[...silent].join('\n')}`);
    });
  });

  it('shows what was done', async () => {
    expect(done).toMatchObject({ blocked: 0, deny: expect.any(Number) });
    for (const decision of ['deny', 'warn', 'allow'] as const) {
      expect(done[decision], decision).toBeGreaterThan(1);
      await counts(`sum(portcullis_admission_requests_total{decision="${decision}"})`, done[decision]);
    }
    await counts('sum(portcullis_rule_findings_total{outcome="denied",rule="service-selector-matches-no-pods"})', done.deny);
    expect(await only('sum(portcullis_rule_findings_total{outcome="skipped-forbidden",rule="tls-secret-missing"})')).toBeGreaterThan(1);
    await counts('sum(apiserver_admission_webhook_fail_open_count{name="validate.portcullis.dev"})', done.passed);
    await counts('sum(portcullis_refused_callers_total{reason="pod"})', done.refused);
    expect(done.refused).toBeGreaterThan(0);
    await counts('sum(portcullis_open_findings{rule="service-selector-matches-no-pods"})', 3);
    const reports = async () => (await cluster.request('GET', pathOf('wgpolicyk8s.io/v1alpha2', 'policyreports', guided))).body.items;
    await until('each has a report', async () => (await reports()).length === 3);
    await counts('sum(portcullis_report_writes_total{result="written"})', 3);
    await counts('sum(portcullis_event_writes_total{result="written"})', 3);
    await counts('sum(portcullis_report_writes_total{result!="written"})', 0);
  });

  it('calls our label of a namespace otherwise than that of the target, and has few series', async () => {
    const [found] = await prometheus.query('portcullis_open_findings');
    expect(found?.labels).toMatchObject({ namespace: 'portcullis', pod: 'leader', exported_namespace: guided });
    expect(await only('max(scrape_samples_scraped{job="portcullis"})')).toBeLessThan(500);
  });

  it('wakes somebody for the writes that passed unjudged, and for nothing else', async () => {
    await until('PortcullisFailingOpen fires', async () => (await prometheus.firing()).includes('PortcullisFailingOpen'));
    expect(await prometheus.firing()).toEqual(['PortcullisFailingOpen']);
    expect(alerts.length).toBeGreaterThan(13);
    const true_ = [];
    for (const { alert, expr } of alerts) if ((await prometheus.query(expr)).length > 0) true_.push(alert);
    // How long a review takes on a busy machine is not for this test to say.
    expect(true_.filter((alert) => alert !== 'PortcullisSlow')).toEqual(['PortcullisFailingOpen']);
  });

  it('wakes somebody when writes are blocked', async () => {
    const path = pathOf('admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations', '', 'portcullis-unanswered');
    const { body } = await cluster.request('GET', path);
    expect((await cluster.request('PUT', path, withFail(body))).status).toBe(200);
    const [asked, ...more] = queries.filter(({ query }) => ofBlocked(query));
    expect(more).toEqual([]);
    await until(
      'blocked writes are seen',
      async () => {
        await write(unanswered, astray());
        return (await prometheus.query(asked?.query ?? '')).some(({ value }) => value > 0);
      },
      { everyMs: 500 },
    );
    await until('PortcullisBlocking fires', async () => (await prometheus.firing()).includes('PortcullisBlocking'));
    await counts('sum(apiserver_admission_webhook_rejection_count{error_type="calling_webhook_error"})', done.blocked);
  });

  it('sees a replica that is stopped: writes pass, and the other one goes on', async () => {
    const { passed } = done;
    await answering.process.stop('SIGKILL');
    const { status } = await cluster.request('POST', `${addressOf('Service', guided)}?dryRun=All`, astray());
    expect(status).toBe(201);
    await counts('sum(apiserver_admission_webhook_fail_open_count{name="validate.portcullis.dev"})', passed + 1);
    await counts('count(portcullis_build_info{namespace="portcullis"})', 1);
    await counts('sum(portcullis_leader{namespace="portcullis"})', 1);
  });
});

const caller: RawObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'caller' } };
