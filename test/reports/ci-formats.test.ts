import { describe, expect, it } from 'vitest';
import { reports } from '../../src/reports/index.ts';
import type { Report } from '../../src/reports/report.ts';
import { workflowCommand } from '../support/workflow-command.ts';
import { elementsOf, parseXml } from '../support/xml.ts';
import { clusterReport, comparedReport, emptyReport, finding, fullReport, options, reported, subject } from './sample.ts';

const many = (count: number): Report => ({
  ...emptyReport,
  findings: Array.from({ length: count }, (_, index) => reported({ fingerprint: String(index), what: `defect ${index}` })),
});

describe('GitHub annotations', () => {
  const lines = (report: Report): readonly string[] => reports.github(report, options).trimEnd().split('\n');

  it('are commands as a runner reads them, and a last line for people', () => {
    const commands = lines(fullReport).map(workflowCommand);
    expect(commands.map((one) => one?.command)).toEqual(['error', 'error', 'error', 'error', 'warning', 'warning', 'notice', undefined]);
    expect(commands[3]).toEqual({
      command: 'error',
      properties: { file: 'b.yaml', line: '7', col: '3', title: 'high: service-selector-matches-no-pods' },
      data: 'Service shop/web spec.selector: no Pod in shop matches app=wbe. Connections fail. Fix: use app=web',
    });
    expect(lines(fullReport).at(-1)).toMatch(/^3 findings \(1 high, /);
  });
  it('give back names of files that hold what separates', () => {
    const [line = ''] = lines({ ...emptyReport, findings: [reported({}, 'warn', '/work/a,b:c%2C::d.yaml')] });
    expect(workflowCommand(line)?.properties).toMatchObject({ file: 'a,b:c%2C::d.yaml', line: '3', col: '5' });
  });
  it('have no file where a cluster was read', () => {
    expect(workflowCommand(lines(clusterReport)[0] ?? '')?.properties).toEqual({ title: 'high: service-selector-matches-no-pods' });
  });
  it('are the worst ten of each level, and then say how many more', () => {
    const findings = Array.from({ length: 25 }, (_, index) =>
      reported({ fingerprint: String(index), severity: index === 24 ? 'critical' : 'low' }, index % 2 === 0 ? 'deny' : 'warn'),
    );
    const written = lines({ ...emptyReport, findings });
    const commands = written.flatMap((line) => workflowCommand(line) ?? []);
    expect(commands.filter(({ command }) => command === 'error').length).toBe(10);
    expect(commands.filter(({ command }) => command === 'warning').length).toBe(10);
    expect(commands[0]?.properties['title']).toMatch(/^critical: /);
    expect(written[20]).toBe('5 more annotations left out: GitHub shows 10 of each level. -o text lists all.');
  });
  it('are only what is new, with a baseline', () => {
    expect(lines(comparedReport).flatMap((line) => workflowCommand(line) ?? []).length).toBe(1);
    expect(lines(comparedReport).at(-1)).toContain('1 introduced, 1 fixed, 2 unchanged');
  });
});

describe('GitLab code quality', () => {
  // biome-ignore lint/suspicious/noExplicitAny: parsed JSON, which the tests pick apart
  const issues = (report: Report): any[] => JSON.parse(reports.gitlab(report, options));

  it('has the keys that GitLab wants, and a file for everything', () => {
    for (const report of [fullReport, clusterReport, comparedReport])
      for (const issue of issues(report)) {
        expect(Object.keys(issue)).toEqual(['description', 'check_name', 'fingerprint', 'severity', 'location']);
        expect(issue.severity).toMatch(/^(info|minor|major|critical|blocker)$/);
        expect(issue.location.path).toMatch(/^[^/.]/);
        expect(issue.location.lines.begin).toBeGreaterThan(0);
      }
    expect(issues(clusterReport)[0].location).toEqual({ path: 'cluster/shop/Service/web', lines: { begin: 1 } });
  });
  it('has fingerprints that are never the same, and do not move with the line', () => {
    const prints = issues(fullReport).map(({ fingerprint }) => fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
    const print = (line: number) => issues({ ...emptyReport, findings: [reported({}, 'warn', 'a.yaml', line, 1)] })[0].fingerprint;
    expect(print(3)).toBe(print(99));
  });
  it('keeps what a baseline knows: GitLab compares by itself', () => expect(issues(comparedReport).length).toBe(3));
  it('tells what could not be used', () => {
    expect(issues(fullReport)[0]).toMatchObject({
      check_name: 'input',
      severity: 'blocker',
      location: { path: 'c.yaml', lines: { begin: 2 } },
    });
  });
  it('maps severities, and makes a note of what fails nothing', () => {
    const severityOf = (severity: 'critical' | 'high' | 'medium' | 'low' | 'info', mode: 'warn' | 'audit' = 'warn') =>
      issues({ ...emptyReport, findings: [reported({ severity }, mode)] })[0].severity;
    expect((['critical', 'high', 'medium', 'low', 'info'] as const).map((severity) => severityOf(severity))).toEqual([
      ...['blocker', 'critical', 'major', 'minor', 'info'],
    ]);
    expect(severityOf('critical', 'audit')).toBe('info');
  });
  it('is an empty list where all is well', () => expect(issues(emptyReport)).toEqual([]));
});

describe('the JUnit report', () => {
  const xml = (report: Report) => parseXml(reports.junit(report, options));
  const casesOf = (report: Report) => elementsOf(xml(report), 'testcase');

  it('counts in each suite and in all what is in them', () => {
    for (const report of [fullReport, clusterReport, comparedReport, emptyReport]) {
      const root = xml(report);
      for (const element of [root, ...root.children]) {
        const cases = elementsOf(element, 'testcase');
        const having = (name: string) => cases.filter(({ children }) => children.some((child) => child.name === name)).length;
        expect(element.attributes).toMatchObject({
          tests: String(cases.length),
          failures: String(having('failure')),
          errors: String(having('error')),
          skipped: String(having('skipped')),
        });
      }
    }
  });
  it('has a test for each object and rule, also where all is well', () => {
    expect(casesOf(emptyReport).map(({ attributes, children }) => [attributes, children])).toEqual([
      [{ classname: 'Service shop/web', name: 'service-selector-matches-no-pods', file: 'a.yaml', line: '1' }, []],
    ]);
    const names = casesOf(fullReport).map(({ attributes }) => `${attributes['classname']} ${attributes['name']}`);
    expect(new Set(names).size).toBe(names.length);
  });
  it('tells failures, what is left out and why, and defects of ours apart', () => {
    const inner = new Map(casesOf(fullReport).map(({ attributes, children }) => [attributes['name'], children[0]]));
    const first = inner.get('service-selector-matches-no-pods');
    expect(first).toMatchObject({ name: 'failure', attributes: { type: 'high', message: 'no Pod in shop matches app=wbe (+1 more)' } });
    expect(first?.text).toContain('fix: apply this');
    expect(inner.get('only-noted')?.name).toBe('system-out');
    expect(inner.get('let-through')).toMatchObject({ name: 'skipped', attributes: { message: 'exempt: moved by the platform team' } });
    expect(inner.get('late')).toMatchObject({ name: 'skipped', attributes: { message: 'there was no time left' } });
    expect(inner.get('broken')).toMatchObject({ name: 'error', attributes: { type: 'fault' } });
    expect(inner.get('can be used (1)')).toMatchObject({ name: 'error', attributes: { message: 'is not valid YAML' } });
  });
  it('loses no finding of an object that is not among the judged ones', () => {
    const cases = casesOf({ ...emptyReport, judged: [], findings: [reported()] });
    expect(cases.map(({ attributes, children }) => [attributes['name'], children[0]?.name])).toEqual([
      ['service-selector-matches-no-pods', 'failure'],
    ]);
  });
  it('fails nothing that the baseline knows', () => {
    const known = { ...comparedReport, findings: comparedReport.findings.filter(({ state }) => state === 'unchanged') };
    expect(casesOf(known).map(({ children }) => [children[0]?.name, children[0]?.attributes['message']])).toEqual([
      ['skipped', 'in the baseline: no Pod in shop matches app=wbe; in the baseline: no Pod in shop matches app=wbe'],
    ]);
  });
  it('has a suite for each namespace of a cluster, with the time', () => {
    expect(xml(clusterReport).children.map(({ attributes }) => [attributes['name'], attributes['timestamp']])).toEqual(
      ['payments', 'quiet', 'shop'].map((name) => [name, '2026-11-21T15:20:31']),
    );
  });
  it.each(['<a>', '<a></b>', '<a b="1" b="2"/>', '<a>&x;</a>', '<a>\u0001</a>', '<a>]]></a>', '<a b="<"/>', '<a/><b/>'])(
    'is read by a reader that refuses %j',
    (bad) => expect(() => parseXml(bad)).toThrow(),
  );
});

describe('the Markdown report', () => {
  const markdown = (report: Report, more = {}): string => reports.markdown(report, { ...options, ...more });

  it('fits into a comment, and says what is left out', () => {
    const written = markdown(many(2_000));
    expect(Buffer.byteLength(written)).toBeLessThan(65_536);
    expect(Buffer.byteLength(written)).toBeGreaterThan(50_000);
    const told = written.match(/defect \d+/g)?.length ?? 0;
    expect(written).toContain(`*There is no room here for the rest, ${2_000 - told} findings among it: \`-o text\` lists all.*`);
    expect(written.match(/<details>/g)?.length).toBe(written.match(/<\/details>/g)?.length);
  });
  it('keeps any limit, down to nothing at all', () => {
    for (const maxBytes of [-1, 0, 599, 600, 601, 2_000, 10_000])
      expect(Buffer.byteLength(markdown(many(50), { maxBytes }))).toBeLessThanOrEqual(Math.max(0, maxBytes));
    expect(markdown(many(50), { maxBytes: 599 })).toBe('');
    expect(markdown(many(50), { maxBytes: 1_000_000 }).match(/defect \d+/g)?.length).toBe(50);
  });
  it('begins with what is gravest', () => {
    const report = { ...emptyReport, findings: [reported({ severity: 'low' }), reported({}, 'audit'), reported({ severity: 'critical' })] };
    expect(markdown(report).match(/^(<summary>\d note|\*\*(critical|low|note))/gm)).toEqual([
      '**critical',
      '**low',
      '<summary>1 note',
      '**note',
    ]);
  });
  it('shows text of others as text', () => {
    const what = '**b** _i_ `c` [x](javascript:1) ![x](http://evil.example/x) <img src=x> @team #12 | www.evil.example :smile: a_b';
    const written = markdown({ ...emptyReport, findings: [reported({ what, why: what })] });
    expect(written).toContain(
      String.raw`: \*\*b\*\* \_i\_ \`c\` \[x\](javascript:1) \!\[x\](http\://evil.example/x) &lt;img src=x&gt; @<!-- -->team #<!-- -->12 \| www\.evil.example \:smile: a\_b.`,
    );
  });
  it('leaves times as they are', () => {
    const written = markdown({ ...emptyReport, notices: ['tell again after 16:15:17 UTC, 2026-11-21T16:15:17.000Z, :100:'] });
    expect(written).toContain(String.raw`tell again after 16:15:17 UTC, 2026-11-21T16:15:17.000Z, \:100:`);
  });
  it('lets nothing end a piece of code', () => {
    const written = markdown({
      ...emptyReport,
      findings: [{ finding: finding({ subject: { ...subject, name: 'a`b``c' } }), mode: 'warn' }],
    });
    expect(written).toContain('**high** ```Service shop/a`b``c```');
  });
});
