/** `POST /validate`: bytes in, bytes out. Everything between is `admission/`. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { budgetMs } from '../admission/deadline.ts';
import { type Deadline, type Handled, handle, type Ports } from '../admission/handler.ts';
import { ByteBudget, readBody } from './body.ts';
import { weightOf } from './json-shape.ts';
import type { Lifecycle } from './lifecycle.ts';
import { limits as defaults, type Limits } from './limits.ts';
import { plain, type Webhook } from './plain.ts';
import { Turns } from './turns.ts';

/** Why a request got no review. */
export type TurnedAway = 'malformed' | 'too-large' | 'overloaded' | 'unready' | 'closing';

export interface ValidateOptions {
  readonly ports: Ports;
  /** False until every collection that may be read was listed once. */
  readonly synced: () => boolean;
  readonly lifecycle: Lifecycle;
  readonly onHandled: (handled: Handled, durationMs: number) => void;
  readonly onTurnedAway: (why: TurnedAway) => void;
  readonly onInternalError: (error: unknown) => void;
  readonly limits?: Limits;
}

type Outcome = { readonly answer: string; readonly why?: never } | { readonly answer?: never; readonly why: TurnedAway };

export function validateRoute(app: Webhook, options: ValidateOptions): void {
  const { lifecycle, limits = defaults } = options;
  const arrived = new ByteBudget(limits.inFlightBytes);
  const understood = new ByteBudget(limits.parsedBytes);
  const turns = new Turns();

  /** A body that has arrived whole: answered, or why not. */
  async function answerTo(bytes: Buffer, deadline: Deadline, startedAt: number): Promise<Outcome> {
    if (lifecycle.phase === 'closing') return { why: 'closing' };
    if (!options.synced()) return { why: 'unready' };
    const weight = weightOf(bytes, limits.parsedBytes);
    if (weight === Number.POSITIVE_INFINITY) return { why: 'too-large' };
    if (!understood.take(weight)) return { why: 'overloaded' };
    const end = bytes.length > limits.smallBytes ? await turns.take() : undefined;
    try {
      const handled = await handle(parsed(bytes), deadline, options.ports);
      options.onHandled(handled, performance.now() - startedAt);
      return handled.outcome === 'refused' ? { why: 'malformed' } : { answer: JSON.stringify(handled.answer) };
    } finally {
      end?.();
      understood.giveBack(weight);
    }
  }

  app.post('/validate', async (request: FastifyRequest, reply: FastifyReply) => {
    const startedAt = performance.now();
    const body = await readBody(request.raw, limits.bodyBytes, arrived);
    if (lifecycle.phase !== 'serving') reply.header('connection', 'close');
    if (body.bytes === undefined) return body.why === 'gone' ? reply.hijack() : turnAway(reply, body.why, options);
    try {
      const { answer, why } = await answerTo(body.bytes, deadlineOf(request, startedAt), startedAt);
      return why === undefined ? reply.type('application/json').send(answer) : turnAway(reply, why, options);
    } finally {
      body.release();
    }
  });
}

/** What is no JSON is no review. `JSON.parse` makes `__proto__` an own key like any other; nothing here copies it further. */
function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

const statuses: Readonly<Record<TurnedAway, readonly [code: number, text: string]>> = {
  malformed: [400, 'not an AdmissionReview of admission.k8s.io/v1'],
  'too-large': [413, 'request too large'],
  overloaded: [429, 'too many requests'],
  unready: [503, 'not ready'],
  closing: [503, 'shutting down'],
};

/**
 * The API server tries a 429 or 5xx again if it carries Retry-After, and on another connection, which may lead to another
 * replica, if this one is closed (client-go rest/with_retry.go).
 */
function turnAway(reply: FastifyReply, why: TurnedAway, { onTurnedAway }: ValidateOptions): FastifyReply {
  onTurnedAway(why);
  const [code, text] = statuses[why];
  if (why !== 'malformed') reply.header('connection', 'close');
  if (code === 429 || code === 503) reply.header('retry-after', '1');
  return plain(reply, code, text);
}

/** The time since the headers came counts: it has run at the API server too. */
function deadlineOf(request: FastifyRequest, startedAt: number): Deadline {
  const { timeout } = request.query as { readonly timeout?: unknown };
  const end = startedAt + budgetMs(typeof timeout === 'string' ? timeout : undefined);
  return { remainingMs: () => end - performance.now(), signal: (ms) => AbortSignal.timeout(Math.max(0, Math.floor(ms))) };
}
