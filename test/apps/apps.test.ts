/**
 * What Portcullis says to manifests that are right: well-known applications, written in the style of what their projects
 * publish. Each file alone, as somebody has it in a repository, and all together as the whole of a cluster.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { check } from '../../src/commands/check.ts';
import type { Profile } from '../../src/engine/mode.ts';
import { formatRef } from '../../src/kube/resources.ts';
import { type FileFinding, quiet } from '../support/rule-drivers.ts';

const directory = import.meta.dirname;
const yamlIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.yaml')).map((name) => join(folder, name));
const files = await yamlIn(directory);
/** Of what stands in these, operators make more than the files hold: all that there is, they are not. */
const operated = await yamlIn(join(directory, 'with-operators'));

/** What `strict` refuses all the same, since it is true: `rule object` and why. */
const deniedInStrict = new Map([
  // The documentation names a Secret that whoever installs Argo CD makes by hand.
  ['tls-secret-missing Ingress argocd/argocd-server-http-ingress', 'the Secret is in none of the files, and nothing there brings it'],
]);

/** Of every kind, workloads and Namespaces, too. */
const kinds = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).flatMap((text) =>
  (loadAll(text) as readonly { readonly kind: string }[]).map(({ kind }) => kind),
);

test('Two hundred objects and more, of a dozen files', () => {
  expect(files.length).toBeGreaterThanOrEqual(12);
  expect(kinds.length).toBeGreaterThanOrEqual(200);
  expect(kinds.filter((kind) => judged.has(kind)).length).toBeGreaterThanOrEqual(120);
});

describe.each([...files, ...operated].map((file) => [file.slice(directory.length + 1), file] as const))('%s alone', (_, file) => {
  test('is told nothing but notes', async () => {
    expect(told(await findingsIn([file], 'guided'))).toEqual([]);
  });

  test('is denied nothing in strict', async () => {
    expect(inMode('deny', await findingsIn([file], 'strict'))).toEqual([]);
  });
});

describe('All together, as all that there is', () => {
  test('nothing is denied in guided, and at most one warning comes on 200 objects', async () => {
    const findings = await findingsInAll('guided');
    expect(inMode('deny', findings)).toEqual([]);
    expect(inMode('warn', findings).length).toBeLessThanOrEqual(Math.floor(kinds.length / 200));
  });

  test('strict denies only what is true', async () => {
    const findings = await findingsInAll('strict');
    expect(inMode('deny', findings)).toEqual([...deniedInStrict.keys()]);
  });

  test('audits note', async () => {
    const findings = await findingsInAll('guided');
    expect(inMode('audit', findings)).toMatchSnapshot();
  });
});

const judged = new Set(['Service', 'Ingress', 'NetworkPolicy']);

async function judge(paths: readonly string[], profile: Profile, assumeComplete: boolean): Promise<readonly FileFinding[]> {
  const printed: string[] = [];
  await check(paths, { output: 'json', failOn: 'info', profile, assumeComplete }, quiet(printed));
  const report: { readonly findings: readonly FileFinding[]; readonly errors: readonly unknown[] } = JSON.parse(printed.join(''));
  expect(report.errors).toEqual([]);
  return report.findings;
}

const findingsIn = (paths: readonly string[], profile: Profile) => judge(paths, profile, false);
const findingsInAll = (profile: Profile) => judge(files, profile, true);

const told = (findings: readonly FileFinding[]): readonly string[] => [...inMode('deny', findings), ...inMode('warn', findings)];

const inMode = (mode: string, findings: readonly FileFinding[]): readonly string[] =>
  findings
    .filter((one) => one.mode === mode)
    .map(({ rule, object }) => `${rule} ${formatRef({ apiVersion: '', ...object })}`)
    .sort();
