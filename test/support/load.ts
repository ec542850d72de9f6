/** Writes at a steady pace through the real API server, and what became of each, with the audit log as the witness. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RawObject } from '../../src/kube/resources.ts';
import { until } from './child-process.ts';
import type { ApiAnswer, AuditEntry, Cluster } from './cluster.ts';

/** What is written again and again, under new names. */
export interface Subject {
  readonly path: string;
  readonly namespace: string;
  /** What we would say of it; `unasked` for what no webhook of ours may be called about. */
  readonly verdict: 'pass' | 'deny' | 'unasked';
  object(name: string): RawObject;
}

/**
 * - `judged`: our verdict, and the right one; `unasked` writes: taken;
 * - `unsure`: broken, and let through with a warning or a note of what could not be checked;
 * - `failedOpen`: let through since we did not answer, which the API server wrote down;
 * - `blocked`: refused since we did not answer;
 * - `unserved`: the API server itself did not answer, or was not ready to;
 * - `wrong`: anything else, such as a broken object let through without a word though we answered, or a right one refused.
 */
export type Outcome = 'judged' | 'unsure' | 'failedOpen' | 'blocked' | 'unserved' | 'wrong';

export interface Written {
  readonly subject: Subject;
  readonly name: string;
  /** `performance.now()` */
  readonly sentAt: number;
  readonly ms: number;
  readonly answer: ApiAnswer | Error;
}

export interface Judged extends Written {
  readonly outcome: Outcome;
  /** For how long the API server waited for us: what it wrote down, which it does for writes of 500 ms and more; else the whole time. */
  readonly oursMs: number;
  /** What it wrote down beside. */
  readonly annotations: AuditEntry['annotations'];
}

export interface Load {
  /** Resolves once broken objects have been refused, and no write was lost, for so long. */
  steadyFor(ms: number, withinMs?: number): Promise<void>;
  /** Sends no more; resolves with everything once it is answered. */
  end(): Promise<readonly Written[]>;
}

/** Beyond it a small machine would be overloaded, and other things would be tested: the pace gives way then. */
const mostInFlight = 48;

/** In turn, so many each second as long as answers come. */
export function startLoad(cluster: Cluster, subjects: readonly Subject[], perSecond: number): Load {
  const written: Written[] = [];
  const pending = new Set<Promise<void>>();
  const round = Date.now().toString(36);
  let sent = 0;
  let due = 0;
  let last = performance.now();
  const send = async (subject: Subject, name: string): Promise<void> => {
    const sentAt = performance.now();
    const answer = await cluster.request('POST', subject.path, subject.object(name)).catch((error: Error) => error);
    written.push({ subject, name, sentAt, ms: performance.now() - sentAt, answer });
  };
  const timer = setInterval(() => {
    const now = performance.now();
    // What could not be sent in time is not made up for in a burst.
    due = Math.min(due + ((now - last) / 1000) * perSecond, perSecond / 4);
    last = now;
    for (; due >= 1 && pending.size < mostInFlight; due--, sent++) {
      const one = send(subjects[sent % subjects.length] as Subject, `load-${round}-${sent}`);
      pending.add(one);
      void one.then(() => pending.delete(one));
    }
  }, 10);
  return {
    async steadyFor(ms, withinMs = 30_000) {
      const from = performance.now();
      await until(
        `all verdicts are right for ${ms} ms`,
        () => {
          const since = Math.max(from, performance.now() - ms);
          const recent = written.filter(({ sentAt }) => sentAt >= since);
          return performance.now() - from >= ms && recent.some(({ subject }) => subject.verdict === 'deny') && recent.every(isServed);
        },
        { withinMs },
      ).catch((error: Error) => {
        throw new Error(`${error.message}; the last that was not: ${textOf(written.findLast((one) => !isServed(one)))}`);
      });
    },
    async end() {
      clearInterval(timer);
      await Promise.all(pending);
      return written;
    },
  };
}

const textOf = (one: Written | undefined): string =>
  one === undefined ? 'none' : `${one.subject.path} ${one.answer instanceof Error ? one.answer : JSON.stringify(one.answer)}`;

