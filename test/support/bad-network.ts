/** What lies between us and the API server, and can fail under watches that are open. */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Connections can be cut, and what the server sends be lost without a word. */
export class BadNetwork {
  private readonly server: Server;
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private isLost = false;

  constructor(port: number) {
    this.server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      const pair = [near, far] as const;
      this.pairs.add(pair);
      near.pipe(far).pipe(near);
      if (this.isLost) far.unpipe(near).resume();
      for (const socket of pair)
        socket
          .on('error', () => {})
          .on('close', () => {
            for (const one of pair) one.destroy();
            this.pairs.delete(pair);
          });
    });
  }
  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as { port: number }).port;
  }
  cut(): void {
    for (const [near] of this.pairs) near.resetAndDestroy();
  }
  /** What the server sends on connections that are open is lost from now on. */
  lose(): void {
    for (const [near, far] of this.pairs) far.unpipe(near).resume();
  }
  /** On new ones too, until it heals. */
  loseAll(): void {
    this.isLost = true;
    this.lose();
  }
  heal(): void {
    this.isLost = false;
    this.cut();
  }
  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
