/** What benchmarks start and measure: servers in processes of their own, and load on them. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RunningProcess, startProcess, until } from '../test/support/child-process.ts';
import type { Cell } from './load.ts';

const here = import.meta.dirname;
const bundle = join(here, '..', 'dist', 'portcullis.js');
/** As in the Dockerfile. */
const env = { NODE_OPTIONS: '--max-semi-space-size=8 --max-old-space-size=360', MALLOC_ARENA_MAX: '1' };

export const build = (): Promise<unknown> => promisify(execFile)(process.execPath, [join(here, '..', 'scripts', 'build.ts')]);

const free = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

export interface Announced {
  readonly process: RunningProcess;
  readonly port: string;
  readonly ms: number;
}

/** One of our scripts that says on which port it listens. */
export async function startScript(script: string, ...args: readonly string[]): Promise<Announced> {
  const start = performance.now();
  const process_ = startProcess(process.execPath, [join(here, script), ...args]);
  const port = (): string | undefined => {
    if (process_.hasEnded()) throw new Error(`${script} ended: ${process_.output()}`);
    return /listening (\d+)/.exec(process_.output())?.[1];
  };
  return { port: await until(`${script} listens`, port, { everyMs: 5 }), process: process_, ms: performance.now() - start };
}

const statusOf = (url: string): Promise<number> =>
  new Promise((resolve) => {
    get(url, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on('error', () => resolve(0));
  });

export interface Portcullis {
  readonly url: string;
  readonly healthUrl: string;
  readonly process: RunningProcess;
  readonly readyMs: number;
}

export async function startPortcullis(certificates: string, kubeconfig: string, ...flags: readonly string[]): Promise<Portcullis> {
  const [port, healthPort] = [await free(), await free()];
  const start = performance.now();
  const tls = ['--tls-cert', join(certificates, 'tls.crt'), '--tls-key', join(certificates, 'tls.key')];
  const where = ['--address', '127.0.0.1', '--port', String(port), '--health-port', String(healthPort)];
  const process_ = startProcess(process.execPath, [bundle, 'serve', '--kubeconfig', kubeconfig, ...tls, ...where, ...flags], { env });
  const ready = async (): Promise<boolean> => {
    if (process_.hasEnded()) throw new Error(`portcullis ended: ${process_.output()}`);
    return (await statusOf(`http://127.0.0.1:${healthPort}/readyz`)) === 200;
  };
  await until('Portcullis is ready', ready, { everyMs: 5 });
  const healthUrl = `http://127.0.0.1:${healthPort}`;
  return { url: `https://127.0.0.1:${port}/validate`, healthUrl, process: process_, readyMs: performance.now() - start };
}

export const kubeconfigFor = (port: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    clusters: [{ name: 'bench', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'bench', user: { token: 'bench' } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  });

/** For so many seconds, or for so many requests where an amount is given. */
export async function load(url: string, connections: number, seconds: number, amount = 0): Promise<Cell> {
  const args = [join(here, 'load.ts'), url, String(connections), String(seconds), String(amount)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const cell = JSON.parse(stdout) as Cell;
  if (cell.failed > 0) throw new Error(`${url}: ${cell.failed} requests failed`);
  return cell;
}

/** Clock ticks of 10 ms, in user and in kernel; 0 where there is no /proc. */
export function cpuTicks(pid: number): number {
  try {
    const [, , ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ');
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return 0;
  }
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
