/**
 * What the audit remembers of one object: since when each finding has been, and so when it is due. What a later object can
 * repair is given time; a finding that was due once stays so until it is gone.
 */
import type { Fault, Skip } from '../engine/evaluate.ts';
import type { Finding, Severity } from '../engine/finding.ts';
import type { Surveyed } from '../engine/survey.ts';
import type { JudgedResource } from '../kube/resources.ts';
import type { Judgement, Verdict } from './verdict.ts';

export interface Entry {
  readonly object: JudgedResource;
  /** All findings, those that are not due yet too. */
  readonly findings: readonly Judgement[];
  /** Since when each has been, by fingerprint: epoch milliseconds. */
  readonly since: ReadonlyMap<string, number>;
  /** Entries of the configuration that exempt it from something. */
  readonly exemptedBy: readonly string[];
  readonly verdict: Verdict;
  /** The verdict as text, to tell whether another one says the same; empty if it says nothing. */
  readonly text: string;
  /** When the next finding is due, in epoch milliseconds. */
  readonly nextDueMs: number | undefined;
}

export interface Moment {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly graceMs: number;
  /** Whether what a rule misses may still be on its way. */
  readonly waits: (ruleId: string) => boolean;
}

export function entryOf(before: Entry | undefined, surveyed: Surveyed, { now, graceMs, waits }: Moment): Entry {
  const { object, exempted, faults, entries: exemptedBy } = surveyed;
  const findings = [...surveyed.findings, ...carriedOver(before, surveyed)];
  const began = beginning(before?.object, object, now);
  const since = new Map(findings.map(({ finding: { fingerprint } }) => [fingerprint, before?.since.get(fingerprint) ?? began]));
  const dueMs = ({ ruleId, fingerprint }: Finding): number => (since.get(fingerprint) ?? now) + (waits(ruleId) ? graceMs : 0);
  const later = findings.map(({ finding }) => dueMs(finding)).filter((at) => at > now);
  const [due, pending] = [true, false].map((isDue) => findings.filter(({ finding }) => dueMs(finding) <= now === isDue));
  const verdict = { object, findings: due as Judgement[], pending: pending as Judgement[], exempted, faults };
  const nextDueMs = later.length === 0 ? undefined : Math.min(...later);
  return { object, findings, since, exemptedBy, verdict, text: textOf(verdict), nextDueMs };
}

/**
 * When what is found now began: when the object was made or changed, by the API server's clock, so that a restart changes
 * nothing; if the object is as it was, something else has changed, and was seen just now.
 */
function beginning(before: JudgedResource | undefined, { metadata: { uid, changedMs } }: JudgedResource, now: number): number {
  const isSame = before !== undefined && before.metadata.uid === uid && before.metadata.changedMs === changedMs;
  return isSame ? now : Math.min(changedMs ?? now, now);
}

/** The answer may be had again, whereas what may not be read is not known any more. */
const passing: ReadonlySet<Skip['reason']> = new Set(['unsynced', 'unanswered', 'deadline']);

/** What a rule found before stands as long as it cannot be judged anew: not known is not repaired. */
function carriedOver(before: Entry | undefined, { object, skipped, faults, findings }: Surveyed): readonly Judgement[] {
  if (before === undefined || before.object.metadata.uid !== object.metadata.uid) return [];
  const unjudged = new Set([...skipped.filter(({ reason }) => passing.has(reason)), ...faults].map(({ ruleId }) => ruleId));
  const found = new Set(findings.map(({ finding }) => finding.fingerprint));
  return before.findings.filter(({ finding }) => unjudged.has(finding.ruleId) && !found.has(finding.fingerprint));
}

function textOf({ findings, pending, exempted, faults }: Verdict): string {
  if (findings.length + pending.length + exempted.length + faults.length === 0) return '';
  const said = ({ fingerprint, what, why, fix }: Finding): readonly string[] => [fingerprint, what, why, fix.text];
  return JSON.stringify([
    findings.map(({ finding, mode }) => [mode, ...said(finding)]),
    exempted.map(({ finding, reason }) => [reason, ...said(finding)]),
    faults.map(({ ruleId, cause }: Fault) => [ruleId, String(cause)]),
    pending.map(({ finding }) => finding.fingerprint),
  ]);
}

/** Of an object that is gone, or was put right. */
export const nothingWrong = (object: JudgedResource): Verdict => ({ object, findings: [], pending: [], exempted: [], faults: [] });

/** How many findings are due, by rule, severity and namespace. */
export function* openFindings(entries: Iterable<Entry>): Generator<readonly [string, Severity, number, string]> {
  const counts = new Map<string, number>();
  for (const { object, verdict } of entries)
    for (const { finding } of verdict.findings) {
      const key = `${finding.ruleId}/${finding.severity}/${object.metadata.namespace}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  for (const [key, count] of counts) {
    const [ruleId, severity, namespace] = key.split('/') as [string, Severity, string];
    yield [ruleId, severity, count, namespace];
  }
}
