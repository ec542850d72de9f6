/** The hooks of .pre-commit-hooks.yaml, in real pre-commit, on a repository with a broken manifest. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { serviceFile, workloadFile } from '../support/shop-files.ts';

const root = resolve(import.meta.dirname, '..', '..');
const isThere = spawnSync('pre-commit', ['--version']).status === 0;
if (!isThere && process.env['CI'] === 'true') throw new Error('pre-commit must be tested here, and is not installed.');
if (!isThere)
  console.error(`${'!'.repeat(100)}\nLEFT OUT: the test of the pre-commit hooks; pre-commit is not installed.\n${'!'.repeat(100)}`);

describe.runIf(isThere)('pre-commit', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'portcullis-pre-commit-'));
  const [hooks, user] = [join(scratch, 'hooks'), join(scratch, 'user')];
  const env = {
    ...process.env,
    PATH: `${join(process.execPath, '..')}:${process.env['PATH']}`,
    PRE_COMMIT_HOME: join(scratch, 'cache'),
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((who) => [
        [`GIT_${who}_NAME`, 'test'],
        [`GIT_${who}_EMAIL`, 'test@localhost'],
      ]),
    ),
  };
  const git = (cwd: string, ...args: readonly string[]): string => execFileSync('git', args, { cwd, env, encoding: 'utf8' }).trim();
  const commit = (): { readonly code: number | null; readonly said: string } => {
    git(user, 'add', '--all');
    const { status, stdout, stderr } = spawnSync('git', ['commit', '-m', 'change'], { cwd: user, env, encoding: 'utf8' });
    return { code: status, said: stdout + stderr };
  };
  const write = (name: string, text: string): void => writeFileSync(join(user, name), text);
  const configure = (hook: string, repo: string): void =>
    write(
      '.pre-commit-config.yaml',
      `repos:\n- repo: ${repo}\n  rev: ${git(hooks, 'rev-parse', 'HEAD')}\n  hooks:\n  - {id: ${hook}, args: [deploy]}\n`,
    );

  beforeAll(() => {
    // What a clone of this repository holds of it, with what is not committed yet.
    for (const name of ['src', 'docs', 'scripts', 'package.json', 'package-lock.json', '.npmrc', '.pre-commit-hooks.yaml'])
      cpSync(join(root, name), join(hooks, name), { recursive: true });
    mkdirSync(join(user, 'deploy'), { recursive: true });
    for (const directory of [hooks, user]) git(directory, 'init', '--quiet');
    git(hooks, 'add', '--all');
    git(hooks, 'commit', '--quiet', '--message', 'all');
    write('deploy/workload.yaml', workloadFile);
    git(user, 'add', '--all');
    git(user, 'commit', '--quiet', '--message', 'a workload');
    execFileSync('pre-commit', ['install'], { cwd: user, env });
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('stops the commit of a Service that selects nobody of the files that were there before', { timeout: 120_000 }, () => {
    configure('portcullis-check', hooks);
    write('deploy/service.yaml', serviceFile('wbe'));
    const { code, said } = commit();
    expect(said).toMatch(/portcullis check\.+Failed/);
    expect(said).toContain('deploy/service.yaml\n  5:3  high  Service shop/web');
    expect(said).toContain('app=web');
    expect(code).toBe(1);
  });
  it('lets the repaired one pass', () => {
    write('deploy/service.yaml', serviceFile('web'));
    expect(commit()).toMatchObject({ code: 0, said: expect.stringMatching(/portcullis check\.+Passed/) });
  });
  it('stops the change of a workload that leaves an unchanged Service without Pods', () => {
    write('deploy/workload.yaml', workloadFile.replaceAll('app: web', 'app: shop'));
    expect(commit()).toMatchObject({ code: 1, said: expect.stringContaining('deploy/service.yaml') });
    git(user, 'reset', '--hard', '--quiet');
  });
  it('does not run for a change of no manifest', () => {
    write('README', 'a shop');
    expect(commit()).toMatchObject({ code: 0, said: expect.stringMatching(/portcullis check\.+\(no files to check\)\s*Skipped/) });
  });
  it('runs the portcullis that is installed, where that is wanted', () => {
    const bin = join(scratch, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'portcullis'), `#!/bin/sh\nexec node '${join(root, packageJson.scripts.dev.replace('node ', ''))}' "$@"\n`, {
      mode: 0o755,
    });
    env.PATH = `${bin}:${env.PATH}`;
    configure('portcullis-check-system', hooks);
    write('deploy/service.yaml', serviceFile('wbe'));
    expect(commit()).toMatchObject({ code: 1, said: expect.stringContaining('5:3  high  Service shop/web') });
  });
});
