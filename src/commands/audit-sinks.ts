/** Where the verdicts of the audit go: reports and Events, as the flags of `serve` have it. */
import type { AuditSink } from '../audit/verdict.ts';
import { type Clock, systemClock } from '../client/clock.ts';
import type { KubeClient, KubeError } from '../client/kube-client.ts';
import type { Configuration } from '../config/settings.ts';
import type { Severity } from '../engine/finding.ts';
import type { Log } from '../server/log.ts';
import type { ReportChoice } from '../sinks/report-choice.ts';
import { auditSinks } from '../sinks/sinks.ts';
import type { WriteResult } from '../sinks/write-queue.ts';
import { reasonOf } from './reason.ts';

/** The flags that concern what the audit tells the cluster. */
export interface AuditSinkFlags {
  /** Which report API is written to: of those that are served the newest, if left out; none, without a Lease. */
  readonly reports?: ReportChoice;
  /** How many reports there may be; 20,000, if left out. */
  readonly reportLimit?: number;
  /** Results of one report, beside the one that counts the rest; 50, if left out. */
  readonly resultsPerObject?: number;
  /** Whether Events are written: if left out, they are; not without a Lease. */
  readonly events?: boolean;
  /** The mildest finding of which an Event tells; `medium`, if left out. */
  readonly eventsSeverity?: Severity;
}

export const auditSinkDefaults = {
  reports: 'auto',
  reportLimit: 20_000,
  resultsPerObject: 50,
  events: true,
  eventsSeverity: 'medium',
} as const satisfies AuditSinkFlags;

/**
 * Without a Lease nobody knows who else writes: a process that somebody has started beside an installation would overwrite what
 * its leader says, and be overwritten. So nothing is written, unless a flag asks for it.
 */
const aloneDefaults = { ...auditSinkDefaults, reports: 'off', events: false } as const satisfies AuditSinkFlags;

export interface AuditSinkOptions {
  readonly client: Pick<KubeClient, 'get' | 'send'>;
  readonly log: Log;
  readonly options: AuditSinkFlags & { readonly lease?: string };
  readonly configuration: () => Pick<Configuration, 'docsBaseUrl' | 'privacy'>;
  /** Which replica this is, as in the Lease. */
  readonly identity: string;
  /** Whether this process leads at this moment; always, if left out. */
  readonly leads?: () => boolean;
  /** What became of a write. */
  readonly onWrite?: (result: WriteResult, what: 'report' | 'event') => void;
  /** Whether objects have no report since there are as many as there may be: told at each change, and at times between. */
  readonly onCapped?: (isCapped: boolean) => void;
  readonly clock?: Clock;
}

/** API Priority and Fairness gives ServiceAccounts of add-ons a share of the API server: this is a small one. */
const writesPerSecond = 20;

/** Does nothing until a term begins. */
export function createSinks(given: AuditSinkOptions): AuditSink {
  const { client, log, options, configuration, identity, leads = () => true, onWrite, onCapped, clock } = given;
  const flags = { ...(options.lease === undefined ? aloneDefaults : auditSinkDefaults), ...options };
  return auditSinks({
    client,
    clock: clock ?? systemClock,
    choice: flags.reports,
    limit: flags.reportLimit,
    maxResults: flags.resultsPerObject,
    writesPerSecond,
    events: flags.events ? { minSeverity: flags.eventsSeverity } : undefined,
    identity,
    docsOf: (ruleId) => docsOf(ruleId, configuration().docsBaseUrl),
    tellsOfOthers: () => configuration().privacy === 'open',
    leads,
    onApis: apiLog(log, options, flags),
    onWrite: (result, what) => onWrite?.(result, what),
    onCapped: capLog(log, flags.reportLimit, onCapped),
    onRefused: refusalLog(log),
    onProblem: (err) => log.warn(reasonOf(err), 'reports and Events cannot be written at present: tried again until it works'),
  });
}

const docsOf = (ruleId: string, base: string): string => (base === '' ? `portcullis explain ${ruleId}` : `${base}/${ruleId}`);

/** What a term writes, when it begins; then whenever an API was installed or removed. */
function apiLog(
  log: Log,
  given: AuditSinkOptions['options'],
  { reports: choice, events }: Pick<Required<AuditSinkFlags>, 'reports' | 'events'>,
): (now: readonly string[], before: readonly string[] | undefined) => void {
  const { lease } = given;
  const off = (flag: unknown): string => (lease === undefined && flag === undefined ? 'off (no --lease)' : 'off');
  const none = choice === 'off' ? off(given.reports) : 'none served';
  return (now, before) => {
    const reports = now.join(', ') || none;
    if (before !== undefined)
      return log.info({ reports, before: before.join(', ') || none }, 'the API that reports are written to has changed');
    const leads = lease === undefined ? 'without a Lease' : `by the Lease ${lease}`;
    log.info({ reports, events: events ? 'on' : off(given.events), leads }, 'this process audits');
  };
}

function capLog(log: Log, limit: number, onCapped: AuditSinkOptions['onCapped']): (isCapped: boolean) => void {
  let was = false;
  return (isCapped) => {
    if (isCapped && !was) log.warn({ limit }, 'there are as many reports as there may be: more objects with findings have none');
    if (!isCapped && was) log.info({ limit }, 'every object with findings has a report again');
    was = isCapped;
    onCapped?.(isCapped);
  };
}

/** Each kind of refusal once: what holds for one object, holds for thousands. */
function refusalLog(log: Log): (error: KubeError) => void {
  const told = new Set<number>();
  return (err) => {
    if (told.has(err.status)) return log.debug(reasonOf(err), 'a report or Event is refused');
    told.add(err.status);
    log.warn(reasonOf(err), 'a report or Event is refused; more refusals of this kind are only counted');
  };
}
