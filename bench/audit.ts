/**
 * `node bench/audit.ts [rounds] [seconds]`: what the audit of about 5,000 objects with 500 findings costs, and whether reviews
 * wait for it. Two processes watch the same API server: one audits everything again each second, far more often than anybody
 * would, the other only once. Rounds alternate; medians of the ratios within a round are what counts.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newAuthority, newCertificate } from '../test/support/certificate.ts';
import { until } from '../test/support/child-process.ts';
import type { Cell } from './load.ts';
import { build, cpuTicks, kubeconfigFor, load, median, type Portcullis, startPortcullis, startScript } from './servers.ts';

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 3);
/** Pods, Pods of a workload, and of how many Services one is broken: 2,500 workloads, each with a Service and an Ingress, and 50 policies. */
const scene = ['10000', '4', '5'];
const silent = ['--reports', 'off', '--no-events'];

async function metric({ healthUrl }: Portcullis, name: string): Promise<number> {
  const text = await (await fetch(`${healthUrl}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#'));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Of one audit of everything, the last of some: working time, and the CPU of the whole process from one to the next, in seconds. */
async function costOf(server: Portcullis): Promise<{ readonly work: number; readonly cpu: number }> {
  const passed = (): Promise<number> => metric(server, 'portcullis_audit_timestamp_seconds');
  const work: number[] = [];
  const cpu: number[] = [];
  for (let pass = 0; pass < 5; pass++) {
    const [last, ticks] = [await passed(), cpuTicks(server.process.pid)];
    await until('another audit is over', async () => (await passed()) > last, { everyMs: 50 });
    work.push(await metric(server, 'portcullis_audit_work_seconds'));
    cpu.push((cpuTicks(server.process.pid) - ticks) / 100);
  }
  return { work: median(work), cpu: median(cpu) };
}

async function compare(quiet: Portcullis, busy: Portcullis): Promise<boolean> {
  for (const { url } of [quiet, busy]) await load(url, 8, 0, 30_000);
  await until('the first audit is over', async () => (await metric(busy, 'portcullis_audit_timestamp_seconds')) > 0);
  await sleep(5_000);
  const { work, cpu } = await costOf(busy);
  console.log(`objects with findings open: ${await metric(busy, 'portcullis_open_findings')}`);
  console.log(`one audit of everything: ${work.toFixed(2)} s of work, ${cpu.toFixed(2)} s of CPU from one to the next`);
  let holds = cpu < 2;
  for (const connections of [1, 8]) {
    const cells: (readonly [Cell, Cell])[] = [];
    for (let round = 0; round < rounds; round++) {
      const first = await load((round % 2 === 0 ? quiet : busy).url, connections, seconds);
      const second = await load((round % 2 === 0 ? busy : quiet).url, connections, seconds);
      cells.push(round % 2 === 0 ? [first, second] : [second, first]);
    }
    const ratios = (['p50', 'p99', 'perSecond'] as const).map((of) => median(cells.map(([without, audited]) => audited[of] / without[of])));
    console.log(
      `${connections} connection(s), with the audit / without: p50 ${ratios[0]?.toFixed(2)}, p99 ${ratios[1]?.toFixed(2)}, throughput ${ratios[2]?.toFixed(2)}`,
    );
    holds &&= (ratios[0] as number) < 1.2 && (ratios[1] as number) < 1.2;
  }
  return holds;
}

async function bench(directory: string): Promise<boolean> {
  const { cert, key } = await newCertificate(await newAuthority('bench'), ['localhost']);
  writeFileSync(join(directory, 'tls.crt'), cert);
  writeFileSync(join(directory, 'tls.key'), key);
  const apiServer = await startScript('api-server.ts', ...scene);
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigFor(apiServer.port));
  const quiet = await startPortcullis(directory, kubeconfig, ...silent, '--audit-interval', '24h');
  const busy = await startPortcullis(directory, kubeconfig, ...silent, '--audit-interval', '1s');
  try {
    return await compare(quiet, busy);
  } finally {
    for (const { process: one } of [quiet, busy, apiServer]) await one.stop('SIGKILL');
  }
}

await build();
const directory = mkdtempSync(join(tmpdir(), 'portcullis-bench-audit-'));
try {
  process.exitCode = (await bench(directory)) ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
