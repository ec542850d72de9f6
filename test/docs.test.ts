import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { configurationKeys, missing, pages } from '../scripts/docs/pages.ts';
import { docCommentOf, headings, pageOf } from '../scripts/docs/rule-page.ts';
import { parseConfiguration } from '../src/config/settings.ts';
import { errorCodes } from '../src/errors.ts';
import { rules } from '../src/rules/index.ts';
import { openReports } from './support/report-definitions.ts';

const read = (file: string): string => readFileSync(file, 'utf8');
const files = [...globSync('docs/**/*.md'), ...globSync('*.md'), ...globSync('charts/*/README.md'), 'src/README.md'].sort();
const named = (pattern: string, ...without: string[]): string[] =>
  globSync(pattern)
    .map((file) => basename(file).replace(/\.\w+$/, ''))
    .filter((name) => !without.includes(name))
    .sort();
const withoutBlocks = (text: string): string => text.replaceAll(/^```[\s\S]*?^```/gm, '');
const headingsOf = (file: string, rank: string): string[] =>
  [...withoutBlocks(read(file)).matchAll(new RegExp(`^${rank} (.+)$`, 'gm'))].map(([, title = '']) => title);
/** As GitHub makes anchors of headings. */
const anchorsOf = (file: string): string[] =>
  headingsOf(file, '#{1,6}').map((title) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe('generated parts', () => {
  it.each(pages().map(({ file, text }) => [file, text] as const))('%s is up to date; if not: npm run docs', (file, text) => {
    expect(existsSync(file) ? read(file) : '').toBe(text);
  });
  it('nothing is left to be written by hand', () => expect(missing()).toEqual([]));
});

it('the CRDs that docs/reports.md installs are those that the tests use', () => {
  const [, modules] = /```sh\n(go mod download [^`]*)```/.exec(read('docs/reports.md')) ?? [];
  expect(modules?.split(`${openReports.module}@${openReports.version}`).length).toBe(3);
});

describe('rules', () => {
  const ids = rules.map(({ meta }) => meta.id);

  it('have a page each, and each page a rule, a table and a place in the catalogue', () => {
    expect(named('docs/rules/*.md', 'README')).toEqual([...ids].sort());
    expect(named('test/rules/*.yaml')).toEqual([...ids].sort());
    const catalogue = [...read('docs/rules/README.md').matchAll(/\]\(([\w-]+)\.md\)/g)].map(([, id = '']) => id);
    expect(catalogue.toSorted()).toEqual([...ids].sort());
  });

  it.each(ids)('%s: headings in their order, and an example', (id) => {
    expect(headingsOf(pageOf(id), '#')).toEqual([id]);
    expect(headingsOf(pageOf(id), '##')).toEqual([...headings]);
    expect(headingsOf(pageOf(id), '###').length).toBeGreaterThan(0);
    expect(read(pageOf(id))).toContain(docCommentOf(read(`src/rules/${id}.ts`)));
  });

  it('that a page mentions exist', () => {
    const kinds = [...new Set(ids.map((id) => id.split('-')[0]))].join('|');
    const looksLikeARule = new RegExp(`\`((?:${kinds})-[a-z]+-[a-z-]+)\``, 'g');
    const unknown = files.flatMap((file) => {
      const mentioned = [...read(file).matchAll(looksLikeARule)].map(([, id = '']) => id);
      return mentioned.filter((id) => !ids.includes(id)).map((id) => `${file}: ${id}`);
    });
    expect(unknown).toEqual([]);
  });
});

it.each(files)('%s: links lead somewhere', (file) => {
  const links = [...withoutBlocks(read(file)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  const broken = links.filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [path = '', anchor] = target.split('#');
    const found = path === '' ? file : join(dirname(file), path);
    return !existsSync(found) || (anchor !== undefined && !anchorsOf(found).includes(anchor));
  });
  expect(broken).toEqual([]);
});

it('errors.md has a section for each code, in order, and for no other', () => {
  expect(headingsOf('docs/errors.md', '##')).toEqual(Object.keys(errorCodes));
  const used = globSync('{src,docs}/**/*.{ts,md}').flatMap((file) => read(file).match(/\bPC\d{4}\b/g) ?? []);
  expect([...new Set(used)].filter((code) => !Object.hasOwn(errorCodes, code))).toEqual([]);
});

