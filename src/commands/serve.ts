/** `portcullis serve`: the webhook, beside a live cluster or on one read from files. */
import { setFlagsFromString } from 'node:v8';
import closeWithGrace from 'close-with-grace';
import { type Log, stdoutLog } from '../server/log.ts';
import type { Metrics } from '../server/metrics.ts';
import type { ServeOptions } from './serve-options.ts';
import { type ServerHandle, startServer } from './start-server.ts';

export { type ServeOptions, serveDefaults } from './serve-options.ts';
export { startServer } from './start-server.ts';

/** What is left for the requests in flight and the last lines of the log, after the drain time. */
const exitWithinMs = 15_000;

/** Runs until a signal ends the process, with exit code 0 once all that was in flight is answered. Rejects with an OperatorError. */
export async function serve(options: ServeOptions): Promise<number> {
  // V8 learns from the first listing that what is parsed lives long, and from then on puts every review's garbage with the
  // old objects, where it stays until a full collection: twice the memory (docs/benchmarks.md).
  setFlagsFromString('--no-allocation-site-pretenuring');
  let metrics: Metrics | undefined;
  const { log, end: endLog } = stdoutLog(() => metrics?.internalError('log'), options.logLevel);
  const starting = startServer(options, {
    log,
    onMetrics: (created) => {
      metrics = created;
    },
  });
  const ended = Promise.withResolvers<number>();
  const uninstall = onSignals(options.drainMs, async (error) => {
    if (error !== undefined) metrics?.internalError('process');
    await stop(starting, error, log);
    if (!(await endLog())) leave();
    ended.resolve(error === undefined ? 0 : 1);
  });
  try {
    const { url, healthUrl, ca } = await starting;
    // The log says it too. This is for a person who has just started it by hand.
    if (process.stderr.isTTY) process.stderr.write(`portcullis answers on ${url}, health and metrics on ${healthUrl}\n${ca ?? ''}`);
  } catch (error) {
    uninstall();
    if (!(await endLog())) leave();
    throw error;
  }
  return ended.promise;
}

/**
 * A write to a full pipe holds a thread of Node's, and every other way to end a process waits for its threads: kubelet
 * would have to kill it at the end of the grace period.
 */
const leave = (): boolean => process.kill(process.pid, 'SIGKILL');

/** After an error that nobody caught there is no telling what still works: no drain, but what is in flight is finished. */
async function stop(starting: Promise<ServerHandle>, error: Error | undefined, log: Log): Promise<void> {
  if (error === undefined) log.info('shutting down');
  else log.fatal({ err: error }, 'unexpected error: shutting down');
  const server = await starting.catch(() => undefined);
  await (error === undefined ? server?.drain() : server?.close());
  log.info('stopped');
}

/** close-with-grace swallows the error that it is called for, so `end` gets it; then it ends the process. */
function onSignals(drainMs: number, end: (error: Error | undefined) => Promise<void>): () => void {
  const delay = drainMs + exitWithinMs;
  // A second signal makes it exit at once, with what is in flight lost. That is right for Ctrl-C twice, not for SIGTERM.
  const grace = closeWithGrace({ delay, logger: false, skip: ['SIGTERM'] }, async ({ err }) => end(err));
  let ending = false;
  const terminate = (): void => {
    if (!ending) grace.close();
    ending = true;
  };
  // In the place of main.ts, which has nothing to finish; without a moment between the two, in which a signal would be lost.
  const before = process.listeners('SIGTERM');
  process.on('SIGTERM', terminate);
  for (const listener of before) process.off('SIGTERM', listener);
  return () => {
    grace.uninstall();
    process.off('SIGTERM', terminate);
  };
}
