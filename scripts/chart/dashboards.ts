/** The two Grafana dashboards of the chart: what is decided, and how the process fares. */

interface Panel {
  readonly title: string;
  /** Grafana's name of a unit: `ops`, `s`, `bytes`, `short`. */
  readonly unit: string;
  readonly queries: readonly (readonly [expression: string, legend: string])[];
  readonly kind?: 'timeseries' | 'stat';
}

/** Where the chart put us; whoever looks chooses it. */
const here = 'namespace=~"$namespace"';
const entries = 'name=~"(validate|system|delete)[.]portcullis[.]dev"';

const admission: readonly Panel[] = [
  {
    title: 'Reviews, by what was answered',
    unit: 'ops',
    queries: [[`sum by (decision) (rate(portcullis_admission_requests_total{${here}}[$__rate_interval]))`, '{{decision}}']],
  },
  {
    title: 'Time of a review',
    unit: 's',
    queries: [0.5, 0.99].map((quantile) => [
      `histogram_quantile(${quantile}, sum by (le) (rate(portcullis_admission_duration_seconds_bucket{${here}}[$__rate_interval])))`,
      `p${quantile * 100}`,
    ]),
  },
  {
    title: 'Denials, by rule',
    unit: 'ops',
    queries: [[`sum by (rule) (rate(portcullis_rule_findings_total{${here},outcome="denied"}[$__rate_interval])) > 0`, '{{rule}}']],
  },
  {
    title: 'Warnings, by rule',
    unit: 'ops',
    queries: [
      [`sum by (rule) (rate(portcullis_rule_findings_total{${here},outcome!~"denied|skipped.*"}[$__rate_interval])) > 0`, '{{rule}}'],
    ],
  },
  {
    title: 'Rules that could not be judged, by reason',
    unit: 'ops',
    queries: [
      [
        `sum by (rule, outcome) (rate(portcullis_rule_findings_total{${here},outcome=~"skipped.*"}[$__rate_interval])) > 0`,
        '{{rule}}: {{outcome}}',
      ],
    ],
  },
  {
    title: 'Writes without an answer of ours',
    unit: 'short',
    queries: [
      [`sum by (name) (increase(apiserver_admission_webhook_fail_open_count{${entries}}[$__rate_interval]))`, '{{name}}: passed'],
      [
        `sum by (name) (increase(apiserver_admission_webhook_rejection_count{${entries},error_type="calling_webhook_error"}[$__rate_interval]))`,
        '{{name}}: refused',
      ],
    ],
  },
  {
    title: 'Open findings, by rule',
    unit: 'short',
    queries: [[`sum by (rule) (portcullis_open_findings{${here}})`, '{{rule}}']],
  },
  {
    title: 'Open findings, by severity',
    unit: 'short',
    queries: [[`sum by (severity) (portcullis_open_findings{${here}})`, '{{severity}}']],
  },
];

const health: readonly Panel[] = [
  { title: 'Replicas', unit: 'short', kind: 'stat', queries: [[`count(portcullis_build_info{${here}})`, 'replicas']] },
  { title: 'Leaders', unit: 'short', kind: 'stat', queries: [[`sum(portcullis_leader{${here}})`, 'leaders']] },
  {
    title: 'Certificates end in',
    unit: 's',
    kind: 'stat',
    queries: [[`min by (cert) (portcullis_tls_not_after_seconds{${here}}) - time()`, '{{cert}}']],
  },
  {
    title: 'Configuration in effect, and self-check',
    unit: 'short',
    kind: 'stat',
    queries: [
      [`min(portcullis_config_reload_success{${here}})`, 'configuration'],
      [`min(portcullis_self_check_success{${here}})`, 'self-check'],
    ],
  },
  {
    title: 'Age of the view, by kind',
    unit: 's',
    queries: [[`max by (resource) (portcullis_cache_staleness_seconds{${here}})`, '{{resource}}']],
  },
  { title: 'Objects in the view', unit: 'short', queries: [[`max by (resource) (portcullis_cache_objects{${here}})`, '{{resource}}']] },
  {
    title: 'Watches begun anew, by reason',
    unit: 'ops',
    queries: [
      [`sum by (resource, reason) (rate(portcullis_watch_restarts_total{${here}}[$__rate_interval])) > 0`, '{{resource}}: {{reason}}'],
    ],
  },
  {
    title: 'Internal errors, and callers refused',
    unit: 'ops',
    queries: [
      [`sum by (where) (rate(portcullis_internal_errors_total{${here}}[$__rate_interval]))`, 'error: {{where}}'],
      [`sum by (reason) (rate(portcullis_refused_callers_total{${here}}[$__rate_interval]))`, 'refused: {{reason}}'],
    ],
  },
  {
    title: 'Writes of reports and Events, by result',
    unit: 'ops',
    queries: [
      [`sum by (result) (rate(portcullis_report_writes_total{${here}}[$__rate_interval]))`, 'report: {{result}}'],
      [`sum by (result) (rate(portcullis_event_writes_total{${here}}[$__rate_interval]))`, 'Event: {{result}}'],
    ],
  },
  {
    title: 'Last audit of everything was',
    unit: 's',
    kind: 'stat',
    queries: [[`time() - max(portcullis_audit_timestamp_seconds{${here}} > 0)`, 'ago']],
  },
  { title: 'Working time of an audit', unit: 's', queries: [[`max(portcullis_audit_work_seconds{${here}})`, 'all objects']] },
  { title: 'Memory', unit: 'bytes', queries: [[`process_resident_memory_bytes{${here}}`, '{{pod}}']] },
  { title: 'CPU', unit: 'short', queries: [[`rate(process_cpu_seconds_total{${here}}[$__rate_interval])`, '{{pod}}']] },
  { title: 'Delay of the event loop', unit: 's', queries: [[`nodejs_eventloop_lag_p99_seconds{${here}}`, '{{pod}}']] },
];

const columns = 2;
const size = { w: 24 / columns, h: 8 };
/** The variable of the dashboard, in Grafana's words. */
const source = { type: 'prometheus', uid: '$datasource' };

function dashboard(uid: string, title: string, panels: readonly Panel[]): unknown {
  return {
    uid,
    title,
    tags: ['portcullis', 'kubernetes'],
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        {
          name: 'namespace',
          label: 'Namespace',
          type: 'query',
          datasource: source,
          query: 'label_values(portcullis_build_info, namespace)',
          includeAll: true,
          refresh: 2,
        },
      ],
    },
    panels: panels.map(({ title: panelTitle, unit, queries, kind = 'timeseries' }, index) => ({
      id: index + 1,
      title: panelTitle,
      type: kind,
      datasource: source,
      gridPos: { ...size, x: (index % columns) * size.w, y: Math.floor(index / columns) * size.h },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: queries.map(([expr, legendFormat], at) => ({ refId: String.fromCharCode(65 + at), datasource: source, expr, legendFormat })),
    })),
  };
}

/** By file name, without `.json`. */
export const dashboards: Readonly<Record<string, unknown>> = {
  admission: dashboard('portcullis-admission', 'Portcullis: what is decided', admission),
  health: dashboard('portcullis-health', 'Portcullis: how it fares', health),
};
