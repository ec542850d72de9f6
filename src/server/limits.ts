import type { SecureVersion } from 'node:tls';

/**
 * Every limit of the webhook's socket and of the framework behind it. None is left to a default: of a stock Fastify seven
 * lose requests of the API server, or let them by unseen (reliability.md A6). A test compares what is in effect with this.
 */
export const limits: Limits = {
  /** Above anything that can be stored: a 1.5 MiB Ingress of `<` is 18.1 MB as an update (object and oldObject, six bytes each). */
  bodyBytes: 24 * 1024 * 1024,
  /** Bodies in memory at any moment, all together. */
  inFlightBytes: 64 * 1024 * 1024,
  /** Longer than the 90 s for which the API server keeps idle connections: it must be the one that closes. */
  keepAliveMs: 120_000,
  /** Node closes this much later than it announces. */
  keepAliveBufferMs: 1000,
  /** For the whole request; the API server sends it at once. */
  requestMs: 10_000,
  headersMs: 5000,
  handshakeMs: 5000,
  /** How long an answer may wait for a client that does not read it. */
  unreadAnswerMs: 8000,
  /** How often the limits above are looked at. */
  checkEveryMs: 1000,
  connections: 1024,
  /** Requests on one connection: no limit, since each new connection costs a handshake. */
  requestsPerConnection: 0,
  headerBytes: 16 * 1024,
  tlsMinimum: 'TLSv1.2',
  /** The API server speaks HTTP/1.1 to Services (apiserver pkg/util/webhook/client.go), and so do we to everybody. */
  protocols: ['http/1.1'],
};

export interface Limits {
  readonly bodyBytes: number;
  readonly inFlightBytes: number;
  readonly keepAliveMs: number;
  readonly keepAliveBufferMs: number;
  readonly requestMs: number;
  readonly headersMs: number;
  readonly handshakeMs: number;
  readonly unreadAnswerMs: number;
  readonly checkEveryMs: number;
  readonly connections: number;
  readonly requestsPerConnection: number;
  readonly headerBytes: number;
  readonly tlsMinimum: SecureVersion;
  readonly protocols: readonly string[];
}
