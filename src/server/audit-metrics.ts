/** What is counted of the continuous audit. */
import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import { byNamespace, byRule, type OpenFindings } from './open-findings.ts';

export interface AuditMetrics {
  /** Everything stored was judged once more, in so much working time, in milliseconds. */
  audited(workMs: number, nowMs: number): void;
  /** A report or an Event was written, or could not be. */
  written(what: 'report' | 'event', result: string): void;
  /** Whether there are more objects with findings than reports may be. */
  reportsCapped(capped: boolean): void;
}

/** What can come of a write: sinks/write-queue.ts. */
const results = ['written', 'deleted', 'retried', 'refused'] as const;

export function auditMetrics(registry: Registry, openFindings: OpenFindings, tellsNamespaces: boolean): AuditMetrics {
  const registers = [registry];
  const work = new Gauge({
    name: 'portcullis_audit_work_seconds',
    help: 'Working time of the last audit of everything, pauses left out',
    registers,
  });
  const time = new Gauge({
    name: 'portcullis_audit_timestamp_seconds',
    help: 'When everything was last audited; 0 of who has not led',
    registers,
  });
  const capped = new Gauge({
    name: 'portcullis_reports_capped',
    help: '1 if there are more objects with findings than may have a report',
    registers,
  });
  const written = { report: writes('report', registers), event: writes('event', registers) };
  registerFindings(registry, openFindings, tellsNamespaces);
  return {
    audited: (workMs, nowMs) => {
      work.set(workMs / 1000);
      time.set(nowMs / 1000);
    },
    written: (what, result) => written[what].inc({ result }),
    reportsCapped: (isCapped) => capped.set(isCapped ? 1 : 0),
  };
}

/** Each result begins at 0, so that a rate sees the first. */
function writes(what: string, registers: Registry[]): Counter<'result'> {
  const counter = new Counter({
    name: `portcullis_${what}_writes_total`,
    help: `Writes of ${what}s, by what came of them`,
    labelNames: ['result'],
    registers,
  });
  for (const result of results) counter.inc({ result }, 0);
  return counter;
}

/** Only what stands is told: what is repaired has no series of 0, which would stay for ever. */
function registerFindings(registry: Registry, openFindings: OpenFindings, tellsNamespaces: boolean): void {
  new Gauge({
    name: 'portcullis_open_findings',
    help: 'Findings that stand and are due, as the leader audits them',
    labelNames: ['rule', 'severity', ...(tellsNamespaces ? ['namespace'] : [])],
    registers: [registry],
    collect() {
      this.reset();
      const series = (tellsNamespaces ? byNamespace : byRule)(openFindings());
      for (const { labels, count } of series) this.set(labels, count);
    },
  });
}
