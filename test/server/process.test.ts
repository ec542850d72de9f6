/** The process as a cluster sees it: signals, exit codes, and what it stands of its surroundings. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { requestFor, reviewOf, service } from '../admission/reviews.ts';
import { until } from '../support/child-process.ts';
import { freePort } from '../support/control-plane.ts';
import { dial, send } from './client.ts';

interface Served {
  readonly child: ChildProcess;
  readonly port: number;
  readonly healthUrl: string;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Every line of its log so far, by message; nothing if `unread`. */
  messages(): readonly string[];
  ca(): string;
}

interface Surroundings {
  /** Nobody reads its log. */
  readonly unread?: boolean;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

/** Far longer than any test: what ends earlier did not wait for it. */
const longDrain = ['--drain-seconds', '300'];

async function start({ unread = false, cwd = '.', env = {}, flags = [] }: Surroundings = {}): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-process-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [port, healthPort] = [await freePort(), await freePort()];
  const child = spawn(
    process.execPath,
    [
      ...[resolve('src/main.ts'), 'serve', '--port', String(port), '--health-port', String(healthPort), '--address', '127.0.0.1'],
      ...[
        '--ca-out',
        join(directory, 'ca.crt'),
        ...(flags.includes('--kubeconfig') ? [] : ['--cluster', resolve('examples/cluster')]),
        ...flags,
      ],
    ],
    { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  if (!unread) child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | NodeJS.Signals>((end) => child.once('exit', (code, signal) => end(signal ?? code ?? 0)));
  return {
    ...{ child, port, ended },
    healthUrl: `http://127.0.0.1:${healthPort}`,
    messages: () => output.split('\n').flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { readonly msg: string }).msg])),
    ca: () => readFileSync(join(directory, 'ca.crt'), 'utf8'),
  };
}

const readiness = async ({ healthUrl }: Served): Promise<string> =>
  fetch(`${healthUrl}/readyz`).then(
    (answer) => answer.text(),
    () => 'nobody there',
  );
const untilReady = (served: Served): Promise<unknown> =>
  until('it is ready', async () => (await readiness(served)) === 'ok' || served.child.exitCode !== null, { everyMs: 10 });
