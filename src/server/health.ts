/** The plain port that kubelet and Prometheus ask: `/livez`, `/readyz`, `/metrics`. */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { limits } from './limits.ts';

export interface HealthOptions {
  /** What stands between us and readiness; empty when ready. */
  readonly missing: () => readonly string[];
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly onInternalError: (error: unknown) => void;
}

export function createHealth(options: HealthOptions): Server {
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.headersMs + limits.bodyMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      keepAliveTimeout: limits.keepAliveMs,
      keepAliveTimeoutBuffer: limits.keepAliveBufferMs,
      maxHeaderSize: limits.headerBytes,
    },
    answers(options),
  );
  server.maxConnections = limits.connections;
  return server;
}

const answers =
  ({ missing, metrics, onInternalError }: HealthOptions): RequestListener =>
  (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'method not allowed');
    switch ((request.url ?? '').split('?', 1)[0]) {
      // That this is answered at all says that the event loop turns.
      case '/livez':
        return send(response, 200, 'ok');
      case '/readyz': {
        const lacks = missing();
        return lacks.length === 0 ? send(response, 200, 'ok') : send(response, 503, `not ready: ${lacks.join(', ')}`);
      }
      case '/metrics':
        metrics().then(
          ({ contentType, text }) => send(response, 200, text, contentType),
          (error: unknown) => {
            onInternalError(error);
            send(response, 500, 'internal error');
          },
        );
        return;
      default:
        return send(response, 404, 'not found');
    }
  };

function send(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}
