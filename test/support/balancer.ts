/** What kube-proxy is to a Service: each new connection goes to one of the backends that are ready at that moment. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Balancer {
  readonly port: number;
  /** From now on, new connections go to these ports of the loopback address only. */
  setReady(ports: readonly number[]): void;
  close(): Promise<void>;
}

export async function startBalancer(port: number): Promise<Balancer> {
  let ready: readonly number[] = [];
  let next = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const backend = ready[next++ % Math.max(1, ready.length)];
    if (backend === undefined) {
      client.resetAndDestroy();
      return;
    }
    join(client, connect(backend, '127.0.0.1'), sockets);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
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

function join(a: Socket, b: Socket, sockets: Set<Socket>): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }
}
