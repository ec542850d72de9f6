/** What is counted. Labels are rules, kinds, operations and outcomes, never the name of an object: the number of series is bounded. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client';
import type { Handled } from '../admission/handler.ts';
import type { Asked } from '../admission/request.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Decision } from '../engine/review.ts';
import type { Collection } from '../kube/resources.ts';
import { type AuditMetrics, auditMetrics } from './audit-metrics.ts';
import type { RefusedCaller } from './callers.ts';
import type { OpenFindings } from './open-findings.ts';
import type { TurnedAway } from './validate-route.ts';

const resources: ReadonlyMap<string, string> = new Map([
  ['Service', 'services'],
  ['Ingress', 'ingresses'],
  ['NetworkPolicy', 'networkpolicies'],
]);
const operations: ReadonlySet<string> = new Set(['CREATE', 'UPDATE', 'DELETE']);
const durationBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 3];
/** Collections that are listed and watched; Secrets are only ever read by name. */
const listed: readonly Collection[] = [
  'Service',
  'Ingress',
  'IngressClass',
  'NetworkPolicy',
  'Namespace',
  'Certificate',
  'ExternalSecret',
  'SealedSecret',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'APIService',
  'Template',
  'Pod',
];

export interface MetricsSources {
  readonly version: string;
  /** Asked at each scrape; undefined as long as there is none. */
  readonly snapshot: () => ClusterSnapshot | undefined;
  /** When the certificates that are served end, in epoch milliseconds: `leaf`, `ca`. */
  readonly certificateEnds: () => ReadonlyMap<string, number>;
  /** Whether we do what only one replica may do; as if there were no other, if left out. */
  readonly leads?: () => boolean;
  readonly openFindings?: OpenFindings;
  /** Whether open findings are told by namespace too. */
  readonly tellsNamespaces?: boolean;
}

/** Each begins at 0, so that a rate sees the first. `rule` is a rule that threw. */
const barriers = ['request', 'process', 'log', 'certificate', 'audit', 'rule'] as const;
const refusals: readonly RefusedCaller['reason'][] = ['pod', 'certificate'];

