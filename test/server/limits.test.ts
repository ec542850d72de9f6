import { Agent, type AgentOptions } from 'node:https';
import { createServer } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { Lifecycle } from '../../src/server/lifecycle.ts';
import { limits } from '../../src/server/limits.ts';
import { createWebhook } from '../../src/server/webhook.ts';
import { configurationOf, needsTemplate, portsOf, snapshotOf } from '../admission/reviews.ts';
import { dial, identity, reviewText, send, start, warmUp } from './client.ts';

warmUp();

const none = () => {};

it('no setting of Node or Fastify is a default left by accident', async () => {
  const { certificate } = await identity();
  const app = createWebhook(certificate, {
    ports: portsOf(snapshotOf(), configurationOf([])),
    synced: () => true,
    lifecycle: new Lifecycle(),
    onHandled: none,
    onTurnedAway: none,
    onInternalError: none,
  });
  await app.ready();
  const { server } = app;
  const initialConfig: Readonly<Record<string, unknown>> = { ...app.initialConfig };
  const handshakeTimeout = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'handshake-timeout') as symbol;
  const { keepAliveTimeout, headersTimeout, requestTimeout, timeout, maxRequestsPerSocket, maxConnections, maxHeadersCount } = server;
  // What Node keeps to itself: options of the constructor without a property of their own.
  const hidden = Object.fromEntries(['keepAliveTimeoutBuffer', 'ALPNProtocols', 'minVersion'].map((key) => [key, (server as never)[key]]));
  expect({
    fastify: {
      bodyLimit: initialConfig['bodyLimit'],
      connectionTimeout: initialConfig['connectionTimeout'],
      keepAliveTimeout: initialConfig['keepAliveTimeout'],
      requestTimeout: initialConfig['requestTimeout'],
      maxRequestsPerSocket: initialConfig['maxRequestsPerSocket'],
      forceCloseConnections: initialConfig['forceCloseConnections'],
      exposeHeadRoutes: initialConfig['exposeHeadRoutes'],
      onProtoPoisoning: initialConfig['onProtoPoisoning'],
      onConstructorPoisoning: initialConfig['onConstructorPoisoning'],
      requestIdHeader: initialConfig['requestIdHeader'],
      http2: initialConfig['http2'],
    },
    parsers: ['application/json', 'text/plain', '*'].filter((type) => app.hasContentTypeParser(type)),
    node: { keepAliveTimeout, headersTimeout, requestTimeout, timeout, maxRequestsPerSocket, maxConnections, maxHeadersCount },
    hidden: { ...hidden, handshakeTimeout: (server as never)[handshakeTimeout], ALPNProtocols: String(hidden['ALPNProtocols']) },
  }).toEqual({
    fastify: {
      bodyLimit: 25_165_824, // 1 MiB would let an 18 MB update by unseen
      connectionTimeout: 0,
      keepAliveTimeout: 120_000, // 72 s would close under the API server's 90 s
      requestTimeout: 0, // ours begin with a request, Node's with the connection
      maxRequestsPerSocket: 0,
      forceCloseConnections: 'idle',
      exposeHeadRoutes: false,
      onProtoPoisoning: 'ignore', // 'error' would let an impersonator by
      onConstructorPoisoning: 'ignore',
      requestIdHeader: false,
      http2: undefined,
    },
    parsers: ['application/json'],
    node: {
      keepAliveTimeout: 120_000,
      headersTimeout: 0,
      requestTimeout: 0,
      timeout: 0,
      maxRequestsPerSocket: undefined, // Node's word for no limit, to which Fastify leaves it
      maxConnections: 1024,
      maxHeadersCount: null,
    },
    hidden: {
      keepAliveTimeoutBuffer: 1000,
      ALPNProtocols: '\bhttp/1.1',
      handshakeTimeout: 10_000,
      minVersion: 'TLSv1.2',
    },
  });
  expect(limits).toMatchObject({
    inFlightBytes: 67_108_864,
    parsedBytes: 234_881_024,
    headersMs: 5000,
    bodyMs: 10_000,
    unreadAnswerMs: 8000,
    checkEveryMs: 1000,
    headerBytes: 16_384,
  });
  await app.close();
});

