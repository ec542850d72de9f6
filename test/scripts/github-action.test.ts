/** The GitHub Action, its steps run as the runner does: `bash -e -o pipefail` on the text of `run`, with the expressions of `env` filled in. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { load } from 'js-yaml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serviceFile, workloadFile } from '../support/shop-files.ts';

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default?: string; readonly required?: boolean }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

const root = resolve(import.meta.dirname, '..', '..');
const action = load(readFileSync(join(root, 'action.yml'), 'utf8')) as Action;
const step = action.runs.steps.find(({ id }) => id === 'check') as Step;

let workspace = '';
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'portcullis-action-'));
  for (const name of ['deploy', 'temp']) mkdirSync(join(workspace, name));
  for (const name of ['outputs', 'summary']) writeFileSync(join(workspace, name), '');
  writeFileSync(join(workspace, 'deploy', 'web.yaml'), `${workloadFile}---\n${serviceFile('wbe')}`);
});
afterEach(() => rmSync(workspace, { recursive: true }));

function run(inputs: Readonly<Record<string, string>>, programs = join(process.execPath, '..')) {
  const givenFor = (name: string): string => inputs[name] ?? action.inputs[name]?.default ?? '';
  const filled = Object.entries(step.env ?? {}).map(([name, text]) => [
    name,
    text.replaceAll(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, input: string) => givenFor(input)),
  ]);
  const script = join(workspace, 'temp', 'step.sh');
  writeFileSync(script, step.run ?? '');
  const env = {
    PATH: `${programs}:${process.env['PATH']}`,
    HOME: workspace,
    RUNNER_TEMP: join(workspace, 'temp'),
    GITHUB_ACTION_PATH: root,
    GITHUB_OUTPUT: join(workspace, 'outputs'),
    GITHUB_STEP_SUMMARY: join(workspace, 'summary'),
    ...Object.fromEntries(filled),
  };
  const { status, stdout, stderr } = spawnSync('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', script], {
    cwd: workspace,
    env,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr, outputs: outputsIn(read('outputs')), summary: read('summary') };
}
const read = (name: string): string => readFileSync(join(workspace, name), 'utf8');

/** As the runner reads GITHUB_OUTPUT: NAME<<END, lines, END. */
const outputsIn = (text: string): ReadonlyMap<string, string> =>
  new Map([...text.matchAll(/^([\w-]+)<<(\S+)\n([\s\S]*?)\n\2$/gm)].map(([, name = '', , value = '']) => [name, value]));