/** As far as the answer tells: that a right object was let through unseen stands in the audit log alone. */
const isServed = ({ answer, subject }: Written): boolean =>
  !(answer instanceof Error) && (subject.verdict === 'deny' ? isDenial(answer) : answer.status === 201);

const isDenial = ({ status, body }: ApiAnswer): boolean =>
  status === 422 && body.message.startsWith('admission webhook "validate.portcullis.dev" denied the request: ');

/** Joins what clients saw with what the API server wrote down, once it has written all of it. */
export async function judge(cluster: Cluster, written: readonly Written[]): Promise<readonly Judged[]> {
  const asked = written.filter(({ subject }) => subject.verdict !== 'unasked');
  const namespaces = [...new Set(asked.map(({ subject }) => subject.namespace))];
  const answered = asked.filter(({ answer }) => !(answer instanceof Error)).length;
  let log = auditOf(cluster, namespaces);
  const known = (): number => asked.filter(({ name, answer }) => !(answer instanceof Error) && log.has(name)).length;
  // The entry is written after the answer; of what a killed API server answered last, never.
  for (let tries = 0; known() < answered && tries < 10; tries++) {
    await sleep(100);
    log = auditOf(cluster, namespaces);
  }
  return written.map((one) => {
    const entry = log.get(one.name);
    return { ...one, outcome: outcomeOf(one, entry), oursMs: oursMs(one, entry), annotations: entry?.annotations };
  });
}

const auditOf = (cluster: Cluster, namespaces: readonly string[]): ReadonlyMap<string, AuditEntry> =>
  new Map(namespaces.flatMap((namespace) => cluster.audit(namespace).map((entry) => [entry.objectRef.name ?? '', entry] as const)));

/** Written by the API server's admission for each entry that failed open (validating/dispatcher.go). */
export const hasFailedOpen = ({ annotations = {} }: AuditEntry): boolean =>
  Object.keys(annotations).some((key) => key.startsWith('failed-open.validating.webhook.admission.k8s.io/'));

function outcomeOf({ subject, answer }: Written, entry: AuditEntry | undefined): Outcome {
  if (answer instanceof Error) return 'unserved';
  const { status, warnings } = answer;
  const message = String(answer.body?.message ?? answer.body);
  if (message.includes('failed calling webhook "validate.portcullis.dev"')) return 'blocked';
  if (isUnserved(status, message)) return 'unserved';
  if (subject.verdict === 'unasked') return status === 201 ? 'judged' : 'wrong';
  // What a killed API server let through last: nobody knows how.
  if (entry === undefined) return 'unserved';
  if (status === 201 && hasFailedOpen(entry)) return 'failedOpen';
  if (subject.verdict === 'pass') return status === 201 ? 'judged' : 'wrong';
  if (isDenial(answer)) return 'judged';
  return status === 201 && (warnings.length > 0 || saysNotEvaluated(entry)) ? 'unsure' : 'wrong';
}

const saysNotEvaluated = ({ annotations = {} }: AuditEntry): boolean => Object.hasOwn(annotations, 'validate.portcullis.dev/not-evaluated');

/**
 * While it starts: 403 until its admission plugins have seen what they watch (admission.NewForbidden); while it starts or
 * ends: 422, since it cannot allocate addresses (registry/core/service/ipallocator).
 */
const isUnserved = (status: number, message: string): boolean =>
  status >= 500 ||
  status === 429 ||
  (status === 403 && message.includes('not yet ready to handle request')) ||
  (status === 422 && message.includes('failed to allocate'));

function oursMs({ ms }: Written, entry: AuditEntry | undefined): number {
  const noted = entry?.annotations?.['apiserver.latency.k8s.io/validating-webhook'];
  if (noted !== undefined) return goMs(noted);
  return Math.min(ms, 500);
}

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, µs: 0.001, ns: 0.000001 };

/** As Go prints a time.Duration: `1m2.5s`, `3.000123ms`. */
const goMs = (text: string): number =>
  [...text.matchAll(/([\d.]+)(h|ms|m|s|µs|ns)/g)].reduce((sum, [, number, unit = 's']) => sum + Number(number) * (unitMs[unit] ?? 0), 0);
