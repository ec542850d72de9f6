import { Agent } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { configurationOf, needsTemplate, portsOf, snapshotOf } from '../admission/reviews.ts';
import { dial, reviewText, type Started, send, start, warmUp } from './client.ts';

warmUp();

/** A port of loopback from which all that is sent takes 300 ms, and all that comes back no time. */
async function slowWayTo(port: number): Promise<number> {
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.on('data', (chunk) => void setTimeout(() => far.writable && far.write(chunk), 300));
    far.pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const)
      one.on('error', () => {}).once('close', () => other.destroySoon());
    onTestFinished(() => void near.destroy());
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void proxy.close());
  return (proxy.address() as AddressInfo).port;
}

/** In a thread of its own, which writes while ours is busy. */
const lateClient = `
  const { parentPort, workerData: { port, ca, body } } = require('node:worker_threads');
  const socket = require('node:tls').connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }, () => parentPort.postMessage('open'));
  parentPort.once('message', () => setTimeout(() => socket.write(
    'POST /validate HTTP/1.1\\r\\nHost: a\\r\\nContent-Type: application/json\\r\\nContent-Length: ' + Buffer.byteLength(body) + '\\r\\n\\r\\n' + body), 150));
  let received = '';
  socket.on('data', (chunk) => { received += chunk; }).on('error', () => {}).once('close', () => parentPort.postMessage(received));
`;

const ready = async ({ healthPort }: Started): Promise<string> => {
  const answer = await fetch(`http://127.0.0.1:${healthPort}/readyz`);
  return `${answer.status} ${await answer.text()}`;
};

describe('readiness', () => {
  it('waits for the view of the cluster; until then callers are asked to come again', async () => {
    let synced = false;
    const server = await start({ synced: () => synced });
    expect(await ready(server)).toBe('503 not ready: the view of the cluster is not complete yet');
    const early = await send(server, reviewText());
    expect([early.status, early.headers['retry-after'], early.headers['connection'], early.text]).toEqual([503, '1', 'close', 'not ready']);
    synced = true;
    expect(await ready(server)).toBe('200 ok');
    expect((await send(server, reviewText())).status).toBe(200);
  });

  it('has its own port, beside liveness and metrics', async () => {
    const { healthPort } = await start();
    const get = async (path: string, method = 'GET') => (await fetch(`http://127.0.0.1:${healthPort}${path}`, { method })).status;
    expect(await Promise.all([get('/livez'), get('/readyz'), get('/metrics'), get('/'), get('/validate', 'POST')])).toEqual([
      200, 200, 200, 404, 405,
    ]);
  });
});

describe('the end', () => {
  it('first: not ready, but every review answered, each on its last connection', async () => {
    const server = await start({ drainMs: 1000 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await send(server, reviewText(), { agent });
    const ended = server.drain();
    expect(await ready(server)).toBe('503 not ready: shutting down');
    const [kept, next] = [await send(server, reviewText(), { agent }), await send(server, reviewText(), { agent })];
    agent.destroy();
    expect([kept, next].map(({ status, reused, headers }) => [status, reused, headers['connection']])).toEqual([
      [200, true, 'close'],
      [200, false, 'close'],
    ]);
    await ended;
  });

  it('then: what is in flight is finished, idle connections are closed, and who comes is asked to come again, elsewhere', async () => {
    const held = Promise.withResolvers<undefined>();
    const ports = portsOf(snapshotOf(), configurationOf([needsTemplate()]), { confirm: () => held.promise });
    const confirm = vi.spyOn(ports, 'confirm');
    const server = await start({ ports, drainMs: 20 });
    const idle = await dial(server);
    const inFlight = send(server, reviewText());
    await vi.waitFor(() => expect(confirm).toHaveBeenCalledOnce(), { timeout: 30_000 });
    let over = false;
    const ended = server.drain().then(() => {
      over = true;
    });
    await idle.closed;
    const late = await send(server, reviewText()); // an API server calls no second time where nobody listens
    expect([late.status, late.headers['retry-after'], late.headers['connection']]).toEqual([503, '1', 'close']);
    expect({ over, ready: await ready(server) }).toEqual({ over: false, ready: '503 not ready: shutting down' });
    held.resolve(undefined);
    const answer = await inFlight;
    expect([answer.status, answer.headers['connection']]).toEqual([200, 'close']);
    await ended;
    await expect(send(server, reviewText())).rejects.toThrow(/ECONNREFUSED/);
  });

  it('for who was slow: come again, elsewhere', async () => {
    const server = await start({ drainMs: 20 });
    const line = await dial(server);
    const body = reviewText();
    line.socket.write(
      `POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 50)}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    const ended = server.drain();
    await vi.waitFor(() => expect(server.isReady()).toBe(false), { timeout: 30_000 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    line.socket.write(body.slice(50));
    await line.closed;
    expect(line.received()).toMatch(/^HTTP\/1\.1 503 /);
    expect(line.received().split('\r\n')).toEqual(expect.arrayContaining(['connection: close', 'retry-after: 1', 'shutting down']));
    await ended;
  });

  it('for a request that came while the process was busy, on a connection that seemed idle: an answer', async () => {
    const server = await start({ drainMs: 100 });
    const client = new Worker(lateClient, { eval: true, workerData: { port: server.port, ca: server.ca, body: reviewText() } });
    onTestFinished(async () => void (await client.terminate()));
    await send(server, reviewText());
    const told = (): Promise<unknown> => new Promise((resolve) => client.once('message', resolve));
    await told();
    const answer = told();
    const ended = server.drain();
    client.postMessage('write');
    const until = performance.now() + 300;
    while (performance.now() < until); // nothing is read, and the drain time ends
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
    await ended;
  });

  it('for a request that crosses with the close of its connection: come again, elsewhere', async () => {
    const server = await start({ drainMs: 100 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const far = { ...server, port: await slowWayTo(server.port) };
    await send(far, reviewText(), { agent });
    const ended = server.drain();
    await new Promise((resolve) => setTimeout(resolve, 20));
    // It arrives when all is over.
    const crossing = await send(far, reviewText(), { agent });
    expect([crossing.status, crossing.reused, crossing.headers['retry-after'], crossing.headers['connection']]).toEqual([
      503,
      true,
      '1',
      'close',
    ]);
    await ended;
  });

  it('does not wait for who says nothing, or never comes to an end', async () => {
    const server = await start({ limits: { bodyMs: 200 } });
    const silent = await dial(server);
    const endless = await dial(server);
    endless.socket.write('POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{');
    await send(server, reviewText());
    await Promise.all([server.close(), silent.closed, endless.closed]);
  });

  it('comes once, however often it is asked for', async () => {
    const server = await start({ drainMs: 20 });
    await Promise.all([server.drain(), server.drain(), server.close()]);
    expect(server.isReady()).toBe(false);
  });

  it('loses nothing of a steady load', async () => {
    const [a, b] = await Promise.all([start({ drainMs: 300 }), start()]);
    // A Service in front: the one that is ready, with some delay.
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    let target = a;
    const statuses: number[] = [];
    let over = false;
    const worker = async (): Promise<void> => {
      while (!over) statuses.push((await send(target, reviewText(), { agent })).status);
    };
    const workers = Array.from({ length: 8 }, worker);
    await vi.waitFor(() => expect(statuses.length).toBeGreaterThan(100), { timeout: 30_000 });
    const ended = a.drain();
    await new Promise((resolve) => setTimeout(resolve, 150));
    target = { ...b, ca: a.ca };
    await ended;
    over = true;
    await Promise.all(workers);
    agent.destroy();
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});
