/** The two ports together: from listening to the last byte. */
import type { AddressInfo, Server } from 'node:net';
import type { Ports } from '../admission/handler.ts';
import { OperatorError } from '../errors.ts';
import type { Callers } from './callers.ts';
import { createHealth } from './health.ts';
import { Lifecycle } from './lifecycle.ts';
import type { Limits } from './limits.ts';
import { type Log, logDecision, whoAndWhat } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { ValidateOptions } from './validate-route.ts';
import { createWebhook, type Keypair, secureContext, type WebhookOptions } from './webhook.ts';

export interface ServerOptions {
  readonly ports: Ports;
  /** False until every collection that may be read was listed once. */
  readonly synced: () => boolean;
  /** What else stands between us and readiness; reviews are answered all the same. */
  readonly unready?: () => readonly string[];
  readonly certificate: Keypair;
  /** Who may ask; everybody who reaches the port, if left out. */
  readonly callers?: Callers | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Every address of the machine, if left out. */
  readonly host?: string | undefined;
  /** 0: any free one. */
  readonly port: number;
  readonly healthPort: number;
  /** For how long to go on answering after `drain` was called, in milliseconds. */
  readonly drainMs: number;
  readonly limits?: Limits;
}

export interface RunningServer {
  readonly port: number;
  readonly healthPort: number;
  readonly isReady: () => boolean;
  /** New connections get this certificate, and are verified by the client authorities of now; those that are open live on with theirs. */
  readonly serve: (certificate: Keypair) => void;
  /**
   * Not ready at once, but serving for the drain time; then sends callers away, finishes what is in flight, and ends. Whom
   * nobody knows yet has nothing to wait for, and ends at once.
   */
  readonly drain: () => Promise<void>;
  /** The same without the drain time. */
  readonly close: () => Promise<void>;
}

/** Rejects with an OperatorError PC0006 if a port cannot be listened on. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { certificate, metrics, synced, drainMs } = options;
  const lifecycle = new Lifecycle();
  /** Somebody was told that we are ready, or got an answer: there may be more callers on their way. */
  let isKnown = false;
  const missing = (): readonly string[] => [
    ...(lifecycle.phase === 'serving' ? [] : ['shutting down']),
    ...(synced() ? [] : ['the view of the cluster is not complete yet']),
    ...(options.unready?.() ?? []),
  ];
  const asked = (): readonly string[] => {
    const lacks = missing();
    isKnown ||= lacks.length === 0;
    return lacks;
  };
  const onInternalError = internalErrors(options);
  const health = createHealth({ missing: asked, metrics: () => metrics.scrape(), onInternalError });
  const validate = validation(options, lifecycle, onInternalError);
  const onHandled: ValidateOptions['onHandled'] = (...review) => {
    isKnown = true;
    validate.onHandled(...review);
  };
  const webhook = createWebhook(certificate, { ...validate, onHandled });
  await webhook.ready();
  const end = async (): Promise<void> => {
    await webhook.close();
    // Last, so that who asks is told "not ready" and not refused for as long as there is work.
    await new Promise((resolve) => {
      health.close(resolve);
      health.closeAllConnections();
    });
  };
  try {
    const healthPort = await listen(health, options.healthPort, options.host);
    const port = await listen(webhook.server, options.port, options.host);
    return {
      port,
      healthPort,
      isReady: () => missing().length === 0,
      serve: (next) => webhook.server.setSecureContext(secureContext(next, options.callers)),
      drain: () => lifecycle.end(isKnown ? drainMs : 0, end),
      close: () => lifecycle.end(0, end),
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function internalErrors({ log, metrics }: ServerOptions) {
  return (error: unknown): void => {
    metrics.internalError('request');
    log.error({ err: error }, 'internal error');
  };
}

function validation(
  { ports, synced, log, metrics, limits, callers }: ServerOptions,
  lifecycle: Lifecycle,
  onInternalError: (error: unknown) => void,
): WebhookOptions {
  return {
    ports,
    synced,
    lifecycle,
    ...(limits && { limits }),
    ...(callers && { callers }),
    onInternalError,
    onTurnedAway: (why) => metrics.turnedAway(why),
    onHandled: (handled, durationMs) => {
      metrics.handled(handled, durationMs);
      if (handled.outcome === 'judged') logDecision(log, handled.asked, handled.decision, durationMs);
      if (handled.outcome === 'unreadable') log.error(whoAndWhat(handled.asked), 'the object of a review cannot be read');
    },
  };
}

/** The port that was taken. Without a host: of both families, or of IPv4 alone on a machine without IPv6. */
async function listen(server: Server, port: number, host: string | undefined): Promise<number> {
  try {
    await listening(server, port, host ?? '::');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (host !== undefined || (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL')) throw unusable(port, error as NodeJS.ErrnoException);
    await listening(server, port, '0.0.0.0').catch((second: NodeJS.ErrnoException) => {
      throw unusable(port, second);
    });
  }
  return (server.address() as AddressInfo).port;
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function unusable(port: number, error: NodeJS.ErrnoException): OperatorError {
  const why = error.code === 'EADDRINUSE' ? 'another process listens on it' : error.code === 'EACCES' ? 'not permitted' : error.message;
  return new OperatorError('PC0006', `port ${port} cannot be listened on: ${why}`, 'choose others with --port and --health-port', {
    cause: error,
  });
}
