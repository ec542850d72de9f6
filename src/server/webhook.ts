/** The webhook's port: HTTPS, `POST /validate` and nothing else. Bodies of errors are fixed: they tell nobody anything. */
import type { Socket } from 'node:net';
import fastify, { type FastifyError, type FastifyReply } from 'fastify';
import { type Callers, guardCallers } from './callers.ts';
import { refuse, watchConnections } from './connections.ts';
import { limits as defaults } from './limits.ts';
import { plain, type Webhook } from './plain.ts';
import { type ValidateOptions, validateRoute } from './validate-route.ts';

/** A certificate chain and its key, PEM. */
export interface Keypair {
  readonly cert: string;
  readonly key: string;
}

export interface WebhookOptions extends ValidateOptions {
  /** Everybody who reaches the port, if left out. */
  readonly callers?: Callers;
}

/** Certificates go in together with what else a secure context holds: what is left out falls back to a default. */
export const secureContext = ({ cert, key }: Keypair, callers?: Callers) => ({
  cert,
  key,
  ...(callers?.certificates && { ca: callers.certificates.authorities().pem }),
  minVersion: defaults.tlsMinimum,
  honorCipherOrder: true,
});

export function createWebhook(keypair: Keypair, options: WebhookOptions): Webhook {
  const { limits = defaults, callers } = options;
  const app = fastify({
    https: {
      ...secureContext(keypair, callers),
      ALPNProtocols: [...limits.protocols],
      handshakeTimeout: limits.handshakeMs,
      // Node counts from the start of the connection, and Go dials ahead of need: see limits.ts.
      headersTimeout: 0,
      keepAliveTimeoutBuffer: limits.keepAliveBufferMs,
      maxHeaderSize: limits.headerBytes,
      requestCert: callers?.certificates !== undefined,
      // `guardCallers` does it, and says why.
      rejectUnauthorized: false,
    },
    bodyLimit: limits.bodyBytes,
    // Who is slow with a request, or to read its answer, is cut by `watchConnections`.
    requestTimeout: 0,
    connectionTimeout: 0,
    keepAliveTimeout: limits.keepAliveMs,
    maxRequestsPerSocket: limits.requestsPerConnection,
    // Each review has its own deadline, from the API server.
    handlerTimeout: 0,
    // Draining is ours: Fastify's 503 lacks the header that makes the API server try again.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Its close waits for `watchConnections`, which has bounds of its own.
    pluginTimeout: 0,
    exposeHeadRoutes: false,
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    trustProxy: false,
    requestIdHeader: false,
    logger: false,
    allowErrorHandlerOverride: false,
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, ignoreDuplicateSlashes: false },
    frameworkErrors: (_error, _request, reply) => void plain(reply as unknown as FastifyReply, 400, 'bad request'),
    clientErrorHandler: answerBrokenRequest,
  }) as unknown as Webhook;
  app.server.maxConnections = limits.connections;
  if (callers !== undefined) guardCallers(app, callers, limits);
  const connections = watchConnections(app.server, limits);
  app.addHook('preClose', () => connections.end());
  // The route reads the body itself; of any other type than this one, not a byte.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', (_request, payload, done) => done(null, payload));
  app.setNotFoundHandler((request, reply) =>
    request.url.split('?', 1)[0] === '/validate'
      ? plain(reply.header('allow', 'POST'), 405, 'method not allowed')
      : plain(reply, 404, 'not found'),
  );
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const { code, statusCode = 500 } = error;
    if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return plain(reply, 415, 'unsupported media type');
    if (statusCode >= 400 && statusCode < 500) return plain(reply, statusCode, 'bad request');
    // What is left goes to the administrator's failurePolicy, which an answer of ours would take the place of.
    options.onInternalError(error);
    return plain(reply, 500, 'internal error');
  });
  validateRoute(app, options);
  return app;
}

/** What is no HTTP, or has too many headers. */
function answerBrokenRequest({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ECONNRESET') socket.destroy();
  else refuse(socket, code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request');
}
