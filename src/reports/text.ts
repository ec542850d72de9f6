/** For a person at a terminal: what to repair first, where it stands, and what was left out. */
import { severities } from '../engine/finding.ts';
import { display, shorten } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import { formatRef, type ObjectRef } from '../kube/resources.ts';
import {
  bySeverity,
  faultText,
  type Paint,
  type Report,
  type ReportedError,
  type ReportedFinding,
  type ReportOptions,
  skipText,
} from './report.ts';

const plain: Paint = (_, text) => text;

export function textReport(report: Report, { paint = plain }: ReportOptions = {}): string {
  const blocks = [
    ...byFile(report.findings).map(([file, findings]) =>
      [paint('bold', display(file)), findings.map((one) => findingText(one, paint)).join('\n\n')].join('\n'),
    ),
    section('Cannot be used', errorLines(report.errors, paint), paint),
    section('Not checked', skipLines(report), paint),
    section(
      'Exempt',
      report.exempted.map(({ finding, reason }) => `  ${display(finding.ruleId)}  ${nameOf(finding.subject)}: ${display(reason)}`),
      paint,
    ),
    section('Rules that failed (a defect of Portcullis, please report it)', faultLines(report), paint),
    section(
      'Notices',
      report.notices.map((notice) => `  ${display(notice)}`),
      paint,
    ),
    summaryLine(report),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

const section = (title: string, lines: readonly string[], paint: Paint): string =>
  lines.length === 0 ? '' : [paint('bold', title), ...lines].join('\n');

/** Files in the order of their names, findings in the order of their places. */
function byFile(findings: readonly ReportedFinding[]): readonly (readonly [string, readonly ReportedFinding[]])[] {
  const files = Map.groupBy(findings, ({ place, finding }) => place?.file ?? finding.subject.namespace);
  const placed = (a: ReportedFinding, b: ReportedFinding): number =>
    (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0);
  return [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([file, found]) => [file, found.toSorted(placed)]);
}

const nameOf = (ref: ObjectRef): string => display(formatRef({ ...ref, name: shorten(ref.name), namespace: shorten(ref.namespace) }));

function findingText({ finding, mode, place }: ReportedFinding, paint: Paint): string {
  const { what, why, fix, subject, path, ruleId } = finding;
  const level = mode === 'audit' ? `note (${finding.severity})` : finding.severity;
  const style = mode === 'audit' ? 'cyan' : severities.indexOf(finding.severity) <= 1 ? 'red' : 'yellow';
  const verdict = mode === 'deny' ? 'denied on apply' : mode === 'warn' ? 'warned on apply' : 'noted in audits';
  return [
    `  ${place === undefined ? '' : `${place.line}:${place.column}  `}${paint(style, level)}  ${nameOf(subject)}`,
    `    ${display(formatPath(path))}: ${display(what)}.`,
    `    why: ${display(why)}`,
    `    fix: ${display(fix.text)}`,
    ...(fix.manifest === undefined ? [] : [`    apply: ${display(flowYaml(fix.manifest))}`]),
    `    ${paint('dim', `${display(ruleId)} (${verdict})`)}`,
  ].join('\n');
}

/** A hint is not said again for the next one. */
const errorLines = (errors: readonly ReportedError[], paint: Paint): readonly string[] =>
  errors.map(({ file, line, column, message, hint }, index) => {
    const place = line === undefined ? file : `${file}:${line}:${column}`;
    const first = `  ${display(place)}: ${paint('red', display(message))}`;
    return errors[index + 1]?.hint === hint ? first : `${first}\n    ${display(hint)}`;
  });

/** One line for each rule and reason, not one for each object. */
function skipLines({ skipped }: Report): readonly string[] {
  const groups = Map.groupBy(skipped, ({ skip }) => JSON.stringify([skip.ruleId, skipText(skip)]));
  return [...groups.values()].map((group) => {
    const [{ skip, object }] = group as [(typeof group)[number]];
    const objects = group.length === 1 ? nameOf(object) : `${group.length} objects`;
    return `  ${display(skip.ruleId)}  for ${objects}: ${display(skipText(skip))}`;
  });
}

const faultLines = ({ faults }: Report): readonly string[] =>
  faults.map(({ fault, object }) => `  ${display(fault.ruleId)}  ${nameOf(object)}: ${display(faultText(fault), 200)}`);

/** `2 findings (1 high, 1 medium), 1 note in 5 objects of 3 files; 1 error; 2 checks not made`. */
function summaryLine({ findings, objects, files, errors, skipped, faults, exempted }: Report): string {
  const notes = findings.filter(({ mode }) => mode === 'audit');
  const counts = Object.entries(bySeverity(findings.filter(({ mode }) => mode !== 'audit'))).filter(([, count]) => count > 0);
  const total = findings.length - notes.length;
  const grave = counts.length === 0 ? '' : ` (${counts.map(([severity, count]) => `${count} ${severity}`).join(', ')})`;
  const beside = notes.length === 0 ? '' : `, ${counted(notes.length, 'note')}`;
  return [
    `${total === 0 ? 'No findings' : counted(total, 'finding')}${grave}${beside} in ${counted(objects, 'object')} of ${counted(files, 'file')}`,
    ...(errors.length === 0 ? [] : [`${counted(errors.length, 'error')} in the input`]),
    ...(skipped.length === 0 ? [] : [`${counted(skipped.length, 'check')} not made`]),
    ...(exempted.length === 0 ? [] : [`${exempted.length} exempt`]),
    ...(faults.length === 0 ? [] : [`${counted(faults.length, 'rule')} failed`]),
  ].join('; ');
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
