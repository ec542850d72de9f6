/** One cell of the benchmark, in a process of its own: `node bench/load.ts <address> <connections> <seconds> [<requests>]` prints a line of JSON. */
import { createHistogram } from 'node:perf_hooks';
import autocannon, { type Result } from 'autocannon';
import { review } from './review.ts';

export interface Cell {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Answers that were no 200, connections that broke, requests that got no answer. */
  readonly failed: number;
}

const [url = '', connections = '1', seconds = '3', amount = '0'] = process.argv.slice(2);
// autocannon's own histogram counts whole milliseconds: too coarse for answers that take a tenth of one.
const microseconds = createHistogram();
const { promise, resolve, reject } = Promise.withResolvers<Result>();
const options = {
  url,
  method: 'POST' as const,
  headers: { 'content-type': 'application/json', 'user-agent': 'kube-apiserver-admission' },
  body: review,
  connections: Number(connections),
  ...(Number(amount) > 0 ? { amount: Number(amount) } : { duration: Number(seconds) }),
  bailout: 1000,
};
const load = autocannon(options, (error: Error | null, result: Result) => (error === null ? resolve(result) : reject(error)));
load.on('response', (_client, _status, _bytes, milliseconds) => microseconds.record(Math.max(1, Math.round(milliseconds * 1000))));
const { '2xx': answered, duration, errors, timeouts, non2xx } = await promise;
const cell: Cell = {
  perSecond: answered / duration,
  p50: microseconds.percentile(50) / 1000,
  p99: microseconds.percentile(99) / 1000,
  failed: errors + timeouts + non2xx,
};
console.log(JSON.stringify(cell));
