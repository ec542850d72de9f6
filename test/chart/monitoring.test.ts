/** Alerts and dashboards: every query is PromQL, and of metrics that we, or the API server, really have. What Prometheus makes of them: alerts.test.ts and test/e2e. */
import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { expect, it } from 'vitest';
import { dashboards } from '../../scripts/chart/dashboards.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { configurationOf, portsOf, selfContained, service, snapshotOf } from '../admission/reviews.ts';
import { reviewText, send, start, warmUp } from '../server/client.ts';
import { describeWithHelm, type Rendered, render } from '../support/helm.ts';
import { describeWithPrometheus, promtool } from '../support/prometheus.ts';

warmUp();

/** Of the API server (apiserver pkg/admission/metrics), which `test/e2e` asks too. */
const ofApiServer = new Map([
  ['apiserver_admission_webhook_fail_open_count', ['name', 'type']],
  ['apiserver_admission_webhook_rejection_count', ['name', 'type', 'operation', 'error_type', 'rejection_code']],
]);
/** What Prometheus adds to every series of a Pod. */
const ofTarget = ['namespace', 'pod', 'job', 'instance', 'le'];

/** A scrape, once each thing has happened. */
async function exposition(): Promise<string> {
  const server = await start({
    ports: portsOf(snapshotOf(service()), configurationOf([selfContained('always', () => true)])),
    openFindings: () => [['always', 'high', 1, 'shop']],
  });
  await send(server, reviewText());
  server.metrics.callerRefused('pod');
  server.metrics.internalError('request');
  server.metrics.watchRestarted('pods', 'expired');
  return server.counted();
}

/** Metric → the labels of its series. */
async function scraped(): Promise<ReadonlyMap<string, readonly string[]>> {
  const text = await exposition();
  const all = new Map<string, readonly string[]>(ofApiServer);
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm))
    all.set(
      name,
      [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label as string),
    );
  return all;
}

interface Query {
  readonly metrics: readonly string[];
  readonly labels: readonly string[];
}

