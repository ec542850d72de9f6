/** Crowds of bad clients: each is cut in its time, honest ones are answered meanwhile, and nothing stays behind. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, vi } from 'vitest';
import { limits } from '../../src/server/limits.ts';
import { runs } from '../support/figures.ts';
import { dial, reviewText, type Started, send, start, warmUp } from './client.ts';

warmUp();

/** As shipped in the long run; else a tenth, so that it takes seconds. */
const share = runs(10, 1);
const inForce = {
  handshakeMs: limits.handshakeMs / share,
  headersMs: limits.headersMs / share,
  bodyMs: limits.bodyMs / share,
  checkEveryMs: limits.checkEveryMs / share,
};
/** Each limit is kept to within twice the interval at which it is looked at; the rest is what a busy machine takes. */
const cutWithinMs = limits.bodyMs / share + 2 * inForce.checkEveryMs + 3000;

const head = (more: string): string => `POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${more}\r\n\r\n`;
const request = (body: string): string => `${head(`Content-Length: ${Buffer.byteLength(body)}`)}${body}`;

/** Sockets of this process, the server's ends and the clients'. */
const openSockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
const untilBackTo = (base: number): Promise<void> =>
  vi.waitFor(() => expect(openSockets()).toBeLessThanOrEqual(base), { timeout: 15_000, interval: 50 });

const plain = (server: Started): Socket => connectTcp(server.port, '127.0.0.1').on('error', () => {});

