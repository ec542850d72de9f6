/** A webhook on a free port of loopback, and an API server's end of the line. */
import { type Agent, type RequestOptions, request } from 'node:https';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { beforeAll, onTestFinished } from 'vitest';
import type { Ports } from '../../src/admission/handler.ts';
import type { Callers } from '../../src/server/callers.ts';
import { type Limits, limits } from '../../src/server/limits.ts';
import { createLog } from '../../src/server/log.ts';
import { createMetrics, type Metrics } from '../../src/server/metrics.ts';
import type { OpenFindings } from '../../src/server/open-findings.ts';
import { type RunningServer, startServer } from '../../src/server/server.ts';
import { configurationOf, portsOf, requestFor, reviewOf, service, snapshotOf } from '../admission/reviews.ts';
import { newAuthority, newCertificate, type ServingCertificate } from '../support/certificate.ts';

export interface Identity {
  readonly ca: string;
  readonly certificate: ServingCertificate;
}

export async function newIdentity(): Promise<Identity> {
  const authority = await newAuthority('test');
  return { ca: authority.cert, certificate: await newCertificate(authority, ['localhost']) };
}

const shared: { identity?: Promise<Identity> } = {};
/** One for all tests of a file: keys take time. */
export const identity = (): Promise<Identity> => (shared.identity ??= newIdentity());
export const warmUp = (): void =>
  beforeAll(async () => {
    await identity();
  });

export interface Started extends RunningServer {
  readonly ca: string;
  readonly logged: Record<string, unknown>[];
  readonly metrics: Metrics;
  readonly counted: () => Promise<string>;
}

export interface Circumstances {
  readonly ports?: Ports;
  readonly synced?: () => boolean;
  readonly drainMs?: number;
  readonly limits?: Partial<Limits>;
  readonly callers?: Callers;
  readonly openFindings?: OpenFindings;
}

/** Closed at the end of the test, whatever becomes of it. */
export async function start(circumstances: Circumstances = {}): Promise<Started> {
  const { ca, certificate } = await identity();
  const logged: Record<string, unknown>[] = [];
  const ports = circumstances.ports ?? portsOf(snapshotOf(), configurationOf([]));
  const metrics = createMetrics({
    version: '1.2.3',
    snapshot: () => ports.snapshot(),
    certificateEnds: () => new Map([['leaf', 1_000]]),
    openFindings: circumstances.openFindings ?? (() => []),
  });
  const server = await startServer({
    ports,
    synced: circumstances.synced ?? (() => true),
    certificate,
    log: createLog({ write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }),
    metrics,
    host: '127.0.0.1',
    port: 0,
    healthPort: 0,
    drainMs: circumstances.drainMs ?? 0,
    limits: { ...limits, ...circumstances.limits },
    callers: circumstances.callers,
  });
  onTestFinished(() => server.close());
  return { ...server, ca, logged, metrics, counted: async () => (await metrics.scrape()).text };
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: () => { readonly response: { readonly uid: string; readonly allowed: boolean } & Readonly<Record<string, unknown>> };
  /** The socket that carried it was used before. */
  readonly reused: boolean;
}

export interface Asking extends Pick<RequestOptions, 'method' | 'path' | 'headers'> {
  readonly agent?: Agent;
  readonly ca?: string;
}

export function send(server: Pick<Started, 'port' | 'ca'>, body: string | Buffer | undefined, asking: Asking = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: server.port,
        ca: asking.ca ?? server.ca,
        agent: asking.agent ?? false,
        method: asking.method ?? 'POST',
        path: asking.path ?? '/validate?timeout=3s',
        headers: asking.headers ?? {
          'content-type': 'application/json',
          accept: 'application/json, */*',
          'user-agent': 'kube-apiserver-admission',
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: () => JSON.parse(text) as ReturnType<Answered['json']>,
            reused: sent.reusedSocket,
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

export const reviewText = (changes: Parameters<typeof requestFor>[1] = {}): string =>
  JSON.stringify(reviewOf(requestFor(service(), changes)));

/** A TLS connection to write to by hand; what came back, and when it was closed. */
export async function dial(server: Pick<Started, 'port' | 'ca'>, options: ConnectionOptions & { readonly localAddress?: string } = {}) {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port: server.port, ca: server.ca, servername: 'localhost', ...options });
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve) => socket.once('secureConnect', resolve));
  onTestFinished(() => void socket.destroy());
  return { socket, closed, received: () => received };
}
