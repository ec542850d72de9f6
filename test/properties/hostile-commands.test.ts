/** What people write into files, names of files and arguments is printed as text, and obeyed by nobody (reliability.md F28). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/commands/program.ts';
import { fakeTerminal } from '../commands/terminal.ts';
import { runs } from '../support/figures.ts';
import { objectsWith, worldOf } from '../support/hostile-objects.ts';
import { buildCommand, hostileTexts, printable } from '../support/hostile-text.ts';

describe('a command', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'portcullis-hostile-'));
    const files = join(directory, 'files');
    mkdirSync(files);
    writeManifests(files);
    writeFileSync(join(directory, 'rules.yaml'), misconfiguration());
    writeFileSync(join(directory, 'always.yaml'), 'apiVersion: portcullis.dev/v1\nprofile: strict\nexemptions: {byAnnotation: always}\n');
  }, 240_000);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** A hundred texts to a file, whose name is one of them, as far as a file may have it. In 64 kB each, they would be 50 MB. */
  function writeManifests(into: string): void {
    for (let at = 0; at < hostileTexts.length; at += 100) {
      const texts = hostileTexts.slice(at, at + 100).map((text) => text.slice(0, 1_024));
      const objects = texts.flatMap((text, index) => {
        const namespace = index % 2 === 0 ? text : `n${at + index}`;
        return [...worldOf(text, namespace), ...objectsWith(text, namespace), excused(at + index, text)];
      });
      const name = (hostileTexts[(at * 37) % hostileTexts.length] ?? '').replaceAll(/[/\0]/g, '').slice(0, 40);
      const lines = objects.map((object) => `${JSON.stringify(object)}\n---\n`);
      writeFileSync(join(into, Buffer.byteLength(name) < 200 ? `${name}${at}.yaml` : `${at}.yaml`), lines.join(''));
    }
    for (const [index, text] of hostileTexts.slice(0, 300).entries())
      writeFileSync(join(into, `::error::${index}.yaml`), `a: ${text}\n b: [${text}`);
  }

  /** Valid, so that it is judged: the text is quoted of an exemption that has ended. */
  const excused = (index: number, text: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: `s${index}`,
      namespace: 'shop',
      annotations: { 'exempt.portcullis.dev/service-node-port-policy': `${text} until 2000-01-01` },
    },
    spec: { ports: [{ port: 80 }] },
  });

  function misconfiguration(): string {
    const entries = hostileTexts.map((text) => [text, { mode: text }] as const);
    return JSON.stringify({ ...Object.fromEntries(entries), apiVersion: 'portcullis.dev/v1', rules: Object.fromEntries(entries) });
  }

  async function printed(...args: readonly string[]) {
    const terminal = fakeTerminal();
    const code = await run(args, terminal, '1.0.0');
    return { code, ...terminal.written };
  }

  /** The lines that a terminal or a build server would act on. */
  const actedOn = (text: string): readonly string[] => text.split('\n').filter((line) => !printable.test(line) || buildCommand.test(line));

  it.each(['text', 'json'] as const)(
    'check -o %s prints printable lines that no build server obeys',
    { timeout: 240_000 },
    async (form) => {
      const { code, out, error } = await printed('check', '--config', join(directory, 'always.yaml'), '-o', form, join(directory, 'files'));
      expect([code, error]).toEqual([2, '']);
      expect(actedOn(out)).toEqual([]);
      if (form === 'json') {
        const { errors, findings } = JSON.parse(out) as { errors: readonly unknown[]; findings: readonly { readonly message: string }[] };
        const expired = findings.filter(({ message }) => message === 'expired');
        expect([errors.length > 2_000, expired.length > 2_000]).toEqual([true, true]);
      } else expect(out.split('\n').length).toBeGreaterThan(5_000);
    },
  );

  it('says what is wrong with a configuration in printable lines', async () => {
    const { code, error } = await printed('check', '--config', join(directory, 'rules.yaml'), directory);
    expect(code).toBe(2);
    expect(error.split('\n').length).toBeGreaterThan(5_000);
    expect(actedOn(error)).toEqual([]);
  });

  it.each([
    ['explain', (text: string) => ['explain', '--', text]],
    ['an unknown command', (text: string) => [text]],
    ['an unknown flag', (text: string) => ['check', `--${text}`]],
    ['a value', (text: string) => ['check', '--fail-on', text, 'x']],
    ['a path', (text: string) => ['check', '--', `/nowhere/${text}`]],
    ['a configuration file', (text: string) => ['check', '--config', `/nowhere/${text}`, 'x']],
  ])('says what is wrong with the arguments in printable lines: %s', { timeout: 240_000 }, async (_, args) => {
    const wrong: string[] = [];
    for (const text of hostileTexts.filter((_, index) => index % runs(10, 1) === 0)) {
      const { out, error } = await printed(...args(text));
      wrong.push(...actedOn(out), ...actedOn(error));
    }
    expect(wrong).toEqual([]);
  });
});
