/** For a person at a terminal: what to repair first, where it stands, and what was left out. */
import { type PatchOperation, severities } from '../engine/finding.ts';
import { display } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import type { ObjectRef } from '../kube/resources.ts';
import { editLines, patchCommand } from './repair-text.ts';
import { faultText, type Paint, type Report, type ReportedError, type ReportedFinding, type ReportOptions } from './report.ts';
import { skipGroups } from './skip-text.ts';
import { counted, errorsTitle, gravestFirst, heading, isKnown, nameOf, objectsText, summaryLine, verdictOf } from './summary.ts';

const plain: Paint = (_, text) => text;

export function textReport(report: Report, { paint = plain }: ReportOptions = {}): string {
  const blocks = [
    heading(report),
    ...inGroups(report.findings.filter((one) => !isKnown(one))).map(([title, findings]) =>
      [paint('bold', display(title)), findings.map((one) => findingText(one, paint)).join('\n\n')].join('\n'),
    ),
    section('Unchanged since the baseline', knownLines(report), paint),
    section('Fixed since the baseline', fixedLines(report), paint),
    section(errorsTitle(report.errors), errorLines(report.errors, paint), paint),
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

/** Files in the order of their names, findings in the order of their places; of a cluster, namespaces, gravest first. */
function inGroups(findings: readonly ReportedFinding[]): readonly (readonly [string, readonly ReportedFinding[]])[] {
  const groups = Map.groupBy(findings, ({ place, finding }) => place?.file ?? namespaceTitle(finding.subject));
  const placed = (a: ReportedFinding, b: ReportedFinding): number =>
    (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0);
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([title, found]) => [title, gravestFirst(found).toSorted(placed)]);
}

const namespaceTitle = ({ namespace }: ObjectRef): string => (namespace === '' ? 'Without a namespace' : `Namespace ${namespace}`);

/** Nobody has to read again what was there before: -o json tells of each. */
const knownLines = ({ findings }: Report): readonly string[] =>
  [...Map.groupBy(findings.filter(isKnown), ({ finding }) => finding.ruleId)].map(
    ([id, { length }]) => `  ${display(id)}  ${counted(length, 'finding')}`,
  );

const fixedLines = ({ fixed = [] }: Report): readonly string[] =>
  fixed.map(({ ruleId, subject, what }) => `  ${display(ruleId)}  ${nameOf(subject)}: ${display(what)}`);

function findingText(one: ReportedFinding, paint: Paint): string {
  const { finding, mode, place } = one;
  const { what, why, fix, subject, path, ruleId } = finding;
  const level = mode === 'audit' ? `note (${finding.severity})` : finding.severity;
  const style = mode === 'audit' ? 'cyan' : severities.indexOf(finding.severity) <= 1 ? 'red' : 'yellow';
  return [
    `  ${place === undefined ? '' : `${place.line}:${place.column}  `}${paint(style, level)}  ${nameOf(subject)}`,
    `    ${display(formatPath(path))}: ${display(what)}.`,
    `    why: ${display(why)}`,
    `    fix: ${display(fix.text)}`,
    ...(fix.manifest === undefined ? [] : [`    apply: ${display(flowYaml(fix.manifest))}`]),
    ...(fix.patch === undefined ? [] : repairLines(subject, fix.patch, place !== undefined)),
    `    ${paint('dim', `${display(ruleId)} (${verdictOf(one)})`)}`,
  ].join('\n');
}

/** Longer ones nobody reads at a terminal; -o html and -o json have them. */
const maxCommand = 400;
const maxEdits = 3;

function repairLines(subject: ObjectRef, patch: readonly PatchOperation[], isFile: boolean): readonly string[] {
  if (!isFile) {
    const command = patchCommand(subject, patch);
    return command.length > maxCommand ? [] : [`    run: ${command}`];
  }
  const edits = editLines(patch);
  const more = edits.length > maxEdits ? [`    and ${edits.length - maxEdits} more, which -o json lists`] : [];
  return [...edits.slice(0, maxEdits).map((edit) => `    edit: ${edit}`), ...more];
}

/** A hint is not said again for the next one. */
const errorLines = (errors: readonly ReportedError[], paint: Paint): readonly string[] =>
  errors.map(({ file, line, column, message, hint }, index) => {
    const place = line === undefined ? file : `${file}:${line}:${column}`;
    const first = `  ${display(place)}: ${paint('red', display(message))}`;
    return errors[index + 1]?.hint === hint ? first : `${first}\n    ${display(hint)}`;
  });

/** What several rules lack is said once. */
const skipLines = (report: Report): readonly string[] =>
  [...Map.groupBy(skipGroups(report), ({ why }) => why)].flatMap(([why, groups]) => {
    const lines = groups.map(({ ruleId, objects }) => `${display(ruleId)}  for ${objectsText(objects)}`);
    return lines.length === 1 ? [`  ${lines.join('')}: ${display(why)}`] : [`  ${display(why)}:`, ...lines.map((line) => `    ${line}`)];
  });

const faultLines = ({ faults }: Report): readonly string[] =>
  faults.map(({ fault, object }) => `  ${display(fault.ruleId)}  ${nameOf(object)}: ${display(faultText(fault), 200)}`);