/** Throws where it is no PromQL. */
function understood(expression: string): Query {
  const metrics: string[] = [];
  const labels: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ name, type, from, to, node }) => {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${expression}`);
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') metrics.push(expression.slice(from, to));
      if (name === 'LabelName') labels.push(expression.slice(from, to));
    },
  });
  return { metrics, labels };
}

const withMonitoring = {
  metrics: {
    serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    podMonitor: { enabled: true },
    prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
    dashboards: { enabled: true },
  },
};

describeWithHelm('monitoring', () => {
  const objects = (): readonly Rendered[] => render(withMonitoring);
  const ofKind = (kind: string): readonly Rendered[] => objects().filter((one) => one.kind === kind);
  const alerts = (): readonly Rendered[] => ofKind('PrometheusRule')[0].spec.groups.flatMap(({ rules }: Rendered) => rules);
  const queries = (): readonly string[] => [
    ...alerts().map(({ expr }) => expr as string),
    ...Object.values(dashboards as Record<string, Rendered>).flatMap(({ panels }) =>
      panels.flatMap(({ targets }: Rendered) => targets.map(({ expr }: Rendered) => expr.replaceAll('$__rate_interval', '5m'))),
    ),
  ];

  it('is nothing by default: the kinds may not exist', () => {
    const kinds = render().map(({ kind }) => kind);
    expect(kinds).not.toEqual(expect.arrayContaining(['ServiceMonitor']));
    expect(kinds.filter((kind) => ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'].includes(kind))).toEqual([]);
    expect(kinds.filter((kind) => kind === 'ConfigMap')).toHaveLength(1);
  });

  it('asks only for metrics that there are, by labels that they have', async () => {
    const known = await scraped();
    expect(queries().length).toBeGreaterThan(25);
    for (const query of queries()) {
      const { metrics, labels } = understood(query);
      expect(metrics.length, query).toBeGreaterThan(0);
      for (const metric of metrics) {
        expect([...known.keys()], query).toContain(metric);
        for (const label of labels) expect([...(known.get(metric) ?? []), ...ofTarget], query).toContain(label);
      }
    }
  });

  it('would notice a metric, a label or a word that is wrong', () => {
    expect(() => understood('sum by (x (rate(a[5m])))')).toThrow();
    expect(understood('sum by (x) (rate(a{y="1"}[5m]))')).toEqual({ metrics: ['a'], labels: ['x', 'y'] });
  });

  it('wakes somebody for each way in which it can fail, and says what to do', () => {
    const names = alerts().map(({ alert }) => alert);
    expect(names).toEqual([...new Set(names)]);
    expect(names).toEqual(
      expect.arrayContaining([
        'PortcullisFailingOpen',
        'PortcullisBlocking',
        'PortcullisSlow',
        'PortcullisCertificateExpiring',
        'PortcullisViewStale',
        'PortcullisNoLeader',
        'PortcullisAuditStalled',
        'PortcullisReportsCapped',
      ]),
    );
    for (const { labels, annotations } of alerts()) {
      expect(labels).toEqual({ severity: expect.stringMatching(/^(warning|critical)$/), release: 'prometheus' });
      expect(annotations).toEqual({ summary: expect.any(String), description: expect.any(String) });
    }
  });

  it('is described: each alert, and each metric of ours with its labels', async () => {
    const page = readFileSync('docs/monitoring.md', 'utf8');
    expect(alerts().filter(({ alert }) => !page.includes(`| ${alert} |`))).toEqual([]);
    const rows = [...page.matchAll(/^\| (`portcullis_.*?`) \| ([a-z, ]*)\|/gm)];
    const described = rows.flatMap(([, names = '', labels = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name]) => `${name}: ${labels.trim()}`),
    );
    const real = [...(await scraped())]
      .filter(([name]) => name.startsWith('portcullis_') && !/_(bucket|sum)$/.test(name))
      .map(([name, labels]) => `${name.replace(/_count$/, '')}: ${labels.join(', ')}`);
    expect(real.length).toBeGreaterThan(20);
    expect(described.toSorted()).toEqual(real.toSorted());
  });

  it('is patient for three intervals of the audit, an hour at least', () => {
    const stalled = (values: RawObject): string =>
      render({ ...withMonitoring, reports: values })
        .find(({ kind }) => kind === 'PrometheusRule')
        .spec.groups[0].rules.find(({ alert }: Rendered) => alert === 'PortcullisAuditStalled').expr;
    expect(stalled({})).toContain('> 3600 and');
    expect(stalled({ intervalSeconds: 86_400 })).toContain('> 259200 and');
  });

  it('looks at the release where it stands', () => {
    const [rule] = render(withMonitoring, { namespace: 'elsewhere' }).filter(({ kind }) => kind === 'PrometheusRule');
    const ours = rule.spec.groups[0].rules.filter(({ expr }: Rendered) => !expr.includes('apiserver_'));
    for (const { expr } of ours) expect(expr).toContain('namespace="elsewhere"');
  });

  it('leads Prometheus to a port that is there', () => {
    const [service] = ofKind('Service');
    const [deployment] = ofKind('Deployment');
    const [container] = deployment.spec.template.spec.containers;
    const [monitor] = ofKind('ServiceMonitor');
    expect(service.spec.ports.map(({ name }: Rendered) => name)).toContain(monitor.spec.endpoints[0].port);
    expect(service.metadata.labels).toMatchObject(monitor.spec.selector.matchLabels);
    const [podMonitor] = ofKind('PodMonitor');
    expect(container.ports.map(({ name }: Rendered) => name)).toContain(podMonitor.spec.podMetricsEndpoints[0].port);
    expect(deployment.spec.template.metadata.labels).toMatchObject(podMonitor.spec.selector.matchLabels);
    expect(monitor.metadata.labels.release).toBe('prometheus');
  });

  it('gives Grafana two dashboards that it can read', () => {
    const maps = ofKind('ConfigMap').filter(({ metadata }) => metadata.labels.grafana_dashboard === '1');
    const read = maps.flatMap(({ data }) => Object.values(data as Record<string, string>).map((text) => JSON.parse(text)));
    expect(read).toHaveLength(2);
    expect(read).toEqual(expect.arrayContaining(Object.values(dashboards)));
    expect(new Set(read.map(({ uid }) => uid)).size).toBe(2);
  });
});

describeWithPrometheus(true)('our metrics', () => {
  it('are named as Prometheus wants it', async () => {
    const own = (await exposition()).replaceAll(/^(?!(# \w+ )?portcullis_).*\n/gm, '');
    expect(own.split('\n').length).toBeGreaterThan(100);
    expect(promtool(['check', 'metrics'], { input: own })).toBe('');
    expect(() => promtool(['check', 'metrics'], { input: own.replaceAll('_writes_total', '_writes') })).toThrow(/_total/);
  });
});
