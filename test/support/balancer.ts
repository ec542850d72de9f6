/** What kube-proxy is to a Service: each new connection goes to one of the backends that are ready at that moment. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { PassThrough, Transform } from 'node:stream';

/**
 * How the way to all backends can fail: nobody listens; connections are reset; everything sent, on new connections and
 * on old ones, is taken and nothing comes back; TLS handshakes begin and do not end.
 */
export type Failure = 'refuses' | 'resets' | 'swallows' | 'stalls';

export interface Balancer {
  readonly port: number;
  /** From now on, new connections go to these ports of the loopback address only. */
  setReady(ports: readonly number[]): void;
  /** From now on it fails so, or, without a word, no more: connections that the failure held are reset then. */
  fail(failure?: Failure): Promise<void>;
  /** Ends all connections: who wants to go on has to dial. */
  cut(): void;
  /** How many connections led to a backend where nobody listens any more. */
  deadDials(): number;
  close(): Promise<void>;
}

/** `answerDelayMs` holds back what backends send: whoever watches through it sees everything that much later. */
export async function startBalancer(port: number, { answerDelayMs = 0, listen = '127.0.0.1' } = {}): Promise<Balancer> {
  let ready: readonly number[] = [];
  let failure: Failure | undefined;
  let next = 0;
  let deadDials = 0;
  const pairs = new Set<Pair>();
  // Each direction ends by itself, as through the packet rules of a node.
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    client.on('error', () => {});
    const backend = ready[next++ % Math.max(1, ready.length)];
    if (failure === 'swallows') swallow(held(pairs, client));
    else if (failure === 'resets' || backend === undefined) client.resetAndDestroy();
    else {
      const dial = connect({ port: backend, host: '127.0.0.1', allowHalfOpen: true }).once('error', ({ code }: NodeJS.ErrnoException) => {
        if (code === 'ECONNREFUSED') deadDials++;
      });
      join(held(pairs, client, dial), failure === 'stalls' ? onlyTheFirst(64) : later(answerDelayMs));
    }
  });
  const cut = (): void => {
    for (const { client, backend } of pairs) {
      client.resetAndDestroy();
      backend?.destroy();
    }
  };
  const open = (): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, listen, () => resolve());
    });
  await open();
  return {
    port,
    cut,
    setReady: (ports) => {
      ready = ports;
    },
    deadDials: () => deadDials,
    async fail(how) {
      failure = how;
      if (how === 'refuses') server.close();
      else if (!server.listening) await open();
      if (how === 'swallows') for (const pair of pairs) swallow(pair);
      else cut();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}

interface Pair {
  readonly client: Socket;
  readonly backend?: Socket;
}

/** Known as long as the client is there, so that it can be cut. */
function held(pairs: Set<Pair>, client: Socket, backend?: Socket): Pair {
  const pair = { client, ...(backend && { backend }) };
  pairs.add(pair);
  client.on('close', () => {
    pairs.delete(pair);
    backend?.destroy();
  });
  return pair;
}

function join({ client, backend }: Pair, answers: Transform): void {
  if (backend === undefined) return;
  for (const [from, to] of [
    [client, backend],
    [backend, client],
  ] as const) {
    from.setNoDelay(true);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
  client.pipe(backend);
  backend.pipe(answers).pipe(client);
}

/** Reads and forgets, in both directions. */
function swallow({ client, backend }: Pair): void {
  client.unpipe().resume();
  backend?.unpipe().resume();
}

function later(ms: number): Transform {
  if (ms === 0) return new PassThrough();
  const pass = (chunk: Buffer, _: unknown, done: (error: null, chunk: Buffer) => void): void => void setTimeout(done, ms, null, chunk);
  return new Transform({ transform: pass });
}

/** So many bytes, of a ServerHello for example, and then silence. */
function onlyTheFirst(bytes: number): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      done(null, part);
    },
  });
}
