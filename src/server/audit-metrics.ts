/** What is counted of the continuous audit. */
import { Counter, Gauge, type Registry } from '@prometheus-io/client';

/** What the audit finds wrong now, by rule and severity; nothing of who does not lead. */
export type OpenFindings = () => Iterable<readonly [ruleId: string, severity: string, count: number]>;

export interface AuditMetrics {
  /** Everything stored was judged once more, in so much working time, in milliseconds. */
  audited(workMs: number, nowMs: number): void;
  /** A report or an Event was written, or could not be. */
  written(what: 'report' | 'event', result: string): void;
  /** Whether there are more objects with findings than reports may be. */
  reportsCapped(capped: boolean): void;
}

export function auditMetrics(registry: Registry, openFindings: OpenFindings = () => []): AuditMetrics {
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
  const writes = (what: string) =>
    new Counter({
      name: `portcullis_${what}_writes_total`,
      help: `Writes of ${what}s, by what came of them`,
      labelNames: ['result'],
      registers,
    });
  const written = { report: writes('report'), event: writes('event') };
  registerFindings(registry, openFindings);
  return {
    audited: (workMs, nowMs) => {
      work.set(workMs / 1000);
      time.set(nowMs / 1000);
    },
    written: (what, result) => written[what].inc({ result }),
    reportsCapped: (isCapped) => capped.set(isCapped ? 1 : 0),
  };
}

/** Only what stands is told: what is repaired has no series of 0, which would stay for ever. */
function registerFindings(registry: Registry, openFindings: OpenFindings): void {
  new Gauge({
    name: 'portcullis_open_findings',
    help: 'Findings that stand and are due, as the leader audits them',
    labelNames: ['rule', 'severity'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [rule, severity, count] of openFindings()) this.set({ rule, severity }, count);
    },
  });
}