/** Warned about, and so in the log, in a line as long as lines get. */
const review = JSON.stringify(
  reviewOf(requestFor(service('n'.repeat(253)), { userInfo: { username: 'u'.repeat(256) }, uid: 'i'.repeat(64) })),
);
/** On a connection of its own, unless an agent is given. */
async function ask(served: Served, agent?: Agent): Promise<string> {
  const own = agent ?? new Agent({ keepAlive: true });
  try {
    const { status, headers } = await send({ port: served.port, ca: served.ca() }, review, { agent: own });
    return `${status} ${String(headers['connection'])}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  } finally {
    if (agent === undefined) own.destroy();
  }
}

describe('the end of the process', () => {
  it('comes in its order: not ready, serving on last connections, nobody let in, the log written, 0', async () => {
    const served = await start({ flags: ['--drain-seconds', '1'] });
    await untilReady(served);
    const trace: string[] = [];
    const note = (event: string): unknown => trace.includes(event) || trace.push(event);
    const idle = await dial({ port: served.port, ca: served.ca() });
    void idle.closed.then(() => note('idle connection closed'));
    let over = false;
    void served.ended.then((how) => {
      over = true;
      note(`exit ${how}`);
    });
    served.child.kill('SIGTERM');
    const askedAt = performance.now();
    while (!over) {
      if ((await readiness(served)) === 'not ready: shutting down') note('not ready');
      if (!trace.includes('not ready')) continue;
      const answer = await ask(served);
      if (answer === '200 close') note('served, connection: close');
      if (answer === 'ECONNREFUSED') note('nobody let in');
      if (performance.now() - askedAt > 300) served.child.kill('SIGTERM'); // hurries nothing
      await sleep(5);
    }
    expect(performance.now() - askedAt).toBeGreaterThan(1000);
    expect(trace.slice(0, 2)).toEqual(['not ready', 'served, connection: close']);
    expect(trace.slice(2)).toEqual(expect.arrayContaining(['idle connection closed', 'exit 0']));
    await vi.waitFor(() => expect(served.messages().at(-1)).toBe('stopped'));
  });

  it.each([60, 120, 180, 240, 300])('comes quickly %i ms after the start, whatever is ready by then', async (ms) => {
    const served = await start({ flags: longDrain });
    await sleep(ms);
    served.child.kill('SIGTERM');
    // Before Node runs a line of ours, the signal itself ends it.
    expect([0, 'SIGTERM']).toContain(await within(10_000, served.ended));
  });

  it('comes quickly where the cluster was never known: nobody can be on the way', async () => {
    const silent = createServer((socket) => void socket.on('error', () => {}));
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void silent.close());
    const server = `http://127.0.0.1:${(silent.address() as { readonly port: number }).port}`;
    const directory = mkdtempSync(join(tmpdir(), 'portcullis-process-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const kubeconfig = join(directory, 'kubeconfig');
    writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor(server)));
    const served = await start({ flags: ['--kubeconfig', kubeconfig, ...longDrain] });
    await until('it listens', async () => (await readiness(served)).includes('not complete yet'));
    served.child.kill('SIGTERM');
    expect(await within(10_000, served.ended)).toBe(0);
  });

  it('comes at once with Ctrl-C twice', async () => {
    const served = await start({ flags: longDrain });
    await untilReady(served);
    served.child.kill('SIGINT');
    await until('it drains', async () => (await readiness(served)) === 'not ready: shutting down');
    served.child.kill('SIGINT');
    expect(await within(10_000, served.ended)).toBe(1);
  });
});

describe('the process serves', () => {
  const lost = async (served: Served): Promise<number> => {
    const text = await (await fetch(`${served.healthUrl}/metrics`)).text();
    return Number(/^portcullis_internal_errors_total\{where="log"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };

  it('when nobody is left to read its log, and counts the lines that nobody got', async () => {
    const served = await start({ flags: ['--drain-seconds', '0'] });
    await untilReady(served);
    served.child.stdout?.destroy();
    await until('a line is lost', async () => (await ask(served)) === '200 keep-alive' && (await lost(served)) > 0);
    expect(await readiness(served)).toBe('ok');
    served.child.kill('SIGTERM');
    expect(await within(20_000, served.ended)).toBe(0);
  });

  it('when its log is read by nobody and the pipe is full, and ends in time all the same', async () => {
    const served = await start({ unread: true, flags: ['--drain-seconds', '0'] });
    await untilReady(served);
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    onTestFinished(() => agent.destroy());
    await until('a line is lost', async () => {
      const answers = await Promise.all(Array.from({ length: 200 }, () => ask(served, agent)));
      expect(new Set(answers)).toEqual(new Set(['200 keep-alive']));
      return (await lost(served)) > 0;
    });
    expect(await readiness(served)).toBe('ok');
    served.child.kill('SIGTERM');
    expect(await within(20_000, served.ended)).toBe('SIGKILL'); // by its own hand: an exit would wait for the pipe
  });

  it('where nothing can be written', async () => {
    const served = await start({ cwd: '/sys', env: { TMPDIR: '/sys', HOME: '/sys' } });
    await untilReady(served);
    expect(await ask(served)).toBe('200 keep-alive');
  });
});

/** Fails instead of waiting for the end of the test's time. */
const within = <T>(ms: number, what: Promise<T>): Promise<T | string> =>
  Promise.race([what, sleep(ms, `not within ${ms / 1000} s`, { ref: false })]);

const kubeconfigFor = (server: string): unknown => ({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'test',
  contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  clusters: [{ name: 'test', cluster: { server } }],
  users: [{ name: 'test', user: {} }],
});
