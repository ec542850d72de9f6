/** GitLab's code quality: a list in the form of Code Climate, which the merge request shows beside the lines. */
import type { Severity } from '../engine/finding.ts';
import { display } from '../kube/display.ts';
import type { ObjectRef } from '../kube/resources.ts';
import { relativePath } from './file-path.ts';
import { fingerprints } from './fingerprint.ts';
import { writtenJson } from './json.ts';
import type { Report, ReportedError, ReportedFinding, ReportOptions } from './report.ts';
import { errorsTitle, gravestFirst, isNote, nameOf } from './summary.ts';

const severityOf: Readonly<Record<Severity, string>> = {
  critical: 'blocker',
  high: 'critical',
  medium: 'major',
  low: 'minor',
  info: 'info',
};

/**
 * All findings, also those that a baseline knows: GitLab itself compares with the report of the target branch, by
 * fingerprint, and calls fixed what is not there.
 */
export function gitlabReport({ findings, errors }: Report, { root }: ReportOptions): string {
  const unique = fingerprints();
  const named = (fingerprint: string): string => {
    const { hash, nth } = unique(fingerprint);
    return nth === 1 ? hash : `${hash}-${nth}`;
  };
  const issues = [
    ...errors.map((error) => errorIssue(error, root, named)),
    ...gravestFirst(findings).map((one) => findingIssue(one, root, named)),
  ];
  return writtenJson(issues);
}

type Named = (fingerprint: string) => string;

function errorIssue({ file, line, message, hint, gap }: ReportedError, root: string | undefined, named: Named) {
  const path = relativePath(file, root);
  return {
    description: display(`${errorsTitle([{ gap }])}: ${message}. ${hint}`),
    check_name: 'input',
    fingerprint: named(JSON.stringify(['input', path, message])),
    severity: 'blocker',
    location: { path, lines: { begin: line ?? 1 } },
  };
}

function findingIssue(one: ReportedFinding, root: string | undefined, named: Named) {
  const { finding, place } = one;
  const { ruleId, what, fix, fingerprint, severity, subject } = finding;
  return {
    description: display(`${nameOf(subject)}: ${what}. Fix: ${fix.text}`),
    check_name: ruleId,
    fingerprint: named(fingerprint),
    severity: isNote(one) ? 'info' : severityOf[severity],
    location: {
      path: place === undefined ? clusterPath(subject) : relativePath(place.file, root),
      lines: { begin: place?.line ?? 1 },
    },
  };
}

/** GitLab wants a file: for what was read from a cluster, one that says which object it is. */
const clusterPath = ({ kind, namespace, name }: ObjectRef): string =>
  ['cluster', ...(namespace === '' ? [] : [namespace]), kind, name].join('/');
