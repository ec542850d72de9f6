/** JUnit's XML, which build servers show as tests: a suite for each file, a test for each object and rule. */
import { display } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import { formatRef, type ObjectRef } from '../kube/resources.ts';
import { relativePath } from './file-path.ts';
import { faultText, type Report, type ReportedError, type ReportedFinding, type ReportOptions, type ReportPlace } from './report.ts';
import { skipText, surfaceOf } from './skip-text.ts';
import { gravestFirst, heading, isKnown, isNote, nameOf, verdictOf } from './summary.ts';

type Outcome = 'passed' | 'failure' | 'error' | 'skipped';

interface TestCase {
  readonly suite: string;
  readonly classname: string;
  readonly name: string;
  readonly outcome: Outcome;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  /** The inner element, of one that did not just pass. */
  readonly inner: string;
}

export function junitReport(report: Report, { root }: ReportOptions): string {
  const cases = [...report.errors.map((error, at) => errorCase(error, at, root)), ...judgedCases(report, root)];
  const suites = [...Map.groupBy(cases, ({ suite }) => suite)].sort(([a], [b]) => (a < b ? -1 : 1));
  const title = ['Portcullis', heading(report)].filter((part) => part !== '').join(': ');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: title, ...totals(cases) })}>`,
    ...suites.map(([name, group]) => suiteXml(name, group, report.observedAt)),
    '</testsuites>',
    '',
  ].join('\n');
}

const totals = (cases: readonly TestCase[]) => {
  const count = (wanted: Outcome): number => cases.filter(({ outcome }) => outcome === wanted).length;
  return { tests: cases.length, failures: count('failure'), errors: count('error'), skipped: count('skipped') };
};

function suiteXml(name: string, cases: readonly TestCase[], observedAt?: number): string {
  const timestamp = observedAt === undefined ? {} : { timestamp: new Date(observedAt).toISOString().slice(0, 19) };
  return [`  <testsuite${attributes({ name, ...totals(cases), ...timestamp })}>`, ...cases.map(caseXml), '  </testsuite>'].join('\n');
}

function caseXml({ classname, name, file, line, inner }: TestCase): string {
  const head = `    <testcase${attributes({ classname, name, file, line })}`;
  return inner === '' ? `${head}/>` : `${head}>\n      ${inner}\n    </testcase>`;
}

/** What the input made impossible: of these, none is like another, so the number is part of the name. */
function errorCase({ file, line, column, message, hint }: ReportedError, at: number, root?: string): TestCase {
  const path = relativePath(file, root);
  const where = line === undefined ? '' : `${line}:${column}: `;
  return {
    suite: path,
    classname: path,
    name: `can be used (${at + 1})`,
    outcome: 'error',
    file: path,
    line,
    inner: element('error', { message, type: 'input' }, `${where}${display(message)}. ${display(hint)}`),
  };
}

/** What is known of one rule on one object. */
interface Result {
  readonly object: ObjectRef;
  readonly rule: string;
  /** Where the object begins. */
  readonly place: ReportPlace | undefined;
  readonly findings: ReportedFinding[];
  readonly skips: string[];
  readonly faults: string[];
}

/** All that were judged, and whatever else is told of an object and a rule. */
function judgedCases(report: Report, root?: string): readonly TestCase[] {
  const { judged, findings, exempted, skipped, faults } = report;
  const surface = surfaceOf(report);
  const results = new Map<string, Result>();
  const resultOf = (object: ObjectRef, rule: string, place?: ReportPlace): Result => {
    const key = JSON.stringify([formatRef(object), rule]);
    const result = results.get(key) ?? { object, rule, place, findings: [], skips: [], faults: [] };
    results.set(key, result);
    return result;
  };
  for (const { object, rules, place } of judged) for (const rule of rules) resultOf(object, rule, place);
  for (const one of findings) resultOf(one.finding.subject, one.finding.ruleId, one.place).findings.push(one);
  for (const { finding, reason, place } of exempted) resultOf(finding.subject, finding.ruleId, place).skips.push(`exempt: ${reason}`);
  for (const { skip, object } of skipped) resultOf(object, skip.ruleId).skips.push(skipText(skip, surface));
  for (const { fault, object } of faults) resultOf(object, fault.ruleId).faults.push(faultText(fault));
  return [...results.values()].map((result) => caseOf(result, root));
}

function caseOf(result: Result, root?: string): TestCase {
  const { object, rule, place, findings, faults } = result;
  const file = place && relativePath(place.file, root);
  const line = findings.find(isFailing)?.place?.line ?? findings[0]?.place?.line ?? place?.line;
  const about = { suite: file ?? (object.namespace || 'cluster'), classname: nameOf(object), name: rule, file, line };
  if (faults.length > 0)
    return { ...about, outcome: 'error', inner: element('error', { message: faults[0], type: 'fault' }, faults.join('; ')) };
  return { ...about, ...outcomeOf(result) };
}

const isFailing = (one: ReportedFinding): boolean => !isNote(one) && !isKnown(one);

function outcomeOf({ findings, skips }: Result): Pick<TestCase, 'outcome' | 'inner'> {
  const failing = gravestFirst(findings).filter(isFailing);
  if (failing.length > 0) return { outcome: 'failure', inner: failureXml(failing) };
  const left = [...skips, ...findings.filter(isKnown).map(({ finding }) => `in the baseline: ${finding.what}`)];
  if (left.length > 0) return { outcome: 'skipped', inner: element('skipped', { message: left.join('; ') }) };
  return { outcome: 'passed', inner: findings.length === 0 ? '' : element('system-out', {}, findings.map(findingText).join('\n\n')) };
}

/** Readers show the first failure of a test and pass over a second one. */
function failureXml(failing: readonly ReportedFinding[]): string {
  const [first, ...others] = failing as readonly [ReportedFinding, ...ReportedFinding[]];
  const message = `${first.finding.what}${others.length === 0 ? '' : ` (+${others.length} more)`}`;
  return element('failure', { message, type: first.finding.severity }, failing.map(findingText).join('\n\n'));
}

const findingText = (one: ReportedFinding): string => {
  const { what, why, fix, path, severity } = one.finding;
  const where = one.place === undefined ? '' : `${display(one.place.file)}:${one.place.line}:${one.place.column} `;
  return [
    `at: ${where}${display(formatPath(path))}`,
    `what: ${display(what)} (${severity}, ${verdictOf(one)})`,
    `why: ${display(why)}`,
    `fix: ${display(fix.text)}`,
  ].join('\n');
};

const element = (name: string, given: Readonly<Record<string, string | undefined>>, text = ''): string =>
  text === '' ? `<${name}${attributes(given)}/>` : `<${name}${attributes(given)}>${text.split('\n').map(xml).join('\n')}</${name}>`;

const attributes = (given: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${xml(String(value))}"`)
    .join('');

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '#': '&#35;' };

/** Text without what XML 1.0 cannot hold at all (its production 2, Char); `##[` is a command to some build servers. */
const xml = (text: string): string =>
  display(text)
    .replaceAll(/[\ufffe\uffff]/g, '?')
    .replaceAll(/[&<>"#]/g, (sign) => entities[sign] ?? '');
