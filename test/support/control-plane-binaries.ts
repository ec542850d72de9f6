/** Where the programs of a real control plane, of a node, and Helm, come from: given, built before, or built now. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Binary,
  binaries,
  buildPrograms,
  type Helm,
  helms,
  type NodePart,
  nodeParts,
  type Program,
  versions,
  whyNoGo,
} from './control-plane-build.ts';

export type BinaryPaths = Readonly<Record<Binary, string>>;

export type HelmPaths = Readonly<Record<Helm, string>>;

export type NodePaths = Readonly<Record<NodePart, string>>;

/** A program is not to be had; the message says why, and what to do. */
export class NoControlPlane extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

/** Outside the checkout, so that a fresh clone finds what an earlier one built; one directory for each set of versions. */
export function cacheDirectory(env: Environment = process.env): string {
  const root =
    env['PORTCULLIS_CONTROL_PLANE_CACHE'] ?? join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'portcullis', 'control-plane');
  return resolve(root, `kubernetes-${versions.kubernetes}-etcd-${versions.etcd}-${process.platform}-${process.arch}`);
}

type Log = (line: string) => void;

/** Paths of the control plane's programs. */
export const controlPlaneBinaries = (log: Log, env: Environment = process.env): Promise<BinaryPaths> => findOrBuild(binaries, log, env);

/** Paths of both Helms. */
export const helmBinaries = (log: Log, env: Environment = process.env): Promise<HelmPaths> => findOrBuild(helms, log, env);

/** Paths of what a node needs beside its control plane. */
export const nodeBinaries = (log: Log, env: Environment = process.env): Promise<NodePaths> => findOrBuild(nodeParts, log, env);

/**
 * `KUBEBUILDER_ASSETS` wins; what it lacks (envtest's archives have no controller manager), and everything without it,
 * comes from the cache, and is built into it where Go can. Throws NoControlPlane.
 */
async function findOrBuild<Name extends Program>(
  names: readonly Name[],
  log: Log,
  env: Environment,
): Promise<Readonly<Record<Name, string>>> {
  const cache = cacheDirectory(env);
  const missing = names.filter((name) => !existsSync(pathOf(name, cache, env)));
  if (missing.length > 0) {
    const reason = await whyNoGo();
    if (reason !== undefined)
      throw new NoControlPlane(
        `${missing.join(', ')}: not in KUBEBUILDER_ASSETS, not in ${cache}, and ${reason}. Install Go, or set KUBEBUILDER_ASSETS to a directory that holds them.`,
      );
    await buildOnce(cache, missing, log).catch((error: Error) => {
      throw new NoControlPlane(`${missing.join(', ')} cannot be built: ${error.message}`);
    });
  }
  return Object.fromEntries(names.map((name) => [name, pathOf(name, cache, env)])) as Record<Name, string>;
}

/** A kubectl that needs no build, of the version of the suite: what one finds on the PATH may be of any other. */
export function cachedKubectl(env: Environment = process.env): string | undefined {
  const path = pathOf('kubectl', cacheDirectory(env), env);
  return existsSync(path) ? path : undefined;
}

function pathOf(name: Program, cache: string, env: Environment): string {
  const assets = env['KUBEBUILDER_ASSETS'];
  const given = assets === undefined || assets === '' ? undefined : resolve(assets, name);
  return given !== undefined && existsSync(given) ? given : join(cache, name);
}

/** One build at a time: whoever comes second waits, and finds it done. */
async function buildOnce(cache: string, wanted: readonly Program[], log: Log): Promise<void> {
  await mkdir(cache, { recursive: true });
  const lock = join(cache, '.lock');
  await acquire(lock, log);
  try {
    const only = wanted.filter((name) => !existsSync(join(cache, name)));
    await buildPrograms(cache, { log, only });
  } finally {
    await rm(lock, { force: true });
  }
}

async function acquire(lock: string, log: Log): Promise<void> {
  for (let told = false; ; told = true) {
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
    if (holder > 0 && !isAlive(holder)) {
      await rm(lock, { force: true });
      continue;
    }
    if (!told) log(`process ${holder} is building here; waiting for it …`);
    await sleep(1000);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