describe('configuration', () => {
  const blocks = files.flatMap((file) =>
    [...read(file).matchAll(/^```ya?ml\n([\s\S]*?)^```/gm)]
      .filter(([, text = '']) => text.includes('apiVersion: portcullis.dev/v1'))
      .map(([, text = '']) => [file, text] as const),
  );

  it('examples are there', () => expect(blocks.map(([file]) => file)).toContain('docs/configuration.md'));
  it.each(blocks)('the example in %s is accepted', (_, text) => {
    expect(parseConfiguration(load(text), rules).rules.length).toBeGreaterThan(0);
  });

  it('keys that a page mentions exist', () => {
    const keys = configurationKeys().map(({ path }) => path.replaceAll('[]', ''));
    const sections = keys.filter((key) => keys.some((other) => other.startsWith(`${key}.`)));
    // `exemptions.portcullis.dev` is a resource with its group.
    const looksLikeAKey = new RegExp(
      `\`((?:${sections.filter((key) => !key.includes('.')).join('|')})\\.(?!portcullis\\.dev)[^\`\\s]+)\``,
      'g',
    );
    const mentioned = files.flatMap((file) => [...read(file).matchAll(looksLikeAKey)].map(([, key = '']) => [file, generic(key)] as const));
    expect(mentioned.length).toBeGreaterThan(5);
    expect(mentioned.filter(([, key]) => !keys.includes(key))).toEqual([]);
  });

  const generic = (key: string): string => {
    const plain = key.replaceAll(/\[\d*\]/g, '').replace(/:.*$/, '');
    const named = rules.reduce((text, { meta }) => text.replace(`rules.${meta.id}`, 'rules.<rule-id>'), plain);
    return named.replace(/^(rules\.<[\w-]+>\.options)\..*$/, '$1').replace(/^rules\.<[\w-]+>/, 'rules.<rule-id>');
  };
});

it('flags of portcullis that a page mentions exist', () => {
  const declared = new Set(globSync('src/commands/*.ts').flatMap((file) => read(file).match(/--[a-z][a-z-]+/g) ?? []));
  for (const builtIn of ['--help', '--version']) declared.add(builtIn);
  const calls = files.flatMap((file) =>
    [
      ...read(file).matchAll(
        /\b(?:portcullis|npm run dev --|src\/main\.ts) (?:serve|check|rules|explain|demo|doctor|selftest|audit|snapshot|simulate|flows)\b([^\n`]*)/g,
      ),
    ].flatMap(([, rest = '']) => (rest.match(/--[a-z][a-z-]+/g) ?? []).map((flag) => `${file}: ${flag}`)),
  );
  expect(calls.filter((call) => !declared.has(call.split(': ')[1] as string))).toEqual([]);
});

it('the decisions are numbered without a gap, and the index lists all', () => {
  const decisions = named('docs/decisions/*.md', 'README');
  expect(decisions.map((name) => Number(name.slice(0, 4)))).toEqual(decisions.map((_, index) => index + 1));
  for (const name of decisions) {
    expect(read('docs/decisions/README.md')).toContain(`(${name}.md)`);
    expect(headingsOf(`docs/decisions/${name}.md`, '##')).toEqual(['Situation', 'Decision', 'What follows']);
  }
});

it('the map lists the folders of src, all of them and no other', () => {
  const folders = [...new Set(globSync('src/*/*.ts').map((file) => file.split('/')[1] ?? ''))].sort();
  const mapped = [...read('src/README.md').matchAll(/^[├└]─ (\w+)\//gm)].map(([, folder = '']) => folder);
  expect(mapped.toSorted()).toEqual(folders);
  const files = [...read('src/README.md').matchAll(/`(\w+\/[\w-]+\.ts)`/g)].map(([, file]) => `src/${file}`);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});

it('the licence is the text of the Apache License 2.0', () => {
  expect(read('LICENSE')).toMatch(/^\s+Apache License\n\s+Version 2\.0, January 2004/);
  expect(read('LICENSE')).toContain('END OF TERMS AND CONDITIONS');
});
