/** What kube-proxy is to a Service: each new connection goes to one of the backends that are ready at that moment. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { PassThrough, Transform } from 'node:stream';

export interface Balancer {
  readonly port: number;
  /** From now on, new connections go to these ports of the loopback address only. */
  setReady(ports: readonly number[]): void;
  close(): Promise<void>;
}

/** `answerDelayMs` holds back what backends send: whoever watches through it sees everything that much later. */
export async function startBalancer(port: number, { answerDelayMs = 0, listen = '127.0.0.1' } = {}): Promise<Balancer> {
  let ready: readonly number[] = [];
  let next = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const backend = ready[next++ % Math.max(1, ready.length)];
    if (backend === undefined) {
      client.resetAndDestroy();
      return;
    }
    join(client, connect(backend, '127.0.0.1'), sockets, answerDelayMs);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, listen, resolve);
  });
  return {
    port,
    setReady: (ports) => {
      ready = ports;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function join(client: Socket, backend: Socket, sockets: Set<Socket>, answerDelayMs: number): void {
  for (const [from, to] of [
    [client, backend],
    [backend, client],
  ] as const) {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  }
  client.pipe(backend);
  backend.pipe(later(answerDelayMs)).pipe(client);
}

function later(ms: number): PassThrough | Transform {
  if (ms === 0) return new PassThrough();
  const pass = (chunk: Buffer, _: unknown, done: (error: null, chunk: Buffer) => void): void => void setTimeout(done, ms, null, chunk);
  return new Transform({ transform: pass });
}
