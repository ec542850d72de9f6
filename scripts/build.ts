/** `npm run build [-- DIRECTORY]`: everything in one file, dist/portcullis.js, which Node runs alone; the licences and the bill of materials of what is in it. */
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { sbomOf } from './build/sbom.ts';

const root = dirname(import.meta.dirname);
const directory = process.argv[2] ?? join(root, 'dist');
const output = join(directory, 'portcullis.js');

/** In a checkout `explain` reads docs/rules; the one file carries the pages with it. */
const embeddedRulePages = {
  name: 'embedded-rule-pages',
  load(id: string) {
    if (!id.endsWith(join('src', 'commands', 'rule-pages.ts'))) return undefined;
    const pages = globSync(join(root, 'docs', 'rules', '*.md')).map((file) => [basename(file, '.md'), readFileSync(file, 'utf8')]);
    return {
      code: `const pages = new Map(${JSON.stringify(pages)});\nexport const rulePage = (id) => pages.get(id);`,
      moduleType: 'js' as const,
    };
  },
};

/** Of client-node we take the reading of kubeconfigs. Its index would bring a class for each kind of the API: 15 MB. */
const kubeconfigOnly = {
  name: 'kubeconfig-only',
  resolveId: (id: string) =>
    id === '@kubernetes/client-node' ? join(root, 'node_modules', '@kubernetes', 'client-node', 'dist', 'config.js') : undefined,
};

/** The folder of the package that a bundled module comes from, or undefined for our own code. */
function packageOf(module: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module.replace(/^\0/, ''))?.[0];
}

const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>;

function licenceOf(folder: string): string {
  const { name, version, license } = manifestOf(folder);
  const text = globSync(join(folder, '{LICEN[CS]E,licen[cs]e,COPYING}*'))[0];
  return `${name} ${version}: ${license}\n\n${text === undefined ? '' : readFileSync(text, 'utf8').trim()}\n`;
}

async function build(): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  await using bundle = await rolldown({
    input: join(root, 'src', 'main.ts'),
    platform: 'node',
    plugins: [embeddedRulePages, kubeconfigOnly],
    treeshake: { moduleSideEffects: (id) => !id.includes('/@kubernetes/client-node/') },
    // Packages whose only fault is to be CommonJS, or to try optional ones, are nothing to act on.
    onLog: (level, log, handler) => {
      if (level === 'warn' && (log.id?.includes('node_modules') ?? false)) return;
      handler(level, log);
    },
  });
  const { output: chunks } = await bundle.write({ file: output, format: 'esm', codeSplitting: false, minify: true });
  const modules = chunks.flatMap((chunk) => (chunk.type === 'chunk' ? Object.keys(chunk.modules) : []));
  const packages = [...new Set(modules.map(packageOf).filter((folder) => folder !== undefined))].sort();
  writeFileSync(join(directory, 'LICENSES.txt'), packages.map(licenceOf).join(`\n${'-'.repeat(80)}\n\n`));
  const identities = packages.map(manifestOf).map(({ name, version }) => `${name}@${version}`);
  writeFileSync(join(directory, 'sbom.cdx.json'), sbomOf(new Set(identities)));
  const kilobytes = Math.round(readFileSync(output).length / 1024);
  console.log(`${relative(process.cwd(), output)}: ${kilobytes} kB, ${packages.length} packages`);
}

if (!existsSync(join(root, 'node_modules'))) throw new Error('Run "npm ci" first.');
await build();
