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

export function watchConnections(server: Server, { checkEveryMs, unreadAnswerMs, requestMs }: Limits): Connections {
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
