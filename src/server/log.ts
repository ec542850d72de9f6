/**
 * JSON lines on stdout. Text that others wrote stands in strings that `display` has cleaned, so that a line is one line and
 * a terminal shows what is there; of Secrets there is nothing to log, since their content is dropped where it was read.
 */
import { setTimeout } from 'node:timers/promises';
import pino, { type DestinationStream, type Logger } from 'pino';
import type { Asked } from '../admission/request.ts';
import type { Decision } from '../engine/review.ts';
import { display, printableJson } from '../kube/display.ts';

export type Log = Logger;

/** Unread lines beyond this are dropped: a reader of the log that hangs must not hang the webhook. */
const maxUnreadBytes = 1024 * 1024;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** So long the last lines may take to find a reader. */
const lastLinesMs = 1000;

export interface StdoutLog {
  readonly log: Log;
  /** Ends the log. Resolves once nobody has anything to read any more: true; or to false, if a reader of the pipe hangs. */
  end(): Promise<boolean>;
}

/** A log on stdout that never blocks; `onDrop` hears of each line that found no room. */
export function stdoutLog(onDrop: () => void = () => {}, level: LogLevel = 'info'): StdoutLog {
  const stream = pino.destination({ dest: 1, sync: false, maxLength: maxUnreadBytes });
  stream.on('drop', onDrop);
  // A closed pipe: there is nobody left to tell.
  const gone = Promise.withResolvers<true>();
  stream.on('error', () => {
    onDrop();
    gone.resolve(true);
  });
  return {
    log: createLog(stream, level),
    end: () => {
      stream.once('finish', () => gone.resolve(true));
      stream.end();
      return Promise.race([gone.promise, setTimeout(lastLinesMs, false)]);
    },
  };
}

export const createLog = (destination: DestinationStream, level: LogLevel = 'info'): Log =>
  pino(
    {
      base: null,
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { err: describeError },
      // Whatever a message of the API server or a file's name holds.
      hooks: { streamWrite: printableJson },
    },
    destination,
  );

function describeError(error: unknown) {
  if (!(error instanceof Error)) return { message: display(String(error), 1000) };
  return {
    type: display(error.name, 100),
    message: display(error.message, 1000),
    stack: (error.stack ?? '').split('\n', 30).map((line) => display(line, 300)),
  };
}

/** What was decided, for every decision that is more than a plain yes. */
export function logDecision(log: Log, asked: Asked, decision: Decision, durationMs: number): void {
  const { denials, warnings, skipped, faults } = decision;
  for (const { ruleId, cause } of faults) log.error({ uid: display(asked.uid, 64), rule: ruleId, err: cause }, 'rule failed');
  if (decision.allowed && warnings.length === 0) return;
  const verdict = decision.allowed ? 'warn' : 'deny';
  log.info(
    {
      ...whoAndWhat(asked),
      decision: verdict,
      deny: idsOf(denials),
      warn: idsOf(warnings.map(({ finding }) => finding)),
      skipped: idsOf(skipped),
      ms: Math.round(durationMs * 100) / 100,
    },
    verdict === 'deny' ? 'denied' : 'allowed with warnings',
  );
}

export const whoAndWhat = ({ uid, user, operation, kind, namespace, name, dryRun }: Asked) => ({
  uid: display(uid, 64),
  user: display(user.username, 256),
  operation: display(operation, 16),
  object: display(`${kind} ${namespace}/${name}`, 400),
  dryRun,
});

const idsOf = (entries: readonly { readonly ruleId: string }[]): readonly string[] => [...new Set(entries.map(({ ruleId }) => ruleId))];
