/**
 * `npm run bench`: the whole webhook beside two servers that only parse the review and allow it, all over TLS, in the
 * same run. Rounds alternate, so that a ratio within one round is fair on a machine with neighbours; medians of those
 * ratios are what counts. The first argument is the number of rounds, the second the seconds of a cell.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newAuthority, newCertificate } from '../test/support/certificate.ts';
import type { RunningProcess } from '../test/support/child-process.ts';
import { pods } from './cluster.ts';
import type { Cell } from './load.ts';
import { build, cpuTicks, kubeconfigFor, load, median, startPortcullis, startScript } from './servers.ts';

const rounds = Number(process.argv[2] ?? 3);
const seconds = Number(process.argv[3] ?? 3);
const warmUpRequests = 30_000;

interface Server {
  readonly name: 'node:https' | 'Fastify' | 'Portcullis';
  readonly url: string;
  readonly process: RunningProcess;
  readonly readyMs: number;
}

interface Measurement extends Cell {
  /** Microseconds of the server's own CPU time for each review: what neighbours disturb least. */
  readonly cpu: number;
}

type Measured = ReadonlyMap<Server['name'], ReadonlyMap<number, Measurement>>;

async function startEcho(name: Server['name'], framework: string, certificates: string): Promise<Server> {
  const { process: process_, port, ms } = await startScript('echo.ts', framework, certificates);
  return { name, url: `https://127.0.0.1:${port}/validate`, process: process_, readyMs: ms };
}

/** In MB: now, and at its highest. Undefined where there is no /proc. */
function memoryOf(pid: number): { readonly now: number; readonly peak: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = (key: string): number => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]);
    return { now: kilobytes('VmRSS') / 1024, peak: kilobytes('VmHWM') / 1024 };
  } catch {
    return undefined;
  }
}

async function measure(server: Server, connections: number): Promise<Measurement> {
  const before = cpuTicks(server.process.pid);
  const cell = await load(server.url, connections, seconds);
  return { ...cell, cpu: ((cpuTicks(server.process.pid) - before) * 10_000) / (cell.perSecond * seconds) };
}

async function measureRound(servers: readonly Server[]): Promise<Measured> {
  const measured = new Map(servers.map(({ name }) => [name, new Map<number, Measurement>()]));
  for (const connections of [1, 8])
    for (const server of servers) measured.get(server.name)?.set(connections, await measure(server, connections));
  return measured;
}

const cellOf = (round: Measured, name: Server['name'], connections: number): Measurement =>
  round.get(name)?.get(connections) as Measurement;

function ratio(all: readonly Measured[], of: keyof Measurement, connections: number, to: Server['name']): number {
  return median(all.map((round) => cellOf(round, 'Portcullis', connections)[of] / cellOf(round, to, connections)[of]));
}

function table(all: readonly Measured[], servers: readonly Server[]): void {
  for (const connections of [1, 8]) {
    console.log(
      `\n${connections} connection${connections === 1 ? '' : 's'}          reviews/s of each round${' '.repeat(14)}p50 ms   p99 ms   CPU µs (medians)`,
    );
    for (const { name } of servers) {
      const cells = all.map((round) => cellOf(round, name, connections));
      const perSecond = cells.map((cell) => Math.round(cell.perSecond)).join(', ');
      const [p50, p99, cpu] = (['p50', 'p99', 'cpu'] as const).map((key) => median(cells.map((cell) => cell[key])).toFixed(2));
      console.log(`${name.padEnd(23)}${perSecond.padEnd(38)}${p50?.padStart(6)}   ${p99?.padStart(6)}   ${cpu?.padStart(6)}`);
    }
  }
}

interface Goal {
  readonly what: string;
  readonly measured: number;
  readonly holds: boolean;
}

