/** Baselines, summaries of a step and formats for build servers, as the commands print them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/commands/program.ts';
import { reportFormats } from '../../src/reports/report.ts';
import { workflowCommand } from '../support/workflow-command.ts';
import { fakeTerminal } from './terminal.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'print-report-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const pathOf = (name: string): string => join(directory, name);
const write = (name: string, content: string): string => {
  writeFileSync(pathOf(name), content);
  return pathOf(name);
};

async function check(...args: readonly string[]) {
  const terminal = { ...fakeTerminal(), stepSummary: undefined as string | undefined };
  return { code: await run(['check', ...args], terminal, '1.2.3'), ...terminal.written };
}

const deployment = `kind: Deployment
apiVersion: apps/v1
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, ports: [{name: http, containerPort: 8080}]}]}
---
`;
const service = (name: string, app: string): string => `kind: Service
apiVersion: v1
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {app: ${app}}
  ports: [{port: 80, targetPort: http}]
---
`;

/** A report of these files, kept. */
async function baselineOf(...files: readonly string[]): Promise<string> {
  const { out } = await check('-o', 'json', ...files);
  return write('baseline.json', out);
}
// biome-ignore lint/suspicious/noExplicitAny: parsed JSON, which the tests pick apart
const summaryOf = (out: string): any => JSON.parse(out).summary;

describe('check --baseline', () => {
  it('fails only for what is new', async () => {
    const file = write('a.yaml', deployment + service('old', 'wbe') + service('fine', 'web'));
    const baseline = await baselineOf(file);
    expect((await check('--baseline', baseline, file)).code).toBe(0);
    write('a.yaml', deployment + service('fine', 'wbe') + service('old', 'wbe'));
    const { code, out } = await check('--baseline', baseline, file);
    expect(code).toBe(1);
    expect(out).toContain('high  Service shop/fine');
    expect(out).not.toContain('high  Service shop/old');
    expect(out).toContain('Unchanged since the baseline\n  service-selector-matches-no-pods  1 finding\n');
    expect(out).toMatch(/; 1 introduced, 0 fixed, 1 unchanged\n$/);
  });
  it('tells in JSON of each finding which it is, and lists what is fixed', async () => {
    const file = write('a.yaml', deployment + service('old', 'wbe') + service('repaired', 'wbe') + service('removed', 'wbe'));
    const baseline = await baselineOf(file);
    write('a.yaml', deployment + service('old', 'wbe') + service('repaired', 'web') + service('new', 'wbe'));
    const { code, out } = await check('-o', 'json', '--baseline', baseline, file);
    const { findings, fixed, summary } = JSON.parse(out);
    expect(code).toBe(1);
    expect(findings.map(({ object, state }: Record<string, { name: string }>) => [object?.name, state])).toEqual([
      ['new', 'introduced'],
      ['old', 'unchanged'],
    ]);
    expect(fixed.map(({ rule, object, file: from }: Record<string, { name: string }>) => [rule, object?.name, from])).toEqual([
      ['service-selector-matches-no-pods', 'removed', file],
      ['service-selector-matches-no-pods', 'repaired', file],
    ]);
    expect(summary).toMatchObject({ findings: 2, introduced: 1, unchanged: 1, fixed: 2, notCompared: 0 });
  });
  it('does not take for fixed what it has not looked at', async () => {
    const [one, other] = [write('one.yaml', deployment + service('one', 'wbe')), write('other.yaml', service('other', 'wbe'))];
    const baseline = await baselineOf(one, other);
    expect(summaryOf((await check('-o', 'json', '--baseline', baseline, one)).out)).toMatchObject({ fixed: 0, notCompared: 1 });
    // Without the Deployment nobody knows of Pods: the rule is skipped.
    expect(summaryOf((await check('-o', 'json', '--baseline', baseline, other)).out)).toMatchObject({ fixed: 0, notCompared: 2 });
    // A file that cannot be read to its end may still hold the object.
    write('other.yaml', 'a: [');
    expect(summaryOf((await check('-o', 'json', '--baseline', baseline, one, other)).out)).toMatchObject({ fixed: 0, notCompared: 1 });
    expect(summaryOf((await check('-o', 'json', '--assume-complete', '--baseline', baseline, one, other)).out)).toMatchObject({ fixed: 0 });
    // All that there is, and it is not among it.
    expect(summaryOf((await check('-o', 'json', '--assume-complete', '--baseline', baseline, one)).out)).toMatchObject({ fixed: 1 });
  });
  it('does not take for fixed what is turned off, or exempt', async () => {
    const file = write('a.yaml', deployment + service('old', 'wbe'));
    const baseline = await baselineOf(file);
    const off = write('off.yaml', 'apiVersion: portcullis.dev/v1\nrules: {service-selector-matches-no-pods: {mode: off}}\n');
    expect(summaryOf((await check('-o', 'json', '--config', off, '--baseline', baseline, file)).out)).toMatchObject({
      fixed: 0,
      notCompared: 1,
    });
    const exempt = write(
      'exempt.yaml',
      "apiVersion: portcullis.dev/v1\nexemptions: {list: [{rules: ['*'], namespaces: [shop], reason: known}]}\n",
    );
    expect(summaryOf((await check('-o', 'json', '--config', exempt, '--baseline', baseline, file)).out)).toMatchObject({
      fixed: 0,
      notCompared: 0,
    });
  });
  it('still exits with 2 when the result is not complete', async () => {
    const file = write('a.yaml', deployment + service('old', 'wbe'));
    const baseline = await baselineOf(file);
    expect((await check('--baseline', baseline, file, pathOf('none.yaml'))).code).toBe(2);
  });
  it.each([
    ['is not there', undefined, /none\.json cannot be read \(ENOENT\)\. Check the path that --baseline names\. .* \[PC0002\]\n$/],
    [
      'is not JSON',
      'No findings',
      /is no report of an earlier run: it is not JSON\. Write one with "-o json", and keep it as it is\. \[PC0009\]\n$/,
    ],
    ['is SARIF', '{"version": "2.1.0", "runs": []}', /is no report of an earlier run: version: .* \[PC0009\]\n$/],
    ['is damaged', '{"version": 1, "findings": [{"rule": 1}]}', /is no report of an earlier run: findings\.0\.rule: .* \[PC0009\]\n$/],
    ['is of a version to come', '{"version": 2, "findings": []}', /version: .* \[PC0009\]\n$/],
  ])('says what is wrong with a baseline that %s', async (_, content, expected) => {
    const file = write('a.yaml', deployment);
    const baseline = content === undefined ? pathOf('none.json') : write('bad.json', content);
    const { code, out, error } = await check('--baseline', baseline, file);
    expect([code, out]).toEqual([2, '']);
    expect(error).toMatch(expected);
  });
  it('takes a report with keys that it does not know', async () => {
    const file = write('a.yaml', deployment + service('old', 'wbe'));
    const report = JSON.parse(readFileSync(await baselineOf(file), 'utf8'));
    const baseline = write(
      'more.json',
      JSON.stringify({ ...report, more: 1, findings: report.findings.map((one: object) => ({ ...one, more: 1 })) }),
    );
    expect((await check('--baseline', baseline, file)).code).toBe(0);
  });
});

