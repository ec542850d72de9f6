import { jsonPointer } from '../engine/patch.ts';
import { printableJson } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import { withEscapedCommands } from './build-commands.ts';
import { bySeverity, faultText, type Report, type ReportedFinding, skipText } from './report.ts';

/** Version 1 of the machine-readable report: keys are only added, never renamed. */
export function jsonReport(report: Report): string {
  const { findings, skipped, exempted, faults, errors, notices, objects, files } = report;
  const left = [
    ...skipped.map(({ skip, object }) => ({
      rule: skip.ruleId,
      reason: skip.reason,
      object,
      ...(skip.missing === undefined ? {} : { missing: skip.missing, namespace: skip.namespace }),
      message: skipText(skip),
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
    summary: { objects, files, findings: findings.length, bySeverity: bySeverity(findings), skipped: left.length },
    findings: findings.map(findingOf),
    skipped: left,
    faults: faults.map(({ fault, object }) => ({ rule: fault.ruleId, object, message: faultText(fault) })),
    errors,
    notices,
  };
  return `${withEscapedCommands(printableJson(JSON.stringify(envelope, null, 2)))}\n`;
}

function findingOf({ finding, mode, place }: ReportedFinding) {
  const { patch, manifest, text } = finding.fix;
  return {
    rule: finding.ruleId,
    severity: finding.severity,
    mode,
    object: finding.subject,
    path: formatPath(finding.path),
    ...place,
    what: finding.what,
    why: finding.why,
    fix: text,
    related: finding.related,
    message: finding.messageId,
    fingerprint: finding.fingerprint,
    ...(patch === undefined ? {} : { patch: patch.map((operation) => ({ ...operation, path: jsonPointer(operation.path) })) }),
    ...(manifest === undefined ? {} : { manifest }),
  };
}
