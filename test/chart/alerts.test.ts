/** Every alert, by Prometheus' own promtool: it fires when it must, and not before, and not in a healthy cluster. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Rendered, render } from '../support/helm.ts';
import { describeWithPrometheus, promtool } from '../support/prometheus.ts';

/** Series and their values, one a minute from 0 on: `0+1x5` is 0 1 2 3 4 5, `_` is no sample (promtool's notation). */
type World = Readonly<Record<string, string>>;

const minutes = 300;
const steady = (value: number): string => `${value}+0x${minutes}`;
/** A value until this minute, and then another one. */
const step = (before: number | '_', until: number, after: number | '_'): string =>
  [part(before, until), part(after, minutes - until)].join(' ');
const part = (value: number | '_', samples: number): string => (value === '_' ? `_x${samples}` : `${value}+0x${samples - 1}`);

const ours = (name: string, pod: string, more = ''): string => `portcullis_${name}{namespace="portcullis",pod="${pod}"${more}}`;
const failOpen = (name: string, instance = 'a'): string =>
  `apiserver_admission_webhook_fail_open_count{name="${name}.portcullis.dev",type="validating",instance="${instance}"}`;
const rejection = (name: string, type = 'calling_webhook_error'): string =>
  `apiserver_admission_webhook_rejection_count{name="${name}",error_type="${type}"}`;
const wrote = (what: string, result: string): string => ours(`${what}_writes_total`, 'a', `,result="${result}"`);

const replica = (pod: string, leads: boolean): World => ({
  [ours('build_info', pod)]: steady(1),
  [ours('leader', pod)]: steady(leads ? 1 : 0),
  [ours('tls_not_after_seconds', pod, ',cert="leaf"')]: steady(90 * 86_400),
  [ours('cache_staleness_seconds', pod, ',resource="Pod"')]: steady(0),
  [ours('config_reload_success', pod)]: steady(1),
  [ours('self_check_success', pod)]: steady(1),
  [ours('internal_errors_total', pod, ',where="rule"')]: steady(0),
  [ours('audit_timestamp_seconds', pod)]: leads ? `0+60x${minutes}` : steady(0),
  [ours('reports_capped', pod)]: steady(0),
  [ours('admission_duration_seconds_bucket', pod, ',le="0.5"')]: `0+60x${minutes}`,
  [ours('admission_duration_seconds_bucket', pod, ',le="1"')]: `0+60x${minutes}`,
  [ours('admission_duration_seconds_bucket', pod, ',le="+Inf"')]: `0+60x${minutes}`,
});
const healthy: World = {
  ...replica('a', true),
  ...replica('b', false),
  [wrote('report', 'written')]: `0+1x${minutes}`,
  [wrote('report', 'refused')]: steady(0),
  [wrote('event', 'written')]: `0+1x${minutes}`,
  [wrote('event', 'refused')]: steady(0),
};
const gone = (pod: string, from: number): World =>
  Object.fromEntries(
    Object.keys(replica(pod, false)).map((series) => [series, `${(healthy[series] as string).replace(/x\d+$/, `x${from - 1}`)} stale`]),
  );

/** What differs from the healthy cluster, and which alerts fire at which minute. */
interface Case {
  readonly what: string;
  readonly world: World;
  readonly firing: Readonly<Record<number, readonly string[]>>;
}

