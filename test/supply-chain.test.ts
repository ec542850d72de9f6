/** What we build from, and what a release is made with: held by what stands in the repository. */
import { globSync, readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { readonly packages: Readonly<Record<string, Locked>> };
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
/** They say it in an older form, which the lockfile does not carry: all three are MIT. */
const saidOtherwise = ['buildcheck', 'cpu-features', 'ssh2'];
/** The tool's own entry has the licence. */
const isBuildForAPlatform = (path: string, { dev, optional }: Locked): boolean =>
  dev === true && optional === true && /[-/](linux|darwin|win32|android|freebsd|openbsd|netbsd|openharmony|wasm32|sunos|aix)/.test(path);
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Free to ship without conditions beyond a copy of the licence, which dist/LICENSES.txt is. */
const permissive = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD', 'Unlicense', 'PSF-2.0', 'BlueOak-1.0.0'];
/** Of tools that build and test, and are in nothing that we ship. */
const ofTools = [...permissive, 'MPL-2.0', 'MIT OR Apache-2.0', '(MIT AND Zlib)'];

describe('the lockfile', () => {
  it('pins every package by its content, and to no place', () => {
    expect(packages.length).toBeGreaterThan(200);
    const unpinned = packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
    // Builds of our tools for other platforms, which the registry that the lockfile was made with does not have.
    expect(unpinned.filter(([path, locked]) => !isBuildForAPlatform(path, locked)).map(([path]) => path)).toEqual([]);
    expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
  });

  it('holds nothing whose licence we may not ship, or build with', () => {
    const unfit = packages.filter(([path, { license, dev }]) => {
      if (saidOtherwise.includes(nameOf(path))) return dev !== true;
      if (license === undefined) return !isBuildForAPlatform(path, lock.packages[path] as Locked);
      return !(dev === true ? ofTools : permissive).includes(license);
    });
    expect(unfit.map(([path, { license }]) => `${nameOf(path)}: ${license}`)).toEqual([]);
  });

  it('runs no script of a package that was not looked at', () => {
    const scripted = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => nameOf(path));
    expect(scripted.filter((name) => !Object.hasOwn(packageJson.allowScripts, name) && name !== 'fsevents')).toEqual([]);
    expect(packages.filter(([, { hasInstallScript, dev }]) => hasInstallScript === true && dev !== true)).toEqual([]);
  });

  // reliability.md A5: each of these versions is the first without a defect that an admission port can be reached by.
  it.each([
    ['fastify', '5.8.3'],
    ['js-yaml', '5.2.1'],
    ['node', '24.18.1'],
    ['undici', '8.0.0'],
  ])('has a %s of at least %s', (name, floor) => {
    const version = lock.packages[`node_modules/${name}`]?.version ?? '0';
    expect(version.localeCompare(floor, 'en', { numeric: true }), version).toBeGreaterThanOrEqual(0);
  });

  it('gives the server few direct dependencies', () => {
    const ofPages = ['@hpcc-js/wasm-graphviz', 'htm', 'preact', 'preact-render-to-string'];
    expect(Object.keys(packageJson.dependencies).filter((name) => !ofPages.includes(name)).length).toBeLessThanOrEqual(16);
  });
});

describe('the image', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8');

  it('is one stage on a base of the user, without a shell and without root', () => {
    expect(dockerfile.match(/^FROM .*/gm)).toEqual([expect.stringContaining('BASE')]);
    expect(dockerfile).not.toMatch(/^RUN /m);
    expect(dockerfile).toMatch(/^USER 65532:65532$/m);
  });
});

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<string, { readonly 'timeout-minutes': number; readonly steps: readonly { readonly uses?: string; readonly run?: string }[] }>
  >;
}

describe('the workflows', () => {
  const workflows = globSync('.github/workflows/*.yaml').map((file) => [file, load(readFileSync(file, 'utf8')) as Workflow] as const);
  const stepsOf = (workflow: Workflow) => Object.values(workflow.jobs).flatMap(({ steps }) => steps);

  it('are there', () => expect(workflows.map(([file]) => file).sort()).toHaveLength(3));

  it.each(workflows)('%s uses actions by their content, with the rights of a reader, for a limited time', (_file, workflow) => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    for (const { uses } of stepsOf(workflow)) if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    for (const job of Object.values(workflow.jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0);
  });

  it.each(workflows)('%s puts nothing that others wrote into a script', (_file, workflow) => {
    for (const { run = '' } of stepsOf(workflow)) expect(run).not.toMatch(/\$\{\{\s*github\.(event|head_ref|actor|ref_name)/);
  });

  it.each(workflows)('%s runs what is there', (_file, workflow) => {
    const scripts = stepsOf(workflow).flatMap(({ run = '' }) =>
      [...run.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script as string),
    );
    for (const script of scripts) expect(Object.keys(packageJson.scripts)).toContain(script);
  });
});
