/** The open connections: cuts those that Node would leave open for as long as a client likes. */
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Limits } from './limits.ts';

export interface Connections {
  /**
   * To be called when the server is being closed, which ends Node's own timeouts: closes what has not said a word yet (Go
   * dials ahead of need), and what is still at it when a request should long have arrived and been answered.
   */
  closeLate(): void;
}

export function watchConnections(server: Server, limits: Limits): Connections {
  const { checkEveryMs, unreadAnswerMs, requestMs } = limits;
  keepRoom(server, limits.connections);
  const open = new Set<Socket>();
  const unreadSince = new WeakMap<Socket, number>();
  const spoken = new WeakSet<Socket>();
  server.on('secureConnection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', ({ socket }) => void spoken.add(socket));

  // No timeout of Node's concerns an answer that is not read while the client keeps the connection open.
  const check = setInterval(() => {
    const now = performance.now();
    for (const socket of open) {
      if (socket.writableLength === 0) unreadSince.delete(socket);
      else if (!unreadSince.has(socket)) unreadSince.set(socket, now);
      else if (now - (unreadSince.get(socket) as number) > unreadAnswerMs) socket.destroy();
    }
  }, checkEveryMs).unref();
  server.once('close', () => clearInterval(check));

  return {
    closeLate: () => {
      for (const socket of open) if (!spoken.has(socket)) socket.destroy();
      const late = setTimeout(() => server.closeAllConnections(), requestMs);
      server.once('close', () => clearTimeout(late));
    },
  };
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
