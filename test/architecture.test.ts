import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Folder → the folders and packages it may import. Reading this table is reading the architecture. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  kube: [],
  cluster: ['kube', 'fastest-levenshtein'],
  engine: ['cluster', 'kube'],
  rules: ['engine', 'cluster', 'kube', 'zod'],
  config: ['engine', 'cluster', 'kube', 'errors.ts', 'zod'],
  admission: ['engine', 'cluster', 'kube', 'zod'],
  picture: ['engine', 'cluster', 'kube'],
  reports: ['picture', 'engine', 'kube', 'node:crypto', 'preact', 'preact-render-to-string', 'htm/preact'],
  doctor: ['config', 'engine', 'cluster', 'kube'],
  snapshots: ['cluster', 'kube', 'errors.ts', 'zod'],
  client: ['kube', 'errors.ts', '@kubernetes/client-node', 'undici', 'node:'],
  sources: ['client', 'cluster', 'kube', 'errors.ts', 'js-yaml', 'node:'],
  sinks: ['audit', 'reports', 'client', 'engine', 'kube'],
  audit: ['sources', 'client', 'config', 'engine', 'cluster', 'kube'],
  certificates: ['client', 'kube', 'errors.ts', 'selfsigned', 'node:'],
  server: ['admission', 'engine', 'cluster', 'kube', 'errors.ts', 'fastify', 'pino', '@prometheus-io/client', 'node:'],
  commands: ['*'],
};
/** These fold no I/O, no clock and no chance into their answers: same input, same output. */
const pure = ['kube', 'cluster', 'engine', 'rules', 'config', 'admission', 'picture', 'reports', 'doctor', 'snapshots'];
const impure =
  /\b(process|console|performance|setTimeout|setInterval|setImmediate|fetch|Buffer)\b[.(]|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(/;

const files = globSync('src/*/**/*.ts').sort();
const read = (file: string): string => readFileSync(file, 'utf8');
const withoutComments = (code: string): string => code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1');
const folderOf = (file: string): string => file.split('/')[1] as string;

const specifiers = (code: string): string[] =>
  [...code.matchAll(/\bfrom\s+'([^']+)'|\bimport\(\s*'([^']+)'|^import\s+'([^']+)'/gm)].map(([, a, b, c]) => (a ?? b ?? c) as string);

function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return normalize(join(dirname(file), specifier)).split('/')[1] as string;
  return specifier.startsWith('node:') && !mayImport[folderOf(file)]?.includes(specifier) ? 'node:' : specifier;
}

describe('layers', () => {
  it('sees the source', () => expect(files.length).toBeGreaterThan(40));

  it('knows every folder', () => expect([...new Set(files.map(folderOf))].sort()).toEqual(Object.keys(mayImport).sort()));

  it.each(files)('%s imports only what its folder may', (file) => {
    const allowed = [folderOf(file), ...(mayImport[folderOf(file)] ?? [])];
    if (allowed.includes('*')) return;
    for (const specifier of specifiers(read(file))) expect(allowed, `${file} imports ${specifier}`).toContain(targetOf(file, specifier));
  });

  it.each(files.filter((file) => pure.includes(folderOf(file))))('%s is pure', (file) => {
    expect(withoutComments(read(file)).match(impure)?.[0]).toBeUndefined();
  });

  it.each(files)('%s stays readable in one sitting', (file) => {
    expect(read(file).split('\n').length).toBeLessThanOrEqual(folderOf(file) === 'rules' ? 151 : 301);
  });

  it('has no file called after nothing', () => {
    expect(files.filter((file) => /\/(utils?|helpers?|common|types|misc)\.ts$/.test(file))).toEqual([]);
  });
});