describe('check -o', () => {
  it('gives GitHub commands, and lets no file give one', async () => {
    const hostile = '::error::stop ##[error]stop';
    const file = write('a.yaml', deployment + service('web', `'${hostile}'`));
    const { code, out } = await check('-o', 'github', file);
    expect(code).toBe(1);
    const commands = out.split('\n').map(workflowCommand);
    expect(commands.map((one) => one?.command)).toEqual(['warning', undefined, undefined]);
    expect(commands[0]?.properties).toMatchObject({ file, line: '13', col: '3' });
    expect(out).not.toContain('##[');
    expect((await check('-o', 'text', file)).out).not.toContain('##[');
  });
  it.each(reportFormats)('%s: has the exit code of the findings, and nothing beside the report', async (format) => {
    const file = write('a.yaml', deployment + service('web', 'wbe'));
    const { code, out, error } = await check('-o', format, file);
    expect([code, error]).toEqual([1, '']);
    expect(out.endsWith('\n')).toBe(true);
  });
  it('says in SARIF which version wrote it, and names files from where it runs', async () => {
    const file = write('a.yaml', deployment + service('web', 'wbe'));
    const [sarif] = JSON.parse((await check('-o', 'sarif', file)).out).runs;
    expect(sarif.tool.driver.version).toBe('1.2.3');
    expect(sarif.tool.driver.rules[0].help.markdown).toMatch(/^# /);
    expect(sarif.results[0].locations[0].physicalLocation.artifactLocation.uri).toBe(`file://${file}`);
    expect(sarif.results[0].relatedLocations[0]).toMatchObject({
      message: { text: 'Deployment shop/web' },
      physicalLocation: { region: { startLine: 1 } },
    });
  });
});

it('docs/output-formats.md shows what is printed', async () => {
  const { out } = await check('-n', 'shop', '-o', 'github', 'examples/cluster', 'examples/broken/selector-typo.yaml');
  expect(readFileSync('docs/output-formats.md', 'utf8')).toContain(`\`\`\`text\n${out}\`\`\``);
});

describe('the summary of a step', () => {
  const summarized = async (stepSummary: string) => {
    const terminal = { ...fakeTerminal(), stepSummary };
    const code = await run(['check', '-o', 'github', write('a.yaml', deployment + service('web', 'wbe'))], terminal, '1.2.3');
    return { code, ...terminal.written };
  };

  it('is appended to the file that GitHub names', async () => {
    const summary = write('summary.md', '# before\n');
    expect((await summarized(summary)).code).toBe(1);
    expect(readFileSync(summary, 'utf8')).toMatch(
      /^# before\n## Portcullis\n\n1 finding \(1 high\)[\s\S]*`service-selector-matches-no-pods`/,
    );
  });
  it('is made where there is no file yet', async () => {
    await summarized(pathOf('new.md'));
    expect(readFileSync(pathOf('new.md'), 'utf8')).toMatch(/^## Portcullis\n/);
  });
  it('leaves the file below the size that GitHub takes', async () => {
    const summary = write('summary.md', 'x'.repeat(1024 * 1024 - 700));
    await summarized(summary);
    const written = readFileSync(summary, 'utf8').slice(1024 * 1024 - 700);
    expect(written).toMatch(/^## Portcullis\n[\s\S]*There is no room here for the rest, 1 finding among it/);
    expect(written.length).toBeLessThanOrEqual(700);
  });
  it('is no failure of the check where it cannot be written', async () => {
    const { code, error } = await summarized(directory);
    expect([code, error]).toEqual([1, expect.stringMatching(/^portcullis: the summary of the step cannot be written \(EISDIR.*\)\n$/)]);
  });
});