describe('action.yml', () => {
  it('puts no input into the text of a script', () => {
    for (const { run: text = '' } of action.runs.steps) expect(text).not.toMatch(/\$\{\{/);
  });
  it('uses every input and says what each is', () => {
    const text = readFileSync(join(root, 'action.yml'), 'utf8');
    for (const [name, { description }] of Object.entries(action.inputs)) {
      expect(text).toContain(`inputs.${name}`);
      expect(description).not.toBe('');
    }
  });
  it('takes the actions of others by commit', () => {
    expect(action.runs.steps.flatMap(({ uses }) => uses ?? [])).toEqual([expect.stringMatching(/^actions\/setup-node@[0-9a-f]{40}$/)]);
  });
  it('promises no output that the step does not give', () => {
    const { outputs } = run({ paths: 'deploy', 'sarif-file': 'out/findings.sarif' });
    const promised = Object.values(action.outputs).map(({ value }) => /^\$\{\{ steps\.check\.outputs\.([\w-]+) \}\}$/.exec(value)?.[1]);
    expect(new Set(promised)).toEqual(new Set(outputs.keys()));
  });
});

describe('the step', () => {
  it('fails for a broken manifest: annotation, summary, outputs, SARIF', () => {
    const { code, stdout, outputs, summary } = run({ paths: 'deploy\n', 'sarif-file': 'out/findings.sarif' });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^::warning file=deploy\/web\.yaml,line=14,col=3,.*service-selector-matches-no-pods::/m);
    expect(stdout.match(/^::/gm)).toHaveLength(1);
    expect(summary).toContain('`service-selector-matches-no-pods`');
    expect(summary.match(/^## /gm)).toHaveLength(1);
    expect([outputs.get('findings'), outputs.get('exit-code'), outputs.get('sarif-file')]).toEqual(['1', '1', 'out/findings.sarif']);
    expect(JSON.parse(read('out/findings.sarif')).runs[0].results).toHaveLength(1);
    expect(JSON.parse(readFileSync(outputs.get('json-file') ?? '', 'utf8')).findings[0].rule).toBe('service-selector-matches-no-pods');
  });
  it('passes what is right, and what is less grave than fail-on', () => {
    writeFileSync(join(workspace, 'deploy', 'web.yaml'), `${workloadFile}---\n${serviceFile('web')}`);
    expect(run({ paths: 'deploy' })).toMatchObject({
      code: 0,
      outputs: new Map([
        ['exit-code', '0'],
        ['json-file', expect.anything()],
        ['findings', '0'],
      ]),
    });
    writeFileSync(join(workspace, 'deploy', 'web.yaml'), `${workloadFile}---\n${serviceFile('wbe')}`);
    expect(run({ paths: 'deploy', 'fail-on': 'critical' }).code).toBe(0);
  });
  it('takes several paths, one a line, with blanks in them', () => {
    mkdirSync(join(workspace, 'my files'));
    writeFileSync(join(workspace, 'my files', 'a.yaml'), serviceFile('web'));
    expect(run({ paths: '  \n\ndeploy\r\nmy files/a.yaml\n'.replace('  \n', '') }).code).toBe(0);
  });
  it('says that there is nothing to check', () => {
    expect(run({ paths: '\n\n' })).toMatchObject({ code: 2, stdout: expect.stringContaining('"paths" is empty') });
  });
  it('annotates what keeps it from looking, and counts nothing then', () => {
    const misspelt = run({ paths: 'deploy', 'fail-on': 'hihg' });
    expect(misspelt).toMatchObject({ code: 2, stdout: expect.stringMatching(/^::error title=portcullis::.*hihg/m) });
    const missing = run({ paths: 'nowhere' });
    expect([missing.code, missing.outputs.has('findings')]).toEqual([2, false]);
    expect(missing.stdout).toMatch(/^::error .*nowhere/m);
  });
  it('does not fail for what a baseline tells of', () => {
    const { outputs } = run({ paths: 'deploy', 'json-file': 'baseline.json' });
    expect(run({ paths: 'deploy', baseline: outputs.get('json-file') ?? '' }).code).toBe(0);
  });

  const hostile = ['$(touch pwned)', '`touch pwned`', "'; touch pwned; '", '"; touch pwned; "', '--help', '-', '* ? [', '$HOME'];
  const named = ['config', 'profile', 'namespace', 'fail-on', 'against', 'baseline'];
  it.each(named)('takes what stands in %s for a value, whatever it is', (name) => {
    for (const value of [...hostile, 'x\n::error::pwned']) {
      const calls = callsOf({ paths: 'deploy', [name]: value });
      expect(calls).toHaveLength(2);
      for (const call of calls) expect(call.filter((word) => word.startsWith(`--${name}=`))).toEqual([`--${name}=${value}`]);
      expect(existsSync(join(workspace, 'pwned')), value).toBe(false);
    }
  });
  it.each(['sarif-file', 'json-file'])('writes to the file that stands in %s, whatever its name', (name) => {
    for (const value of hostile.filter((one) => !one.includes('/'))) {
      callsOf({ paths: 'deploy', [name]: value });
      expect(existsSync(join(workspace, value)), value).toBe(true);
      expect(existsSync(join(workspace, 'pwned')), value).toBe(false);
    }
  });
  it('takes a path for a path, never for a flag or for standard input', () => {
    const [call = []] = callsOf({ paths: hostile.join('\n') });
    expect(call.slice(call.indexOf('--') + 1)).toEqual(hostile.map((path) => (path.startsWith('-') ? `./${path}` : path)));
    expect(existsSync(join(workspace, 'pwned'))).toBe(false);
  });
  it('gives no orders to the runner in what it says of a value', () => {
    const { code, stdout, stderr, outputs } = run({ paths: 'deploy', config: 'x\n::error::pwned' });
    expect([code, [...outputs]]).toEqual([2, [['exit-code', '2']]]);
    expect(stdout + stderr).not.toMatch(/^\s*::error::pwned/m);
  });
});

/** How the program is called, each time: a stand-in for Node writes it down, and prints something. */
function callsOf(inputs: Readonly<Record<string, string>>): readonly (readonly string[])[] {
  const calls = join(workspace, 'temp', 'calls');
  const bin = join(workspace, 'temp', 'bin');
  mkdirSync(bin, { recursive: true });
  const record = `case "$1" in */src/main.ts) printf '%s\\0' "$@" end-of-call >>'${calls}'; echo '{}' ;; esac`;
  writeFileSync(join(bin, 'node'), `#!/bin/bash\n${record}\n`, { mode: 0o755 });
  rmSync(calls, { force: true });
  run(inputs, bin);
  const words = readFileSync(calls, 'utf8').split('\0end-of-call\0').slice(0, -1);
  return words.map((text) => text.split('\0').slice(2));
}