function goals(all: readonly Measured[], memory: number, startMs: number): readonly Goal[] {
  const throughput = ratio(all, 'perSecond', 8, 'Fastify');
  const tail = ratio(all, 'p99', 8, 'Fastify');
  return [
    { what: 'throughput at 8 connections, of the Fastify echo: at least 0.80', measured: throughput, holds: throughput >= 0.8 },
    { what: 'p99 at 8 connections, of the Fastify echo: at most 1.50', measured: tail, holds: tail <= 1.5 },
    { what: 'throughput at 8 connections, of the node:https echo', measured: ratio(all, 'perSecond', 8, 'node:https'), holds: true },
    { what: 'start to ready with an empty cluster, seconds: below 1', measured: startMs / 1000, holds: startMs < 1000 },
    { what: `RSS with ${pods} Pods after the load, MB: below 150`, measured: memory, holds: memory < 150 },
  ];
}

async function bench(directory: string): Promise<boolean> {
  const certificates = join(directory, 'tls');
  mkdirSync(certificates);
  const { cert, key } = await newCertificate(await newAuthority('bench'), ['localhost']);
  writeFileSync(join(certificates, 'tls.crt'), cert);
  writeFileSync(join(certificates, 'tls.key'), key);
  const servers: Server[] = [];
  const others: RunningProcess[] = [];
  const kubeconfig = async (count: number): Promise<string> => {
    const { port, process: process_ } = await startScript('api-server.ts', String(count));
    others.push(process_);
    const file = join(directory, `kubeconfig-${count}`);
    writeFileSync(file, kubeconfigFor(port));
    return file;
  };
  try {
    const startMs = await timeToStart(certificates, await kubeconfig(0));
    const full = await kubeconfig(pods);
    servers.push(await startEcho('node:https', 'node', certificates));
    servers.push(await startEcho('Fastify', 'fastify', certificates));
    servers.push({ name: 'Portcullis', ...(await startPortcullis(certificates, full)) });
    return await compare(servers, startMs);
  } finally {
    for (const one of [...servers.map((server) => server.process), ...others]) await one.stop('SIGKILL');
  }
}

/** Milliseconds from start to ready where there is nothing to list; the median. */
async function timeToStart(certificates: string, kubeconfig: string): Promise<number> {
  const starts: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const server = await startPortcullis(certificates, kubeconfig);
    starts.push(server.readyMs);
    await server.process.stop('SIGKILL');
  }
  return median(starts);
}

async function compare(servers: readonly Server[], startMs: number): Promise<boolean> {
  // The same number of requests for each, not the same time: V8 compiles what has run often.
  for (const { url } of servers) await load(url, 8, 0, warmUpRequests);
  const all: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    // Whoever comes first in one round comes last in the next: the neighbours' load drifts.
    all.push(await measureRound(round % 2 === 0 ? servers : servers.toReversed()));
  }
  await sleep(1000);
  console.log(`${rounds} rounds of ${seconds} s on ${cpus().length} cores (${cpus()[0]?.model}), Node ${process.version}`);
  table(all, servers);
  console.log('\nstart to ready, ms; RSS, MB (highest)');
  for (const {
    name,
    readyMs,
    process: { pid },
  } of servers) {
    const memory = memoryOf(pid);
    console.log(`${name.padEnd(23)}${readyMs.toFixed(0).padStart(6)}   ${memory?.now.toFixed(0)} (${memory?.peak.toFixed(0)})`);
  }
  const portcullis = servers.find(({ name }) => name === 'Portcullis') as Server;
  const reached = goals(all, memoryOf(portcullis.process.pid)?.now ?? 0, startMs);
  console.log('\ngoals (medians of the ratios within a round)');
  for (const { what, measured, holds } of reached)
    console.log(`${holds ? 'ok    ' : 'MISSED'}  ${measured.toFixed(2).padStart(7)}  ${what}`);
  return reached.every(({ holds }) => holds);
}

await build();
const directory = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
try {
  process.exitCode = (await bench(directory)) ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