describe('a crowd of slow clients', { timeout: 60_000 }, () => {
  const crowd = runs(60, 500) / 3;

  /** Something to do every second (or share of it), until the socket is closed. */
  function drip(socket: Socket, part: () => string): void {
    const timer = setInterval(() => socket.writable && socket.write(part()), 1000 / share);
    socket.once('close', () => clearInterval(timer));
  }
  const behaviours: Readonly<Record<string, (server: Started) => Promise<Socket>>> = {
    'a stalled handshake': async (server) => plain(server),
    'headers byte by byte': async (server) => {
      const { socket } = await dial(server);
      socket.write('POST /validate HTTP/1.1\r\nX: ');
      drip(socket, () => 'x');
      return socket;
    },
    'a body byte by byte': async (server) => {
      const { socket } = await dial(server);
      socket.write(head('Content-Length: 5000'));
      drip(socket, () => ' ');
      return socket;
    },
  };

  it('are all cut, and honest requests are answered meanwhile', async () => {
    const server = await start({ limits: inForce });
    const base = openSockets();
    const began = performance.now();
    const sockets = await Promise.all(
      Object.values(behaviours).flatMap((behave) => Array.from({ length: Math.ceil(crowd) }, () => behave(server))),
    );
    let left = sockets.length;
    for (const socket of sockets) socket.destroyed ? left-- : socket.once('close', () => left--);
    while (left > 0 && performance.now() - began < cutWithinMs + 5000) {
      expect((await send(server, reviewText())).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(left).toBe(0);
    expect(performance.now() - began).toBeLessThan(cutWithinMs);
    await untilBackTo(base);
  });
});

describe('handshakes that come to nothing', { timeout: 600_000 }, () => {
  const helloBegun = Buffer.from('16030100f8010000f40303', 'hex');
  const aborts: readonly ((server: Started) => Promise<unknown>)[] = [
    async (server) => {
      const socket = plain(server);
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.resetAndDestroy();
    },
    async (server) => {
      const socket = plain(server);
      socket.end('GET / HTTP/1.1\r\n\r\n');
      await new Promise((resolve) => socket.once('close', resolve).resume());
    },
    async (server) => {
      const socket = plain(server);
      await new Promise<unknown>((resolve) => socket.write(helloBegun, resolve));
      socket.resetAndDestroy();
    },
    async (server) => {
      const socket = plain(server);
      await dial(server, { socket });
      socket.resetAndDestroy();
    },
    async (server) => {
      const below = plain(server);
      const { socket } = await dial(server, { socket: below });
      await new Promise<unknown>((resolve) => socket.write('POST /validate HT', resolve));
      below.resetAndDestroy();
    },
    async (server) => {
      const socket = connectTls({ port: server.port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false });
      await new Promise((resolve) => socket.once('error', resolve));
      socket.destroy();
    },
  ];

  it('leave nothing behind, and harm nobody', async () => {
    const server = await start();
    const base = openSockets();
    for (let round = 0; round < runs(15, 2000); round++) {
      await Promise.all(Array.from({ length: 5 }, () => aborts.map((abort) => abort(server))).flat());
      expect((await send(server, reviewText())).status).toBe(200);
    }
    await untilBackTo(base);
    expect(server.logged).toEqual([]);
  });

  it('a name that is not ours is no secret to guess: who asks for it gets our certificate', async () => {
    const server = await start();
    for (const servername of ['elsewhere.example', '__proto__', 'a'.repeat(255)]) {
      const { socket, received } = await dial(server, { servername, checkServerIdentity: () => undefined });
      socket.write(request(reviewText()));
      await vi.waitFor(() => expect(received()).toContain('"allowed":true'));
    }
  });
});

describe('HTTP that lies', () => {
  const body = reviewText({ subResource: 'status' });
  const chunked = 'Transfer-Encoding: chunked';

  it.each([
    ['a length of two values', head(`Content-Length: ${body.length}\r\nContent-Length: 1`) + body, [400]],
    ['a length and chunks', head(`Content-Length: ${body.length}\r\n${chunked}`) + body, [400]],
    ['a length below zero', head('Content-Length: -1') + body, [400]],
    ['a length beyond numbers', head(`Content-Length: ${'9'.repeat(30)}`) + body, [400]],
    ['a length that is too small, so that the rest is no request', head('Content-Length: 20') + body, [400]],
    ['an encoding nobody knows', head('Transfer-Encoding: xchunked') + body, [400]],
    ['a chunk beyond numbers', `${head(chunked)}${'f'.repeat(20)}\r\n${body}`, [400]],
    ['a chunk with a long extension', `${head(chunked)}1;${'x'.repeat(20_000)}\r\n{\r\n0\r\n\r\n`, [400]],
    ['headers that end in line feeds', head('X: a').replaceAll('\r\n', '\n') + body, [400]],
    ['a header that goes on in the next line', head('X: a\r\n b') + body, [400]],
    ['10,000 headers', head(Array.from({ length: 10_000 }, (_, at) => `X-${at}: y`).join('\r\n')), [431]],
    ['an address of 20 kB', head('X: a').replace('/validate', `/${'v'.repeat(20_000)}`), [431]],
    ['a name with a NUL', head('X: a\0b') + body, [400]],
  ])('%s', async (_, text, statuses) => {
    const server = await start();
    const { socket, closed, received } = await dial(server);
    socket.write(text);
    await closed;
    expect([...received().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))).toEqual(statuses);
    expect((await send(server, reviewText())).status).toBe(200);
  });

  it('a length that is too large waits for the rest, within the limit', async () => {
    const server = await start({ limits: { bodyMs: 200, checkEveryMs: 20 } });
    const { socket, closed, received } = await dial(server);
    socket.write(head(`Content-Length: ${body.length + 1}`) + body);
    await closed;
    expect(received()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('a thousand requests at once on one connection are answered in their order, as far as they are', async () => {
    const server = await start();
    const { socket, received, closed } = await dial(server);
    const uids = Array.from({ length: 1000 }, (_, at) => `uid-${at}`);
    socket.write(uids.map((uid) => request(reviewText({ uid, subResource: 'status' }))).join(''));
    const answered = (): string[] => [...received().matchAll(/"uid":"(uid-\d+)"/g)].map(([, uid]) => uid as string);
    // Node gives the connection up where its parser has to pause between two of them; the API server never asks so.
    await Promise.race([closed, vi.waitFor(() => expect(answered()).toHaveLength(uids.length), { timeout: 20_000 })]);
    expect(answered().length).toBeGreaterThan(0);
    expect(answered()).toEqual(uids.slice(0, answered().length));
    expect((await send(server, reviewText())).status).toBe(200);
  });
});