export interface Metrics extends AuditMetrics {
  handled(handled: Handled, durationMs: number): void;
  turnedAway(why: TurnedAway): void;
  /** A connection or a request of somebody who may not call. */
  callerRefused(reason: RefusedCaller['reason']): void;
  internalError(where: (typeof barriers)[number]): void;
  watchRestarted(resource: string, reason: string): void;
  /** A configuration came into effect, or a new one was refused. */
  configurationRead(inEffect: boolean, nowMs: number): void;
  /** Whether this process still judges as it should. */
  selfChecked(passed: boolean): void;
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  registerState(registry, sources);
  const counters = registerCounters(registry);
  for (const where of barriers) counters.internalErrors.inc({ where }, 0);
  for (const reason of refusals) counters.refusedCallers.inc({ reason }, 0);
  const count = counting(counters);
  return {
    handled: (handled, durationMs) => {
      if (handled.outcome === 'refused') return;
      count(handled.asked, decisionOf(handled), durationMs / 1000);
      if (handled.outcome === 'judged') countFindings(handled.decision, counters);
    },
    turnedAway: (why) => counters.requests.inc({ operation: '', resource: '', decision: why }),
    callerRefused: (reason) => counters.refusedCallers.inc({ reason }),
    internalError: (where) => counters.internalErrors.inc({ where }),
    watchRestarted: (resource, reason) => counters.watchRestarts.inc({ resource, reason }),
    configurationRead: (inEffect, nowMs) => {
      counters.reloadSuccess.set(inEffect ? 1 : 0);
      if (inEffect) counters.reloadTime.set(nowMs / 1000);
    },
    selfChecked: (passed) => counters.selfCheck.set(passed ? 1 : 0),
    ...auditMetrics(registry, sources.openFindings ?? (() => []), sources.tellsNamespaces ?? false),
    scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

type Counters = ReturnType<typeof registerCounters>;

function registerCounters(registry: Registry) {
  const registers = [registry];
  return {
    requests: new Counter({
      name: 'portcullis_admission_requests_total',
      help: 'Admission reviews, by what was answered',
      labelNames: ['operation', 'resource', 'decision'],
      registers,
    }),
    refusedCallers: new Counter({
      name: 'portcullis_refused_callers_total',
      help: 'Connections and requests of those who may not call: a Pod, or a client without the right certificate',
      labelNames: ['reason'],
      registers,
    }),
    durations: new Histogram({
      name: 'portcullis_admission_duration_seconds',
      help: 'From the headers of a review to its answer',
      labelNames: ['operation', 'resource'],
      buckets: durationBuckets,
      registers,
    }),
    findings: new Counter({
      name: 'portcullis_rule_findings_total',
      help: 'What rules found, and what became of it',
      labelNames: ['rule', 'outcome', 'mode'],
      registers,
    }),
    internalErrors: new Counter({
      name: 'portcullis_internal_errors_total',
      help: 'Defects of Portcullis by the barrier that caught them, lines lost to a full log, certificates refused',
      labelNames: ['where'],
      registers,
    }),
    watchRestarts: new Counter({
      name: 'portcullis_watch_restarts_total',
      help: 'Watches that had to be started again',
      labelNames: ['resource', 'reason'],
      registers,
    }),
    selfCheck: new Gauge({
      name: 'portcullis_self_check_success',
      help: '1 if the latest self-check found what it had to find, and nothing else',
      registers,
    }),
    reloadSuccess: new Gauge({
      name: 'portcullis_config_reload_success',
      help: '1 if the configuration file, as it is now, is in effect',
      registers,
    }),
    reloadTime: new Gauge({
      name: 'portcullis_config_reload_timestamp_seconds',
      help: 'When a configuration last came into effect',
      registers,
    }),
  };
}

/** Gauges that are read off the state at each scrape. */
function registerState(registry: Registry, { version, snapshot, certificateEnds, leads = () => true }: MetricsSources): void {
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'portcullis_build_info', help: 'Constant 1', labelNames: ['version', 'node'], registers }).set(
    { version, node: process.versions.node },
    1,
  );
  const perCollection = (name: string, help: string, read: (view: ClusterSnapshot, collection: Collection) => number): void => {
    new Gauge({
      name: `portcullis_cache_${name}`,
      help,
      labelNames: ['resource'],
      registers,
      collect() {
        const view = snapshot();
        if (view !== undefined) for (const resource of listed) this.set({ resource }, read(view, resource));
      },
    });
  };
  perCollection('objects', 'Objects in the view of the cluster', (view, collection) => view.count(collection));
  perCollection('staleness_seconds', 'For how long the watch has been broken', (view, collection) => view.staleMs(collection) / 1000);
  perCollection('synced', '1 if all of the collection is known', (view, collection) =>
    view.coverage(collection, '*') === 'complete' ? 1 : 0,
  );
  new Gauge({
    name: 'portcullis_tls_not_after_seconds',
    help: 'When a certificate ends, in Unix time',
    labelNames: ['cert'],
    registers,
    collect() {
      for (const [cert, endMs] of certificateEnds()) this.set({ cert }, endMs / 1000);
    },
  });
  new Gauge({
    name: 'portcullis_leader',
    help: '1 if this replica does what only one may do',
    registers,
    collect() {
      this.set(leads() ? 1 : 0);
    },
  });
}

/** Looks a series up once, not at each review. */
function counting({ requests, durations }: Counters) {
  const series = new Map<string, (seconds: number) => void>();
  return (asked: Asked, decision: string, seconds: number): void => {
    const operation = operations.has(asked.operation) ? asked.operation : 'other';
    const resource = resources.get(asked.kind) ?? 'other';
    const key = `${operation} ${resource} ${decision}`;
    let add = series.get(key);
    if (add === undefined) {
      const counter = requests.labels({ operation, resource, decision });
      const histogram = durations.labels({ operation, resource });
      add = (value) => {
        counter.inc();
        histogram.observe(value);
      };
      series.set(key, add);
    }
    add(seconds);
  };
}

function decisionOf(handled: Exclude<Handled, { outcome: 'refused' }>): string {
  if (handled.outcome !== 'judged') return handled.outcome;
  if (!handled.decision.allowed) return 'deny';
  return handled.decision.warnings.length > 0 ? 'warn' : 'allow';
}

function countFindings({ denials, warnings, audited, exempted, skipped, faults }: Decision, { findings, internalErrors }: Counters): void {
  for (const { ruleId } of denials) findings.inc({ rule: ruleId, outcome: 'denied', mode: 'deny' });
  for (const { finding, softened } of warnings)
    findings.inc({ rule: finding.ruleId, outcome: softened ?? 'warned', mode: softened === undefined ? 'warn' : 'deny' });
  for (const { ruleId } of audited) findings.inc({ rule: ruleId, outcome: 'audited', mode: 'audit' });
  for (const { finding } of exempted) findings.inc({ rule: finding.ruleId, outcome: 'exempt', mode: '' });
  for (const { ruleId, reason } of skipped) findings.inc({ rule: ruleId, outcome: `skipped-${reason}`, mode: '' });
  for (const { ruleId } of faults) {
    findings.inc({ rule: ruleId, outcome: 'fault', mode: '' });
    internalErrors.inc({ where: 'rule' });
  }
}
