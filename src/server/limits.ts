import type { SecureVersion } from 'node:tls';

/**
 * Every limit of the webhook's socket and of the framework behind it. None is left to a default: of a stock Fastify seven
 * lose requests of the API server, or let them by unseen (reliability.md A6). A test compares what is in effect with this.
 */
export const limits: Limits = {
  /** Above anything that can be stored: a 1.5 MiB Ingress of `<` is 18.1 MB as an update (object and oldObject, six bytes each). */
  bodyBytes: 24 * 1024 * 1024,
  /** Up to this size a body is judged as it comes; larger ones take turns (turns.ts). Most reviews are below 10 kB. */
  smallBytes: 128 * 1024,
  /** Bodies in memory at any moment, all together. */
  inFlightBytes: 64 * 1024 * 1024,
  /**
   * What all bodies take up once they are parsed, by the estimate of json-shape.ts: a few bytes may become an object each. The
   * largest that can be stored, a NetworkPolicy of 1.5 MiB in etcd that is all `{from: [{podSelector: {},
   * namespaceSelector: {}}]}`, is 20.8 MB and 212 MB as an update. It must be far below the memory of the Pod.
   */
  parsedBytes: 224 * 1024 * 1024,
  /** Longer than the 90 s for which the API server keeps idle connections: it must be the one that closes. */
  keepAliveMs: 120_000,
  /** It is closed this much later than it is announced. */
  keepAliveBufferMs: 1000,
  /** As long as Go's own limit, so that the client has the word. */
  handshakeMs: 10_000,
  /**
   * From the first byte of a request. Node's headersTimeout runs from the start of the connection, and Go dials ahead of need:
   * it would close connections that the API server keeps for later, and a POST that meets that is lost.
   */
  headersMs: 5000,
  /** From the end of the headers; the API server sends it at once. */
  bodyMs: 10_000,
  /** How long an answer may wait for a client that does not read it. */
  unreadAnswerMs: 8000,
  /** How often the connections are looked at; the four limits of time above are kept to within twice that. */
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
  readonly smallBytes: number;
  readonly inFlightBytes: number;
  readonly parsedBytes: number;
  readonly keepAliveMs: number;
  readonly keepAliveBufferMs: number;
  readonly handshakeMs: number;
  readonly headersMs: number;
  readonly bodyMs: number;
  readonly unreadAnswerMs: number;
  readonly checkEveryMs: number;
  readonly connections: number;
  readonly requestsPerConnection: number;
  readonly headerBytes: number;
  readonly tlsMinimum: SecureVersion;
  readonly protocols: readonly string[];
}
