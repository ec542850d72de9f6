/** A process of another program for the time of a test: its output is kept, and it ends with us, however we end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RunningProcess {
  readonly pid: number;
  /** The last lines that it wrote, of both streams. */
  output(): string;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  hasEnded(): boolean;
  /** Asks with the signal, and insists after `graceMs`. Resolves once it is gone. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<number | NodeJS.Signals>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const keptBytes = 256 * 1024;

export function startProcess(command: string, args: readonly string[], { env = {}, cwd }: StartOptions = {}): RunningProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env }, ...(cwd && { cwd }) });
  let kept = '';
  const keep = (chunk: string): void => {
    kept = (kept + chunk).slice(-keptBytes);
  };
  child.stdout?.setEncoding('utf8').on('data', keep);
  child.stderr?.setEncoding('utf8').on('data', keep);

  const guard = child.pid === undefined ? undefined : guardOf(child.pid);
  let over = false;
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    const end = (how: number | NodeJS.Signals): void => {
      over = true;
      guard?.kill('SIGKILL');
      resolve(how);
    };
    child.once('close', (code, signal) => end(signal ?? code ?? 0));
    child.once('error', (error) => {
      keep(String(error));
      if (child.pid === undefined) end(127);
    });
  });
  return {
    pid: child.pid ?? 0,
    output: () => kept,
    ended,
    hasEnded: () => over,
    stop: (signal = 'SIGTERM', graceMs = 5000) => stop(child, ended, () => over, signal, graceMs),
  };
}

async function stop(
  child: ChildProcess,
  ended: Promise<number | NodeJS.Signals>,
  isOver: () => boolean,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<number | NodeJS.Signals> {
  if (!isOver()) child.kill(signal);
  const insist = setTimeout(() => child.kill('SIGKILL'), graceMs);
  try {
    return await ended;
  } finally {
    clearTimeout(insist);
  }
}

/**
 * Kills the process when we are gone without having stopped it: the shell's `read` ends as the pipe from us breaks,
 * which even SIGKILL does. It stands in a process group of its own, so that Ctrl-C at a terminal does not end it first.
 */
function guardOf(pid: number): ChildProcess {
  const guard = spawn('sh', ['-c', 'read -r line; kill -KILL "$0"', String(pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  guard.stdin?.on('error', () => {});
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();
  return guard;
}

/** Asks again and again until the answer is neither undefined nor false; the error names what was waited for. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { withinMs = 30_000, everyMs = 50 }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await sleep(everyMs);
  }
}
