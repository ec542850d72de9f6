import { jsonPointer } from '../engine/patch.ts';
import { printableJson } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import { withEscapedCommands } from './build-commands.ts';
import { shortDigest } from './digest.ts';
import { bySeverity, type FixedFinding, faultText, type Report, type ReportedFinding } from './report.ts';
import { skipText, surfaceOf } from './skip-text.ts';
import { isKnown } from './summary.ts';

/** Version 1 of the machine-readable report: keys are only added, never renamed. */
export function jsonReport(report: Report): string {
  const { findings, skipped, exempted, faults, errors, notices, objects, files, cluster, observedAt, fixed } = report;
  const left = [
    ...skipped.map(({ skip, object }) => ({
      rule: skip.ruleId,
      reason: skip.reason,
      object,
      ...(skip.missing === undefined ? {} : { missing: skip.missing, namespace: skip.namespace }),
      ...(skip.resources === undefined ? {} : { resources: skip.resources }),
      ...(skip.untilMs === undefined ? {} : { until: new Date(skip.untilMs).toISOString() }),
      message: skipText(skip, surfaceOf(report)),
    })),
    ...exempted.map(({ finding, reason }) => ({
      rule: finding.ruleId,
      reason: 'exempt',
      object: finding.subject,
      path: formatPath(finding.path),
      message: reason,
    })),
  ];
  const envelope = {
    version: 1,
    ...(cluster === undefined ? {} : { cluster }),
    ...(observedAt === undefined ? {} : { observedAt: new Date(observedAt).toISOString() }),
    summary: { objects, files, findings: findings.length, bySeverity: bySeverity(findings), skipped: left.length, ...comparison(report) },
    findings: findings.map(findingOf),
    skipped: left,
    faults: faults.map(({ fault, object }) => ({ rule: fault.ruleId, object, message: faultText(fault) })),
    errors,
    notices,
    ...(fixed === undefined ? {} : { fixed: fixed.map(fixedOf) }),
  };
  return writtenJson(envelope);
}

/** JSON that a terminal can be shown and that gives no orders to a build, and in which nothing is lost. */
export const writtenJson = (value: unknown): string => `${withEscapedCommands(printableJson(JSON.stringify(value, null, 2)))}\n`;

/** Against the baseline, where there is one. */
function comparison({ findings, fixed, notCompared = 0 }: Report) {
  if (fixed === undefined) return {};
  const unchanged = findings.filter(isKnown).length;
  return { introduced: findings.length - unchanged, unchanged, fixed: fixed.length, notCompared };
}

const fixedOf = ({ ruleId, subject, ...others }: FixedFinding) => ({
  rule: ruleId,
  object: subject,
  ...others,
  id: shortDigest(others.fingerprint),
});

function findingOf({ finding, mode, place, state, softened }: ReportedFinding) {
  const { patch, manifest, text } = finding.fix;
  return {
    rule: finding.ruleId,
    severity: finding.severity,
    mode,
    ...(softened === undefined ? {} : { softened }),
    ...(state === undefined ? {} : { state }),
    object: finding.subject,
    path: formatPath(finding.path),
    ...place,
    what: finding.what,
    why: finding.why,
    fix: text,
    related: finding.related,
    message: finding.messageId,
    fingerprint: finding.fingerprint,
    id: shortDigest(finding.fingerprint),
    ...(patch === undefined ? {} : { patch: patch.map((operation) => ({ ...operation, path: jsonPointer(operation.path) })) }),
    ...(manifest === undefined ? {} : { manifest }),
  };
}