const cases: readonly Case[] = [
  { what: 'a healthy cluster', world: {}, firing: { 1: [], 30: [], 240: [] } },
  {
    what: 'the first write that passes unjudged, of a counter that was not there',
    world: { [failOpen('validate')]: step('_', 10, 1) },
    firing: { 9: [], 10: ['PortcullisFailingOpen'], 14: ['PortcullisFailingOpen'], 16: [] },
  },
  {
    what: 'one more that passes unjudged',
    world: { [failOpen('system')]: step(5, 30, 6) },
    firing: { 29: [], 31: ['PortcullisFailingOpen'], 40: [] },
  },
  {
    what: 'what passed long ago, at another API server again',
    world: { [failOpen('delete')]: step(5, 30, 0) },
    firing: { 31: [], 60: [] },
  },
  {
    what: 'an API server that was not scraped for a while',
    world: { [failOpen('validate')]: steady(3), [failOpen('validate', 'b')]: `5+0x20 _x20 5+0x200` },
    firing: { 19: [], 30: [], 42: [], 60: [] },
  },
  { what: 'writes that pass a webhook of others', world: { [failOpen('validate.other')]: `0+1x${minutes}` }, firing: { 20: [], 60: [] } },
  {
    what: 'the first write that is refused without an answer',
    world: { [rejection('validate.portcullis.dev')]: step('_', 10, 1) },
    firing: { 9: [], 10: ['PortcullisBlocking'], 16: [] },
  },
  { what: 'denials', world: { [rejection('validate.portcullis.dev', 'no_error')]: `0+1x${minutes}` }, firing: { 10: [], 60: [] } },
  { what: 'one replica that is missing', world: gone('b', 20), firing: { 26: [], 60: [] } },
  {
    what: 'no replica at all',
    world: { ...gone('a', 20), ...gone('b', 20) },
    firing: { 22: [], 26: ['PortcullisDown'], 100: ['PortcullisDown'] },
  },
  { what: 'the leader that is missing', world: gone('a', 20), firing: { 22: [], 26: ['PortcullisNoLeader'], 60: ['PortcullisNoLeader'] } },
  {
    what: 'another leader',
    world: {
      [ours('leader', 'a')]: step(1, 20, 0),
      [ours('leader', 'b')]: step(0, 22, 1),
      [ours('audit_timestamp_seconds', 'a')]: `0+60x19 1140+0x${minutes}`,
      [ours('audit_timestamp_seconds', 'b')]: `0+0x22 1380+60x${minutes}`,
    },
    firing: { 21: [], 30: [], 200: [] },
  },
  {
    what: 'two that lead',
    world: { [ours('leader', 'b')]: step(0, 20, 1) },
    firing: { 23: [], 26: ['PortcullisNoLeader'] },
  },
  {
    what: 'reviews of a second',
    world: {
      [ours('admission_duration_seconds_bucket', 'a', ',le="0.5"')]: `0+59x${minutes}`,
      [ours('admission_duration_seconds_bucket', 'b', ',le="0.5"')]: `0+58x${minutes}`,
    },
    firing: { 8: [], 15: ['PortcullisSlow'] },
  },
  {
    what: 'a certificate that ends in ten days',
    world: { [ours('tls_not_after_seconds', 'b', ',cert="leaf"')]: steady(10 * 86_400) },
    firing: { 10: [], 20: ['PortcullisCertificateExpiring'] },
  },
  {
    what: 'a broken watch',
    world: { [ours('cache_staleness_seconds', 'b', ',resource="Pod"')]: `0+0x20 60+60x${minutes}` },
    firing: { 21: [], 24: ['PortcullisViewStale'] },
  },
  {
    what: 'a configuration with a mistake',
    world: { [ours('config_reload_success', 'b')]: step(1, 20, 0) },
    firing: { 23: [], 26: ['PortcullisConfigurationRefused'] },
  },
  {
    what: 'a self-check that fails',
    world: { [ours('self_check_success', 'b')]: step(1, 20, 0) },
    firing: { 21: [], 23: ['PortcullisJudgesWrongly'] },
  },
  {
    what: 'a defect of ours',
    world: { [ours('internal_errors_total', 'a', ',where="rule"')]: step(0, 20, 1) },
    firing: { 19: [], 21: ['PortcullisInternalErrors'], 40: [] },
  },
  {
    what: 'a defect of ours before the first scrape',
    world: { [ours('internal_errors_total', 'a', ',where="log"')]: step('_', 20, 1) },
    firing: { 19: [], 20: ['PortcullisInternalErrors'], 40: [] },
  },
  {
    what: 'an audit that hangs',
    world: { [ours('audit_timestamp_seconds', 'a')]: `0+60x20 1200+0x${minutes}` },
    firing: { 75: [], 95: ['PortcullisAuditStalled'] },
  },
  {
    what: 'no audit, where nobody leads',
    world: { [ours('audit_timestamp_seconds', 'a')]: `0+60x20 1200+0x${minutes}`, [ours('leader', 'a')]: step(1, 20, 0) },
    firing: { 95: ['PortcullisNoLeader'] },
  },
  {
    what: 'as many reports as there may be',
    world: { [ours('reports_capped', 'a')]: step(0, 20, 1) },
    firing: { 23: [], 26: ['PortcullisReportsCapped'] },
  },
  { what: 'what one knows of it who led before', world: { [ours('reports_capped', 'b')]: steady(1) }, firing: { 30: [] } },
  {
    what: 'reports that nobody may write',
    world: { [wrote('report', 'written')]: steady(0), [wrote('report', 'refused')]: step(0, 20, 8) },
    firing: { 30: [], 40: ['PortcullisReportsNotWritten'], 120: [] },
  },
  {
    what: 'Events that are tried in vain',
    world: { [wrote('event', 'written')]: steady(7), [wrote('event', 'retried')]: `0+0x20 1+1x${minutes}` },
    firing: { 30: [], 45: ['PortcullisEventsNotWritten'], 240: ['PortcullisEventsNotWritten'] },
  },
  {
    what: 'one report that is refused, since its namespace goes',
    world: { [wrote('report', 'written')]: steady(0), [wrote('report', 'refused')]: step(0, 20, 1) },
    firing: { 40: [], 70: [] },
  },
  {
    what: 'refusals beside successes',
    world: { [wrote('report', 'refused')]: `0+1x${minutes}`, [wrote('event', 'refused')]: `0+1x${minutes}` },
    firing: { 60: [], 120: [] },
  },
];

describeWithPrometheus(inject('helm') !== null)('alerts', () => {
  let directory: string;
  const groups = (): Rendered[] =>
    render({ metrics: { prometheusRule: { enabled: true } } }).find(({ kind }) => kind === 'PrometheusRule').spec.groups;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'portcullis-alerts-'));
    writeFileSync(join(directory, 'rules.yaml'), JSON.stringify({ groups: groups() }));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('are rules that Prometheus takes', () => {
    expect(promtool(['check', 'rules', 'rules.yaml'], { cwd: directory })).toMatch(/SUCCESS: 1\d rules found/);
  });

  it('are each seen to fire here', () => {
    const seen = new Set(cases.flatMap(({ firing }) => Object.values(firing).flat()));
    const names = groups().flatMap(({ rules }) => rules.map(({ alert }: Rendered) => alert as string));
    expect(seen).toEqual(new Set(names));
  });

  it.each(cases)('of $what', ({ world, firing }) => {
    const test = {
      interval: '1m',
      input_series: Object.entries({ ...healthy, ...world }).map(([series, values]) => ({ series, values })),
      promql_expr_test: Object.entries(firing).map(([minute, names]) => ({
        expr: 'group by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: `${minute}m`,
        exp_samples: names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
      })),
    };
    writeFileSync(join(directory, 'test.yaml'), JSON.stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests: [test] }));
    expect(promtool(['test', 'rules', 'test.yaml'], { cwd: directory })).toContain('SUCCESS');
  });
});