describe('a body', () => {
  const small = { bodyBytes: 10_000, inFlightBytes: 25_000 };
  const padded = (bytes: number): string =>
    reviewText()
      .replace('"spec":', `"x":"${'x'.repeat(bytes - reviewText().length - 7)}","spec":`)
      .padEnd(bytes);

  it.each([true, false])('over the limit is too large (with its length said: %s)', async (said) => {
    const server = await start({ limits: small });
    const headers = { 'content-type': 'application/json', ...(said ? {} : { 'transfer-encoding': 'chunked' }) };
    expect((await send(server, padded(10_000), { headers })).status).toBe(200);
    const answer = await send(server, padded(10_001), { headers });
    expect([answer.status, answer.text, answer.headers['connection']]).toEqual([413, 'request too large', 'close']);
    expect(await server.counted()).toContain('decision="too-large"} 1');
  });

  it('is not believed to be as long as it says', async () => {
    const server = await start({ limits: { inFlightBytes: 25_000 } });
    for (let count = 0; count < 3; count += 1) {
      const line = await dial(server);
      line.socket.write('POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 24000\r\n\r\n{');
    }
    expect((await send(server, padded(20_000))).status).toBe(200);
  });

  it('without end is cut at the limit', async () => {
    const server = await start({ limits: small });
    const { socket, closed, received } = await dial(server);
    socket.write('POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n');
    const feed = setInterval(() => socket.writable && socket.write(`1000\r\n${' '.repeat(0x1000)}\r\n`), 5);
    await closed;
    clearInterval(feed);
    expect(received()).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('over the budget of all is to come again, elsewhere; when the others are done, there is room again', async () => {
    const held = Promise.withResolvers<undefined>();
    const ports = portsOf(snapshotOf(), configurationOf([needsTemplate()]), { confirm: () => held.promise });
    const confirm = vi.spyOn(ports, 'confirm');
    const server = await start({ ports, limits: { inFlightBytes: 25_000 } });
    const first = send(server, padded(20_000));
    await vi.waitFor(() => expect(confirm).toHaveBeenCalledOnce());
    const second = await send(server, padded(20_000));
    expect([second.status, second.headers['retry-after'], second.headers['connection']]).toEqual([429, '1', 'close']);
    expect((await send(server, padded(4000).replace('CREATE', 'OTHER'))).status).toBe(200);
    held.resolve(undefined);
    expect((await first).status).toBe(200);
    expect((await send(server, padded(20_000))).status).toBe(200);
    expect(await server.counted()).toContain('decision="overloaded"} 1');
  });

  it('of a client that gave up gives its bytes back', async () => {
    const server = await start({ limits: { inFlightBytes: 25_000 } });
    const { socket, closed } = await dial(server);
    socket.write(
      `POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 24000\r\n\r\n${' '.repeat(20_000)}`,
    );
    await vi.waitFor(async () => expect((await send(server, padded(20_000))).status).toBe(429));
    socket.destroy();
    await closed;
    await vi.waitFor(async () => expect((await send(server, padded(20_000))).status).toBe(200));
  });
});

describe('a body that grows when it is parsed', () => {
  const bomb = (junk: string): string => reviewText().replace('"ports":', `"junk":${junk},"ports":`);
  const most = `[${'{},'.repeat(50_000)}{}]`;

  it.each([
    ['is nested too deeply', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
    ['holds too many objects', `[${'{},'.repeat(90_000)}{}]`],
    ['holds too many keys', `{${Array.from({ length: 50_000 }, (_, index) => `"${index}":0`).join(',')}}`],
  ])('is too large if it %s', async (_, junk) => {
    const server = await start({ limits: { parsedBytes: 8_000_000 } });
    const answer = await send(server, bomb(junk));
    expect([answer.status, answer.text, answer.headers['connection']]).toEqual([413, 'request too large', 'close']);
    expect(await server.counted()).toContain('decision="too-large"} 1');
    expect((await send(server, bomb(most))).status).toBe(200);
  });

  it('is to come again if there is no room for it beside the others', async () => {
    const held = Promise.withResolvers<undefined>();
    const ports = portsOf(snapshotOf(), configurationOf([needsTemplate()]), { confirm: () => held.promise });
    const confirm = vi.spyOn(ports, 'confirm');
    const server = await start({ ports, limits: { parsedBytes: 8_000_000 } });
    const first = send(server, bomb(most));
    await vi.waitFor(() => expect(confirm).toHaveBeenCalledOnce());
    expect((await send(server, bomb(most))).status).toBe(429);
    held.resolve(undefined);
    expect((await first).status).toBe(200);
    expect((await send(server, bomb(most))).status).toBe(200);
  });
});

describe('a client that is slow', () => {
  const quick = { headersMs: 300, bodyMs: 600, handshakeMs: 300, unreadAnswerMs: 300, checkEveryMs: 50 };
  const dripping = (text: string, write: (part: string) => void): NodeJS.Timeout => {
    let at = 0;
    return setInterval(() => write(text[at++ % text.length] as string), 20);
  };

  it('with its handshake is cut', async () => {
    const server = await start({ limits: quick });
    const { connect } = await import('node:net');
    const socket = connect(server.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('close', resolve).on('error', none));
  });

  it('with its headers is cut', async () => {
    const { socket, closed, received } = await dial(await start({ limits: quick }));
    socket.write('POST /validate HTTP/1.1\r\nX: ');
    const drip = dripping('x', (part) => void (socket.writable && socket.write(part)));
    await closed;
    clearInterval(drip);
    expect(received()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('with its body is cut', async () => {
    const { socket, closed, received } = await dial(await start({ limits: quick }));
    socket.write('POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n');
    const drip = dripping(' ', (part) => void (socket.writable && socket.write(part)));
    await closed;
    clearInterval(drip);
    expect(received()).toMatch(/^HTTP\/1\.1 408 /);
  });

  const review = (): string => {
    const body = reviewText({ subResource: 'status' });
    return `POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
  const answersIn = (received: string): number => received.split('HTTP/1.1 200 OK').length - 1;

  it('to begin is waited for: the API server dials ahead, and a POST that meets the end of a connection is lost', async () => {
    const { socket, received } = await dial(await start({ limits: quick }));
    for (let count = 1; count <= 2; count++) {
      await new Promise((resolve) => setTimeout(resolve, quick.headersMs + quick.bodyMs + 6 * quick.checkEveryMs));
      socket.write(review());
      await vi.waitFor(() => expect(answersIn(received())).toBe(count));
    }
    expect(received()).not.toContain(' 408 ');
  });

  it('to begin is cut when a kept connection would be', async () => {
    const { closed, received } = await dial(await start({ limits: { ...quick, keepAliveMs: 100, keepAliveBufferMs: 100 } }));
    await closed;
    expect(received()).toBe('');
  });

  it.each([
    ['headers', 'POST /validate HTTP/1.1\r\nX: ', 'x'],
    ['body', 'POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n', ' '],
  ])('with the %s of a later request on its connection is cut', async (_, begun, rest) => {
    const { socket, closed, received } = await dial(await start({ limits: quick }));
    for (let count = 1; count <= 2; count++) {
      socket.write(review());
      await vi.waitFor(() => expect(answersIn(received())).toBe(count));
    }
    socket.write(begun);
    const drip = dripping(rest, (part) => void (socket.writable && socket.write(part)));
    await closed;
    clearInterval(drip);
    expect(received()).toMatch(/HTTP\/1\.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n$/);
  });

  it('with a body that nobody waits for is cut without a word', async () => {
    const { socket, closed, received } = await dial(await start({ limits: quick }));
    socket.write('POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n');
    const drip = dripping(' ', (part) => void (socket.writable && socket.write(part)));
    await closed;
    clearInterval(drip);
    expect(received()).toMatch(/^HTTP\/1\.1 404 .*not found$/s);
  });

  it('to read its answers is cut', async () => {
    const server = await start({ limits: { ...quick, bodyMs: 10_000 } });
    const { socket, closed } = await dial(server);
    socket.pause();
    const one = review();
    const feed = setInterval(() => socket.writableLength < 100_000 && socket.writable && socket.write(one.repeat(50)), 1);
    await closed;
    clearInterval(feed);
  });
});

describe('a connection', () => {
  it('is kept, whatever it was refused', async () => {
    const server = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const bodies = [reviewText(), 'nonsense', reviewText()];
    const answers = [];
    for (const body of bodies) answers.push(await send(server, body, { agent }));
    agent.destroy();
    expect(answers.map(({ status, reused }) => [status, reused])).toEqual([
      [200, false],
      [400, true],
      [200, true],
    ]);
  });

  it('more than its share is taken from the one who holds the most: others get in, and stay', async () => {
    const server = await start({ limits: { connections: 20 } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress: '127.0.0.2' } as AgentOptions);
    const crowd: Awaited<ReturnType<typeof dial>>[] = [];
    const ask = async (): Promise<readonly [number, boolean]> => {
      const { status, reused } = await send(server, reviewText(), { agent });
      return [status, reused];
    };
    expect(await ask()).toEqual([200, false]);
    for (let number = 0; number < 40; number++) crowd.push(await dial(server));
    expect(await ask()).toEqual([200, true]);
    const newcomer = new Agent({ localAddress: '127.0.0.3' } as AgentOptions);
    expect((await send(server, reviewText(), { agent: newcomer })).status).toBe(200);
    await crowd[0]?.closed;
    expect(crowd.at(-1)?.socket.destroyed).toBe(false);
    agent.destroy();
  });

  it('that speaks no HTTP is answered in fixed words', async () => {
    const { socket, closed, received } = await dial(await start());
    socket.write('HELLO\r\n\r\n');
    await closed;
    expect(received()).toBe('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });

  it('with too many headers is refused', async () => {
    const { socket, closed, received } = await dial(await start());
    socket.write(`POST /validate HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    await closed;
    expect(received()).toMatch(/^HTTP\/1\.1 431 /);
  });
});

it('a port that is taken is the operator’s to change', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { startServer } = await import('../../src/server/server.ts');
  const { createLog } = await import('../../src/server/log.ts');
  const { createMetrics } = await import('../../src/server/metrics.ts');
  const ports = portsOf(snapshotOf(), configurationOf([]));
  const { port } = other.address() as { port: number };
  const starting = startServer({
    ports,
    synced: () => true,
    certificate: (await identity()).certificate,
    log: createLog({ write: none }),
    metrics: createMetrics({ version: '1', snapshot: () => undefined, certificateEnds: () => new Map() }),
    host: '127.0.0.1',
    port,
    healthPort: 0,
    drainMs: 0,
  });
  await expect(starting).rejects.toMatchObject({
    code: 'PC0006',
    message: `port ${port} cannot be listened on: another process listens on it`,
  });
  await new Promise((resolve) => other.close(resolve));
});
