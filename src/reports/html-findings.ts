/** The findings of the HTML page: one that opens for each, with what shows it and what repairs it. */
import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { type Finding, type PatchOperation, type Severity, severities } from '../engine/finding.ts';
import { blockYaml } from '../kube/block-yaml.ts';
import { display } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import { formatRef, type ObjectRef } from '../kube/resources.ts';
import { patchCommand, patchYaml, printable } from './repair-text.ts';
import type { Report, ReportedFinding, ReportOptions } from './report.ts';
import { counted, gravestFirst, verdictOf } from './summary.ts';

export const shown = (ref: ObjectRef): string => display(formatRef(ref));

/** Grave and open first; the script groups and filters what stands here. */
export function findingsSection(report: Report, options: ReportOptions): VNode {
  const bySeverity = Map.groupBy(gravestFirst(report.findings), ({ finding }) => finding.severity);
  const groups = severities.flatMap((severity) => {
    const group = bySeverity.get(severity) ?? [];
    return group.length === 0
      ? []
      : [
          html`<section class="group">
      <h3>${severity} <span class="soft">${group.length}</span></h3>
      ${group.map((one) => findingCard(one, report, options))}
    </section>`,
        ];
  });
  if (groups.length === 0)
    return html`<section id="findings" aria-labelledby="findings-title">
    <h2 id="findings-title">Findings</h2><p class="good">Nothing was found in ${counted(report.objects, 'object')}.</p></section>` as VNode;
  return html`<section id="findings" aria-labelledby="findings-title">
    <h2 id="findings-title">Findings</h2>
    ${controls(report)}
    <div id="list">${groups}</div>
    <p id="none" hidden>No finding fits.</p>
  </section>` as VNode;
}

/** Of no use without the script, which shows them. */
const controls = ({ findings, fixed }: Report) => html`<form id="controls" class="needs-script" role="search" aria-label="Findings" hidden>
    <div class="wide"><label for="by-search">Search in everything that is said</label><input id="by-search" type="search" autocomplete="off"/></div>
    ${choice(
      'severity',
      'Severity',
      severities.filter((one) => findings.some(({ finding }) => finding.severity === one)),
    )}
    ${choice(
      'namespace',
      'Namespace',
      distinct(findings, ({ subject }) => subject.namespace),
    )}
    ${choice(
      'rule',
      'Rule',
      distinct(findings, ({ ruleId }) => ruleId),
    )}
    ${fixed === undefined ? '' : choice('state', 'Since the baseline', ['introduced', 'unchanged'])}
    <div><label for="by-group">Group by</label><select id="by-group">
      <option value="severity">severity</option><option value="namespace">namespace</option><option value="rule">rule</option><option value="none">nothing</option>
    </select></div>
    <div class="wide bar"><p id="hits" role="status"></p>
      <span><button type="button" data-do="open">Open all</button> <button type="button" data-do="close">Close all</button> <button type="button" data-do="reset">Reset</button></span>
    </div>
  </form>`;

const distinct = (findings: readonly ReportedFinding[], of: (finding: Finding) => string): readonly string[] =>
  [...new Set(findings.map(({ finding }) => of(finding)))].sort();

/** The sign before a value tells it from "all", which is empty as the namespace of some objects is. */
const choice = (id: string, label: string, values: readonly string[]) => html`<div><label for=${`by-${id}`}>${label}</label>
    <select id=${`by-${id}`}><option value="">all</option>${values.map((value) => html`<option value=${`=${display(value)}`}>${display(value) || 'none'}</option>`)}</select></div>`;

function findingCard(one: ReportedFinding, report: Report, options: ReportOptions) {
  const { finding, state } = one;
  const { subject, severity, ruleId, what } = finding;
  return html`<article class="finding" data-severity=${severity} data-namespace=${display(subject.namespace)} data-rule=${display(ruleId)} data-state=${state ?? ''}>
    <details>
      <summary>
        <span class="head">${severityWord(severity)} <strong>${shown(subject)}</strong> <span class="soft">${stateWord(one, report)}</span></span>
        <span class="what">${display(what)}</span>
      </summary>
      <div class="body">${evidence(one, options)}</div>
    </details>
  </article>`;
}

export const severityWord = (severity: Severity) => html`<span class=${`severity ${severity}`}>${severity}</span>`;

function stateWord(one: ReportedFinding, { fixed }: Report): string {
  const since = fixed === undefined ? '' : one.state === 'unchanged' ? 'known from the baseline, ' : 'new, ';
  return since + verdictOf(one);
}

function evidence({ finding, place }: ReportedFinding, options: ReportOptions) {
  const { why, path, related, ruleId, fix } = finding;
  return html`<dl>
      <dt>Why</dt><dd>${display(why)}</dd>
      <dt>Field</dt><dd><code>${display(formatPath(path))}</code></dd>
      ${place === undefined ? '' : html`<dt>File</dt><dd><code>${display(place.file)}:${place.line}:${place.column}</code></dd>`}
      ${related.length === 0 ? '' : html`<dt>See also</dt><dd>${related.map(shown).join(', ')}</dd>`}
      <dt>Rule</dt><dd>${ruleName(ruleId, options)}</dd>
      <dt>Fix</dt><dd>${display(fix.text)}</dd>
    </dl>
    ${fix.manifest === undefined ? '' : html`<p class="soft">To apply beside it:</p><pre tabindex="0">${printable(blockYaml(fix.manifest))}</pre>`}
    ${fix.patch === undefined ? '' : patchText(finding.subject, fix.patch, place !== undefined)}`;
}

/** A link only to the web: what a configuration says is no reason to run anything. */
export const ruleName = (ruleId: string, { docsBaseUrl = '' }: ReportOptions) =>
  /^https?:\/\//.test(docsBaseUrl)
    ? html`<a href=${`${docsBaseUrl}/${encodeURIComponent(ruleId.toWellFormed())}`} rel="noreferrer"><code>${display(ruleId)}</code></a>`
    : html`<code>${display(ruleId)}</code>`;

const patchText = (subject: ObjectRef, patch: readonly PatchOperation[], isFile: boolean) =>
  isFile
    ? html`<p class="soft">As a JSON patch, which kustomize takes:</p><pre tabindex="0">${patchYaml(patch)}</pre>`
    : html`<p class="soft">To repair it in the cluster:</p><pre tabindex="0">${patchCommand(subject, patch)}</pre>`;
