/** For the comment on a change, and for the summary of a build: what is wrong first, everything else folded. */
import { severities } from '../engine/finding.ts';
import { display } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import { block, code, escaped } from './markdown-text.ts';
import { faultText, type Report, type ReportedFinding, type ReportOptions } from './report.ts';
import { skipGroups } from './skip-text.ts';
import { counted, errorsTitle, gravestFirst, heading, isKnown, isNote, nameOf, objectsText, summaryLine, verdictOf } from './summary.ts';

/** What a comment of GitHub may hold is 65,536 characters. */
const commentBytes = 60_000;

/** A piece of the report that is there as a whole, or not at all. */
interface Part {
  readonly text: string;
  /** How many findings it tells of. */
  readonly findings: number;
}

export function markdownReport(report: Report, { maxBytes = commentBytes, docsBaseUrl = '' }: ReportOptions = {}): string {
  const findings = gravestFirst(report.findings).filter((one) => !isKnown(one));
  const told = (one: ReportedFinding): Part => ({ text: findingText(one, docsBaseUrl), findings: 1 });
  const rest = (text: string): Part => ({ text, findings: 0 });
  return fitting(
    [
      rest(['## Portcullis', escaped(heading(report)), escaped(summaryLine(report))].filter((line) => line !== '').join('\n\n')),
      rest(ruleTable(findings)),
      rest(errorsText(report)),
      ...findings.filter((one) => !isNote(one)).map(told),
      ...notesText(findings.filter(isNote), docsBaseUrl),
      ...foldedSections(report).map(rest),
    ].filter(({ text }) => text !== ''),
    maxBytes,
  );
}

/** For the line that says what is missing. */
const reserved = 300;

/** As much of the parts, in their order, as there is room for. */
function fitting(parts: readonly Part[], maxBytes: number): string {
  if (maxBytes < 2 * reserved) return '';
  const encoder = new TextEncoder();
  let room = maxBytes - reserved;
  const kept = parts.findIndex(({ text }) => {
    room -= encoder.encode(text).length + 2;
    return room < 0;
  });
  if (kept === -1) return `${parts.map(({ text }) => text).join('\n\n')}\n`;
  const lost = parts.slice(kept).reduce((sum, part) => sum + part.findings, 0);
  const missing = lost === 0 ? 'the rest' : `the rest, ${counted(lost, 'finding')} among it`;
  return `${[...parts.slice(0, kept).map(({ text }) => text), `*There is no room here for ${missing}: \`-o text\` lists all.*`].join('\n\n')}\n`;
}

/** One row for each rule, the one with the gravest finding first. */
function ruleTable(findings: readonly ReportedFinding[]): string {
  if (findings.length === 0) return '';
  const columns = severities.filter((severity) => findings.some(({ finding }) => finding.severity === severity));
  const byRule = Map.groupBy(gravestFirst(findings), ({ finding }) => finding.ruleId);
  const rows = [...byRule].map(([ruleId, group]) => {
    const counts = columns.map((severity) => group.filter(({ finding }) => finding.severity === severity).length || '');
    return `| ${code(ruleId).replaceAll('|', '\\|')} | ${counts.join(' | ')} |`;
  });
  return [`| rule | ${columns.join(' | ')} |`, `| --- |${columns.map(() => ' ---: |').join('')}`, ...rows].join('\n');
}

function findingText(one: ReportedFinding, docsBaseUrl: string): string {
  const { finding, place } = one;
  const { what, why, fix, subject, path, ruleId, severity } = finding;
  const where = place === undefined ? '' : ` in ${code(`${place.file}:${place.line}:${place.column}`)}`;
  const rule = docsBaseUrl === '' ? code(ruleId) : `[${code(ruleId)}](<${docsBaseUrl}/${encodeURIComponent(ruleId)}>)`;
  return [
    `**${isNote(one) ? `note (${severity})` : severity}** ${code(nameOf(subject))}${where}`,
    `${code(formatPath(path))}: ${escaped(what)}.`,
    `**Fix:** ${escaped(fix.text)}`,
    block('Why, and the rule', [
      `${escaped(why)} Rule: ${rule} (${verdictOf(one)}).`,
      ...(fix.manifest === undefined ? [] : [`Apply: ${code(flowYaml(fix.manifest))}`]),
    ]),
  ].join('\n\n');
}

/** In one fold, unless they are too many for it to be read. */
function notesText(notes: readonly ReportedFinding[], docsBaseUrl: string): readonly Part[] {
  if (notes.length === 0) return [];
  const shown = notes.slice(0, 50);
  const more = notes.length === shown.length ? [] : [`${notes.length - shown.length} more.`];
  const text = block(counted(notes.length, 'note'), [...shown.map((one) => findingText(one, docsBaseUrl)), ...more]);
  return [{ text, findings: notes.length }];
}

/** A hint is not said again for the next one. */
function errorsText({ errors }: Report): string {
  const lines = errors.map(({ file, line, column, message, hint }, index) => {
    const place = line === undefined ? file : `${file}:${line}:${column}`;
    return `- ${code(place)}: ${escaped(message)}${errors[index + 1]?.hint === hint ? '' : `. ${escaped(hint)}`}`;
  });
  return lines.length === 0 ? '' : `**${errorsTitle(errors)}**\n\n${listed(lines)}`;
}

const knownLines = ({ findings }: Report): readonly string[] =>
  [...Map.groupBy(findings.filter(isKnown), ({ finding }) => finding.ruleId)].map(([id, { length }]) => `- ${code(id)}: ${length}`);

const foldedSections = (report: Report): readonly string[] => [
  folded('Unchanged since the baseline', knownLines(report), report.findings.filter(isKnown).length),
  folded(
    'Fixed since the baseline',
    (report.fixed ?? []).map(({ ruleId, subject, what }) => `- ${code(nameOf(subject))}: ${escaped(what)} (${code(ruleId)})`),
  ),
  folded(
    'Not checked',
    skipGroups(report).map(({ ruleId, why, objects }) => `- ${code(ruleId)} for ${code(objectsText(objects))}: ${escaped(why)}`),
  ),
  folded(
    'Exempt',
    report.exempted.map(({ finding, reason }) => `- ${code(finding.ruleId)} ${code(nameOf(finding.subject))}: ${escaped(reason)}`),
  ),
  folded(
    'Rules that failed (a defect of Portcullis, please report it)',
    report.faults.map(({ fault, object }) => `- ${code(fault.ruleId)} ${code(nameOf(object))}: ${escaped(display(faultText(fault), 200))}`),
  ),
  folded(
    'Notices',
    report.notices.map((notice) => `- ${escaped(notice)}`),
  ),
];

const folded = (title: string, lines: readonly string[], count = lines.length): string =>
  lines.length === 0 ? '' : block(`${title}: ${count}`, [listed(lines)]);

/** Nobody reads more of them here. */
const listed = (lines: readonly string[], most = 50): string =>
  [...lines.slice(0, most), ...(lines.length > most ? [`- and ${lines.length - most} more`] : [])].join('\n');
