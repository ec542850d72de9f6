import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Rule } from '../../src/engine/rule.ts';
import { judge } from '../support/rule-case.ts';
import { readRuleTable } from '../support/rule-table.ts';

const id = 'ingress-is-purple';

/** In a copy of what the script touches, so that the checkout stays as it is. */
describe('npm run new-rule', () => {
  const copy = mkdtempSync(join(tmpdir(), 'new-rule-'));
  const inCopy = (file: string): string => join(copy, file);
  const read = (file: string): string => readFileSync(inCopy(file), 'utf8');
  const run = (...args: string[]) => spawnSync(process.execPath, ['scripts/new-rule.ts', ...args], { cwd: copy, encoding: 'utf8' });
  let first: ReturnType<typeof run>;

  beforeAll(() => {
    for (const part of ['src', 'scripts', 'docs', 'charts', 'test/support', 'test/rules', 'package.json', 'tsconfig.json'])
      cpSync(part, inCopy(part), { recursive: true });
    symlinkSync(resolve('node_modules'), inCopy('node_modules'));
    first = run(id, '--kind', 'Ingress');
  });
  afterAll(() => rmSync(copy, { recursive: true }));

  it('writes the rule, its table, its page, and the places where rules are listed', () => {
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(read(`docs/rules/${id}.md`)).toContain('# ingress-is-purple\n');
    expect(read('docs/rules/README.md')).toContain(`[${id}](${id}.md)`);
    expect(read('src/rules/index.ts')).toMatch(/ {2}ingressIsPurple,\n\];\n$/);
  });

  it('leaves code that compiles and is formatted', () => {
    const config = JSON.parse(readFileSync('tsconfig.json', 'utf8'));
    writeFileSync(
      inCopy('tsconfig.rule.json'),
      JSON.stringify({ ...config, include: [], files: [`src/rules/${id}.ts`, 'src/rules/index.ts'] }),
    );
    execFileSync('node_modules/.bin/tsc', ['-p', inCopy('tsconfig.rule.json')], { encoding: 'utf8' });
    cpSync('biome.json', inCopy('biome.json'));
    const flags = ['--vcs-enabled=false', '--error-on-warnings'];
    execFileSync(resolve('node_modules/.bin/biome'), ['check', ...flags, `src/rules/${id}.ts`, 'src/rules/index.ts'], { cwd: copy });
  });

  it('leaves a table of which one case fails: what the rule is to find', async () => {
    const { ingressIsPurple } = (await import(inCopy(`src/rules/${id}.ts`))) as { ingressIsPurple: Rule };
    const { valid, invalid } = readRuleTable(inCopy(`test/rules/${id}.yaml`));
    for (const one of [...valid, ...invalid]) expect(judge(ingressIsPurple, one)).toMatchObject({ findings: [], faults: [] });
    expect(invalid.map(({ docs, findings }) => ({ docs, findings }))).toEqual([
      { docs: true, findings: [{ message: 'isWrong', path: 'metadata.name', related: [] }] },
    ]);
  });

  it.each([
    ['a rule that exists', [id, '--kind', 'Ingress'], 'there is a rule ingress-is-purple already'],
    ['a name that is no defect', ['Purple'], '"Purple" is no id of a rule'],
    ['a kind that no rule judges', ['pod-is-purple', '--kind', 'Pod'], 'no rule judges a Pod'],
  ])('refuses %s', (_, args, message) => {
    const { status, stderr } = run(...args);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).toContain('usage: npm run new-rule');
  });
});
