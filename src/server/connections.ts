/** The open connections: cuts those that Node would leave open for as long as a client likes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Limits } from './limits.ts';

export interface Connections {
  /**
   * To be called before the server is closed: says goodbye to what is not in the middle of anything, even if it has not said
   * a word yet (Go dials ahead of need), and cuts what is still at it when a request should long have arrived and been
   * answered. Resolves once all that was open is closed; until then who dials is let in.
   */
  end(): Promise<void>;
}

/** After its handshake. */
interface Connection {
  readonly socket: Socket;
  /** Idle up to the first byte of a request, then in its headers up to their end. */
  phase: 'idle' | 'headers' | 'request';
  /** When the phase began. */
  since: number;
  /** What had been received when it last became idle: with one byte more a request begins. */
  bytesBefore: number;
  /** The latest request: those before it have arrived. */
  latest: { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined;
  /** Since when there has been something of an answer that the client does not read. */
  unreadSince: number | undefined;
}

export function watchConnections(server: Server, limits: Limits): Connections {
  keepRoom(server, limits.connections);
  const open = new Map<Socket, Connection>();
  server.on('secureConnection', (socket) => {
    const since = performance.now();
    open.set(socket, { socket, phase: 'idle', since, bytesBefore: 0, latest: undefined, unreadSince: undefined });
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', (request, response) => {
    const connection = open.get(request.socket);
    if (connection === undefined) return;
    connection.latest = { request, response };
    enter(connection, 'request', performance.now());
  });
  // One look at all of them costs less than timers that each request would set and clear.
  const check = setInterval(() => {
    const now = performance.now();
    for (const connection of open.values()) {
      checkPhase(connection, now, limits);
      checkReader(connection, now, limits);
    }
  }, limits.checkEveryMs).unref();
  server.once('close', () => clearInterval(check));

  return {
    end: async () => {
      const late = setTimeout(() => server.closeAllConnections(), limits.bodyMs);
      const sweep = (): void => {
        const now = performance.now();
        for (const connection of open.values()) {
          checkPhase(connection, now, limits);
          if (connection.phase !== 'idle' || hasBegun(connection) || !connection.socket.writable) continue;
          open.delete(connection.socket);
          sayGoodbye(connection.socket);
        }
      };
      const sweeping = setInterval(sweep, sweepMs);
      server.once('close', () => {
        clearTimeout(late);
        clearInterval(sweeping);
      });
      const all = Promise.all(Array.from(open.keys(), closed));
      sweep();
      await all;
    },
  };
}

const goodbye = 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
/** So long a client may take to go. */
const goodbyeMs = 2000;
/** How often those that have been answered meanwhile are looked for. */
const sweepMs = 20;

/**
 * A request may be on its way to us, on a connection that is idle as far as we know, and the API server tries no POST again
 * whose connection just ends (EOF). So the last thing that it hears is an answer, asked or not, which it obeys: to come
 * again, elsewhere. Where it has not asked, Go's client drops the connection as it would have, with a line in the log
 * ("Unsolicited response received on idle HTTP channel", net/http transport.go). Node's own way, `closeIdleConnections`,
 * destroys also what has been answered and not yet sent.
 */
function sayGoodbye(socket: Socket): void {
  const impatience = setTimeout(() => socket.destroy(), goodbyeMs);
  socket.once('close', () => clearTimeout(impatience));
  // What still comes has been answered: it goes to no parser any more.
  socket.removeAllListeners('data').on('data', () => {});
  socket.end(goodbye);
}

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()));

/** Answers outside of any request, and closes. */
export function refuse(socket: Socket, status: string): void {
  if (socket.writable) socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  socket.destroy();
}

function enter(connection: Connection, phase: Connection['phase'], now: number): void {
  connection.phase = phase;
  connection.since = now;
}

/** Node's parser takes the bytes before any listener sees them, but they are counted. */
const hasBegun = ({ socket, bytesBefore }: Connection): boolean => socket.bytesRead > bytesBefore;

function checkPhase(connection: Connection, now: number, limits: Limits): void {
  const { socket, phase, since, latest } = connection;
  const elapsed = now - since;
  if (phase === 'idle') {
    if (hasBegun(connection)) enter(connection, 'headers', now);
    else if (elapsed > limits.keepAliveMs + limits.keepAliveBufferMs) socket.destroy();
  } else if (phase === 'headers') {
    if (elapsed > limits.headersMs) refuse(socket, '408 Request Timeout');
  } else if (latest?.request.complete !== true) {
    if (elapsed <= limits.bodyMs) return;
    if (latest?.response.headersSent === true) socket.destroy();
    else refuse(socket, '408 Request Timeout');
  } else if (latest.response.writableFinished) {
    connection.latest = undefined;
    connection.bytesBefore = socket.bytesRead;
    enter(connection, 'idle', now);
  }
}

/** No timeout of Node's concerns an answer that is not read while the client keeps the connection open. */
function checkReader(connection: Connection, now: number, { unreadAnswerMs }: Limits): void {
  const { socket, unreadSince } = connection;
  if (socket.writableLength === 0) connection.unreadSince = undefined;
  else if (unreadSince === undefined) connection.unreadSince = now;
  else if (now - unreadSince > unreadAnswerMs) socket.destroy();
}

/** From this part of all connections on, room is made for those to come. */
const crowded = 0.9;

interface Held {
  readonly socket: Socket;
  /** Once it is closed, the socket does not know any more. */
  readonly address: string;
  isBusy: boolean;
  idleSince: number;
}

/**
 * One caller must not keep the others out by holding connections: a call of the API server that is not let in is a review
 * that is lost. So the address with the most connections gives one up, the one that has been idle for longest.
 */
function keepRoom(server: Server, most: number): void {
  const open = new Map<string, Held>();
  server.on('connection', (socket: Socket) => {
    if (socket.destroyed) return;
    const key = keyOf(socket);
    open.set(key, { socket, address: socket.remoteAddress ?? '', isBusy: false, idleSince: performance.now() });
    socket.once('close', () => open.delete(key));
    if (open.size > most * crowded) dispensable([...open.values()])?.socket.destroy();
  });
  server.on('request', ({ socket }, response) => {
    const held = open.get(keyOf(socket));
    if (held === undefined) return;
    held.isBusy = true;
    response.once('close', () => {
      held.isBusy = false;
      held.idleSince = performance.now();
    });
  });
}

/** TLS puts a socket of its own on top: what they have in common is the other end. */
const keyOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string => `${remoteAddress} ${remotePort}`;

/** None if all connections of the address with the most are in the middle of a request. */
function dispensable(held: readonly Held[]): Held | undefined {
  const byAddress = [...Map.groupBy(held, ({ address }) => address).values()];
  const [crowd = []] = byAddress.sort((a, b) => b.length - a.length);
  return crowd.filter(({ isBusy }) => !isBusy).sort((a, b) => a.idleSince - b.idleSince)[0];
}
