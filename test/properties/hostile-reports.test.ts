/** What people write into objects is text in every form of report, and gives no orders to whoever reads it (reliability.md F28). */
import { describe, expect, it } from 'vitest';
import { withoutCommands } from '../../src/reports/build-commands.ts';
import { reports } from '../../src/reports/index.ts';
import type { Report } from '../../src/reports/report.ts';
import { emptyReport, finding, subject } from '../reports/sample.ts';
import { runs } from '../support/figures.ts';
import { buildCommand, hostileTexts, printable } from '../support/hostile-text.ts';
import { workflowCommand } from '../support/workflow-command.ts';
import { elementsOf, parseXml } from '../support/xml.ts';

/** The text wherever a report can hold text of others. */
function reportOf(text: string): Report {
  const object = { ...subject, namespace: text, name: text };
  const one = finding({
    ...{ ruleId: text, what: text, why: text, subject: object, related: [object], fingerprint: text },
    path: ['spec', text],
    fix: { text, manifest: { [text]: text } },
  });
  const place = { file: text, line: 2, column: 1 };
  return {
    ...emptyReport,
    cluster: text,
    observedAt: 0,
    judged: [{ object, rules: [text, `${text}!`], place }],
    findings: [
      { finding: one, mode: 'warn', place, relatedPlaces: [place] },
      { finding: one, mode: 'audit', place, state: 'unchanged' },
    ],
    exempted: [{ finding: one, reason: text, place }],
    skipped: [{ skip: { ruleId: `${text}!`, reason: 'notGiven', missing: 'Pod', namespace: text }, object }],
    faults: [{ fault: { ruleId: text, cause: new Error(text) }, object }],
    errors: [{ file: text, line: 1, column: 1, message: text, hint: text }],
    notices: [text],
    fixed: [{ ruleId: text, subject: object, path: text, what: text, severity: 'low', fingerprint: text, file: text }],
  };
}

/** All texts, those of 64 kB cut: what they are made of is the same in a tenth of it. */
const texts = hostileTexts.filter((_, index) => index % runs(3, 1) === 0).map((text) => text.slice(0, 6_000));
const written = (format: keyof typeof reports, text: string): string =>
  reports[format](reportOf(text), { maxBytes: Number.POSITIVE_INFINITY });
const actedOn = (output: string): readonly string[] =>
  output.split('\n').filter((line) => !printable.test(line) || buildCommand.test(line));

describe('no text of others', () => {
  it.each(['text', 'json', 'markdown', 'sarif', 'junit', 'gitlab'] as const)(
    'is obeyed by a terminal or a build: %s',
    { timeout: 120_000 },
    (format) => {
      const wrong = texts.filter((text) => actedOn(withoutCommands(written(format, text))).length > 0);
      expect(wrong).toEqual([]);
    },
  );
  it('makes annotations of its own, or breaks one of ours', () => {
    const wrong = texts.filter((text) => {
      const lines = written('github', text).trimEnd().split('\n');
      const commands = lines.slice(0, -1).map(workflowCommand);
      const sound =
        lines.every((line) => printable.test(line)) &&
        lines.every((line) => !/##\[|##vso\[|##teamcity\[/i.test(line)) &&
        commands.length === 3 &&
        commands.every((one) => one !== undefined && /^(error|warning)$/.test(one.command) && one.properties['title'] !== undefined) &&
        commands[0]?.properties['line'] === '1' &&
        commands[2]?.properties['line'] === '2';
      return !sound || workflowCommand(lines.at(-1) ?? '') !== undefined;
    });
    expect(wrong).toEqual([]);
  });
  it('breaks the XML, or adds an element to it', () => {
    const shape = (text: string): string => {
      const root = parseXml(withoutCommands(written('junit', text)));
      return ['testsuite', 'testcase', 'failure', 'error', 'skipped', 'system-out'].map((name) => elementsOf(root, name).length).join(' ');
    };
    const wrong = texts.filter((text) => shape(text) !== shape('x'));
    expect(wrong).toEqual([]);
  });
  it.each(['json', 'sarif', 'gitlab'] as const)('breaks the JSON: %s', (format) => {
    const keys = (value: unknown): unknown => (Array.isArray(value) ? value.length : Object.keys(value as object));
    const wrong = texts.filter(
      (text) => String(keys(JSON.parse(withoutCommands(written(format, text))))) !== String(keys(JSON.parse(written(format, 'x')))),
    );
    expect(wrong).toEqual([]);
  });
  it('adds a line, a tag, a link or a mention to the Markdown', () => {
    const ours = /<\/?(?:details|summary)>|<!-- -->/g;
    const wrong = texts.filter((text) => {
      const output = written('markdown', text);
      const outside = withoutCode(output);
      return (
        output.split('\n').length !== written('markdown', 'x').split('\n').length ||
        /[<>]/.test(outside.replaceAll(ours, '')) ||
        /[@#]\w/.test(outside) ||
        /(?<!\\)\]\(|(?<!\\)`|(?<!\\)\|(?! )/.test(outside.replaceAll(/^\|.*\|$/gm, ''))
      );
    });
    expect(wrong).toEqual([]);
  });
});

/** Without spans of code as CommonMark 6.1 finds them: a run of backticks, up to the next run as long. */
const withoutCode = (markdown: string): string => markdown.replaceAll(/(?<![\\`])(`+)(?!`)(?:[^\n]*?[^`\n])\1(?!`)/g, '');
