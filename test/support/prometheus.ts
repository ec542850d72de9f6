/** The real Prometheus: promtool for rules, and a server that scrapes what it is told. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { startProcess, until } from './child-process.ts';
import { freePort } from './control-plane.ts';

const directories = process.env['PORTCULLIS_PROMETHEUS'] ?? process.env['PATH'] ?? '';

function programNamed(name: 'prometheus' | 'promtool'): string | undefined {
  return directories
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const programs = { prometheus: programNamed('prometheus'), promtool: programNamed('promtool') };
const isThere = programs.prometheus !== undefined && programs.promtool !== undefined;
if (!isThere) {
  const why = 'prometheus and promtool are not in PATH, nor in PORTCULLIS_PROMETHEUS (Debian: apt-get install prometheus)';
  if (process.env['CI'] === 'true') throw new Error(`Prometheus is required here: ${why}`);
  console.error(`[prometheus] LEFT OUT: every test with the real Prometheus. ${why}`);
}

/** `describe` for what needs Prometheus, and more: whether that is there. */
export const describeWithPrometheus = (andMore: boolean) => describe.runIf(isThere && andMore);

/** What promtool prints; throws with it if it fails. For the files that it reads, JSON is YAML. */
export function promtool(args: readonly string[], { cwd, input }: { readonly cwd?: string; readonly input?: string } = {}): string {
  const { status, stdout, stderr } = spawnSync(programs.promtool as string, args, { cwd, input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`);
  return stdout;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus {
  /** The vector, or scalar, that the expression has now; throws with what Prometheus says of a bad one. */
  query(expression: string): Promise<readonly Sample[]>;
  /** Names of the alerts that are firing. */
  firing(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Scrapes, and evaluates these groups of rules, each second. */
export async function startPrometheus(scrapes: readonly RawObject[], groups: readonly RawObject[]): Promise<Prometheus> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-prometheus-'));
  const file = (name: string, content: unknown): string => {
    writeFileSync(join(directory, name), JSON.stringify(content), { mode: 0o600 });
    return join(directory, name);
  };
  const config = file('prometheus.yaml', {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [file('rules.yaml', { groups })],
    scrape_configs: scrapes,
  });
  const url = `http://127.0.0.1:${await freePort()}`;
  const server = startProcess(programs.prometheus as string, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${new URL(url).host}`,
  ]);
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  const ask = (path: string, form?: URLSearchParams) => fetch(`${url}${path}`, form ? { method: 'POST', body: form } : {});
  try {
    await until('Prometheus is ready', async () => server.hasEnded() || (await ask('/-/ready').catch(() => undefined))?.ok);
    if (server.hasEnded()) throw new Error('Prometheus ended');
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}; its last words:\n${server.output().slice(-2000)}`);
  }
  const query: Prometheus['query'] = async (expression) => {
    const answer = (await (await ask('/api/v1/query', new URLSearchParams({ query: expression }))).json()) as Answer;
    if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error}`);
    const { resultType, result } = answer.data;
    if (resultType === 'scalar') return [{ labels: {}, value: Number((result as readonly unknown[])[1]) }];
    return (result as readonly Result[]).map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  };
  return {
    query,
    firing: async () => (await query('count by (alertname) (ALERTS{alertstate="firing"})')).map(({ labels }) => labels['alertname'] ?? ''),
    stop,
  };
}

interface Result {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

type Answer =
  | { readonly status: 'success'; readonly data: { readonly resultType: string; readonly result: readonly unknown[] } }
  | { readonly status: 'error'; readonly error: string };
