/** What the HTML page says beside the findings: the counts above them, and what was not judged, let through, or cannot be used. */
import { html } from 'htm/preact';
import { severities } from '../engine/finding.ts';
import { display } from '../kube/display.ts';
import { ruleName, severityWord, shown } from './html-findings.ts';
import { bySeverity, faultText, type Report, type ReportedFinding, type ReportOptions } from './report.ts';
import { skipGroups } from './skip-text.ts';
import { counted, errorsTitle, gravestFirst, isKnown, summaryLine } from './summary.ts';

/** A part of the page that the list at its top leads to. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly content: unknown;
}

export function summaryPart(report: Report) {
  const { findings, fixed } = report;
  const counts = Object.entries(bySeverity(findings)).map(([name, count]) => ({ name, count }));
  const known = findings.filter(isKnown).length;
  const since =
    fixed === undefined
      ? []
      : [
          { name: 'new', count: findings.length - known },
          { name: 'known', count: known },
          { name: 'fixed', count: fixed.length },
        ];
  return html`<p class="lead">${summaryLine(report)}.</p>
    <ul class="tiles">${[...counts, ...since].map(({ name, count }) => html`<li class=${count === 0 ? 'none' : ''}><strong>${count}</strong> ${name}</li>`)}</ul>
    ${
      findings.length === 0
        ? ''
        : html`<div class="counts">
      ${countTable('rule', 'By rule', findings, ({ finding }) => finding.ruleId)}
      ${countTable('namespace', 'By namespace', findings, ({ finding }) => finding.subject.namespace)}
    </div>`
    }`;
}

/** The gravest first; each leads to the findings, and with the script to these findings alone. */
function countTable(
  by: 'rule' | 'namespace',
  title: string,
  findings: readonly ReportedFinding[],
  keyOf: (one: ReportedFinding) => string,
) {
  const groups = [...Map.groupBy(gravestFirst(findings), keyOf)].toSorted(([, a], [, b]) => rankOf(a) - rankOf(b) || b.length - a.length);
  const rows = groups.map(([key, group]) => {
    const gravest = severities[rankOf(group)] as (typeof severities)[number];
    return html`<tr><td><a href="#findings" data-by=${by} data-value=${display(key)}>${display(key) || 'none'}</a></td><td>${severityWord(gravest)}</td><td class="number">${group.length}</td></tr>`;
  });
  return html`<table><caption>${title}</caption><thead><tr><th scope="col">${by}</th><th scope="col">gravest</th><th scope="col" class="number">findings</th></tr></thead><tbody>${rows.slice(0, most)}</tbody></table>
    ${more(rows.length)}`;
}

const rankOf = (group: readonly ReportedFinding[]): number => Math.min(...group.map(({ finding }) => severities.indexOf(finding.severity)));

/** Rows of one table. What is left out is said. */
const most = 1_000;
const more = (count: number) => (count > most ? html`<p class="soft">and ${count - most} more, which -o json lists</p>` : '');

const list = (lines: readonly unknown[]) =>
  html`<ul>${lines.slice(0, most).map((line) => html`<li>${line}</li>`)}</ul>${more(lines.length)}`;

/** Never hidden: a page without findings says little if nothing could be checked. */
export function otherSections(report: Report, options: ReportOptions): readonly Section[] {
  const { errors, exempted, faults, notices, fixed = [] } = report;
  const sections: readonly (Section & { readonly lines: readonly unknown[] })[] = [
    section(
      'errors',
      errorsTitle(report.errors),
      errors.map(
        ({ file, line, column, message, hint }) =>
          html`<code>${display(line === undefined ? file : `${file}:${line}:${column}`)}</code>: ${display(message)}. ${display(hint)}`,
      ),
    ),
    section('skipped', 'Not checked', skipLines(report, options)),
    section(
      'exempt',
      'Exempt',
      exempted.map(
        ({ finding, reason }) =>
          html`${shown(finding.subject)}: ${display(finding.what)}. Let through because: ${display(reason)} (${ruleName(finding.ruleId, options)})`,
      ),
    ),
    section(
      'fixed',
      'Fixed since the baseline',
      fixed.map(({ ruleId, subject, what }) => html`${shown(subject)}: ${display(what)} (${ruleName(ruleId, options)})`),
    ),
    section(
      'faults',
      'Rules that failed',
      faults.map(
        ({ fault, object }) =>
          html`${ruleName(fault.ruleId, options)} on ${shown(object)}: ${display(faultText(fault), 200)}. This is a defect of Portcullis; please report it.`,
      ),
    ),
    section(
      'notices',
      'Notices',
      notices.map((notice) => display(notice)),
    ),
  ];
  return sections.filter(({ lines }) => lines.length > 0);
}

const section = (id: string, title: string, lines: readonly unknown[]) => ({
  id,
  title: `${title} (${lines.length})`,
  lines,
  content: list(lines),
});

/** One line for each rule and reason, not one for each object. */
const skipLines = (report: Report, options: ReportOptions): readonly unknown[] =>
  skipGroups(report).map(({ ruleId, why, objects }) => {
    const [only, ...others] = objects;
    const which = only !== undefined && others.length === 0 ? shown(only) : counted(objects.length, 'object');
    return html`${ruleName(ruleId, options)} for ${which}: ${display(why)}`;
  });
