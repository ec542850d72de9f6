/** What has changed since an earlier report. */
import { formatRef } from '../kube/resources.ts';
import type { FixedFinding, Report } from './report.ts';

/** A finding as an earlier report told of it. */
export type BaselineFinding = FixedFinding;

/**
 * The report with each finding marked introduced or unchanged, and with what was fixed. Compared by fingerprint, each as
 * often as it is there. What was not looked at is not known to be fixed: the object was judged and the rule ran to its
 * end, or `isGone` says that the object does not exist any more.
 */
export function comparedWith(report: Report, earlier: readonly BaselineFinding[], isGone: (earlier: BaselineFinding) => boolean): Report {
  const left = Map.groupBy(earlier, ({ fingerprint }) => fingerprint);
  const wasThere = (fingerprint: string): boolean => left.get(fingerprint)?.shift() !== undefined;
  const findings = report.findings.map((one) => {
    const state = wasThere(one.finding.fingerprint) ? 'unchanged' : 'introduced';
    return { ...one, state } as const;
  });
  for (const { finding } of report.exempted) wasThere(finding.fingerprint);
  const rest = [...left.values()].flat();
  const isSettled = settlement(report, isGone);
  const fixed = rest.filter(isSettled);
  return { ...report, findings, fixed, notCompared: rest.length - fixed.length };
}

function settlement({ judged, skipped, faults }: Report, isGone: (earlier: BaselineFinding) => boolean) {
  const rulesOf = new Map(judged.map(({ object, rules }) => [formatRef(object), rules]));
  const key = (object: string, ruleId: string): string => JSON.stringify([object, ruleId]);
  const unsure = new Set([
    ...skipped.map(({ skip, object }) => key(formatRef(object), skip.ruleId)),
    ...faults.map(({ fault, object }) => key(formatRef(object), fault.ruleId)),
  ]);
  return (earlier: BaselineFinding): boolean => {
    const ref = formatRef(earlier.subject);
    const rules = rulesOf.get(ref);
    return rules === undefined ? isGone(earlier) : rules.includes(earlier.ruleId) && !unsure.has(key(ref, earlier.ruleId));
  };
}
