import { Agent } from 'node:https';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { configurationOf, needsTemplate, portsOf, requestFor, reviewOf, selfContained, service, snapshotOf } from '../admission/reviews.ts';
import { dial, reviewText, send, start, warmUp } from './client.ts';

warmUp();

const json = { 'content-type': 'application/json' };

describe('POST /validate', () => {
  it('answers a review with a review', async () => {
    const { status, headers, json: answer } = await send(await start(), reviewText());
    // Node's client asks for that without an agent.
    expect({ status, type: headers['content-type'], connection: headers['connection'] }).toEqual({
      status: 200,
      type: 'application/json; charset=utf-8',
      connection: 'close',
    });
    expect(answer()).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: expect.any(String), allowed: true },
    });
  });

  it('denies with status 200: the verdict stands in the answer', async () => {
    const server = await start({ ports: portsOf(snapshotOf(), configurationOf([needsTemplate()])) });
    const { status, json: answer } = await send(server, reviewText());
    expect({ status, response: answer().response }).toMatchObject({ status: 200, response: { allowed: false, status: { code: 422 } } });
    expect(server.logged).toMatchObject([
      { level: 'info', user: 'alice', object: 'Service shop/web', decision: 'deny', deny: ['service-needs-template'] },
    ]);
  });

  it('understands a charset, a body in pieces, and characters that lie across them', async () => {
    const server = await start({ ports: portsOf(snapshotOf(), configurationOf([selfContained('always', () => true)])) });
    const text = JSON.stringify(reviewOf(requestFor(service('web', {}, { name: 'größe' }))));
    const bytes = Buffer.from(text);
    const at = bytes.indexOf(Buffer.from('ö')) + 1;
    const line = await dial(server);
    line.socket.write(
      'POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
    );
    for (const part of [bytes.subarray(0, at), bytes.subarray(at)]) {
      line.socket.write(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    line.socket.write('0\r\n\r\n');
    await line.closed;
    expect(line.received()).toContain('"name":"größe"');
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['half of it', '{"apiVersion":"admission.k8s.io/v1"'],
    ['nothing', ''],
    ['no uid', JSON.stringify(reviewOf(requestFor(service(), { uid: '' })))],
    ['v1beta1', reviewText().replace('admission.k8s.io/v1', 'admission.k8s.io/v1beta1')],
  ])('with %s is a bad request, in fixed words', async (_, body) => {
    const { status, text } = await send(await start(), body);
    expect({ status, text }).toEqual({ status: 400, text: 'not an AdmissionReview of admission.k8s.io/v1' });
  });

  it.each([
    ['__proto__ in userInfo.extra', '{"username":"mallory","extra":{"__proto__":["x"]}}'],
    ['constructor in userInfo.extra', '{"username":"mallory","extra":{"constructor":{"prototype":{}}}}'],
  ])('judges a write with %s', async (_, userInfo) => {
    const server = await start({ ports: portsOf(snapshotOf(), configurationOf([needsTemplate()])) });
    const body = reviewText({ userInfo: 'HERE' }).replace('"HERE"', userInfo);
    expect((await send(server, body)).json().response.allowed).toBe(false);
  });

  it('is not hurt by depth', async () => {
    const server = await start({ ports: portsOf(snapshotOf(), configurationOf([needsTemplate()])) });
    const body = reviewText().replace('"ports":', `"deep":${'['.repeat(10_000)}${']'.repeat(10_000)},"ports":`);
    expect((await send(server, body)).json().response.allowed).toBe(false);
  });

  it('judges the largest that can be stored: an update of 18 MB', async () => {
    const server = await start({ ports: portsOf(snapshotOf(), configurationOf([needsTemplate()])) });
    const large = service('web', {}, { annotations: { note: '\\u003c'.repeat(1_500_000) } });
    const before = service('web', { selector: { app: 'before' } }, { annotations: { note: '\\u003c'.repeat(1_500_000) } });
    // As Go writes `<`: six bytes each.
    const body = JSON.stringify(reviewOf(requestFor(large, { operation: 'UPDATE', oldObject: before }))).replaceAll('\\\\u003c', '\\u003c');
    expect(body.length).toBeGreaterThan(17_900_000);
    expect((await send(server, body)).json().response.allowed).toBe(false);
  });
});

describe('everything else', () => {
  it.each([
    ['GET', '/validate', json, 405],
    ['PUT', '/validate', json, 405],
    ['DELETE', '/validate', json, 405],
    ['OPTIONS', '/validate', json, 405],
    ['HEAD', '/validate', json, 405],
    ['POST', '/', json, 404],
    ['POST', '/validate/', json, 404],
    ['POST', '//validate', json, 404],
    ['POST', '/Validate', json, 404],
    ['GET', '/livez', json, 404],
    ['GET', '/metrics', json, 404],
    ['POST', '/%', json, 400],
    ['POST', '/validate', { 'content-type': 'text/plain' }, 415],
    ['POST', '/validate', { 'content-type': 'application/yaml' }, 415],
    ['POST', '/validate', { 'content-type': 'application/jsonx' }, 415],
    ['POST', '/validate', { 'content-type': 'nonsense' }, 415],
    ['POST', '/validate', {}, 415],
  ])('%s %s %j is answered with %d, and never with a redirect', async (method, path, headers, status) => {
    const answer = await send(await start(), method === 'HEAD' || method === 'GET' ? undefined : reviewText(), { method, path, headers });
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain('portcullis');
    expect(answer.headers['location']).toBeUndefined();
  });
});

describe('TLS', () => {
  const handshake = (port: number, ca: string, options: object): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', ca, servername: 'localhost', ...options });
      socket.once('secureConnect', () => {
        resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`);
        socket.destroy();
      });
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });

  it('is 1.2 or 1.3, with HTTP/1.1 and nothing else', async () => {
    const { port, ca, serve } = await start();
    const all = async () => ({
      plain: await handshake(port, ca, {}),
      h1: await handshake(port, ca, { ALPNProtocols: ['h2', 'http/1.1'] }),
      h2: await handshake(port, ca, { ALPNProtocols: ['h2'] }),
      'tls 1.2': await handshake(port, ca, { maxVersion: 'TLSv1.2' }),
      'tls 1.1': await handshake(port, ca, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    });
    const expected = {
      plain: 'TLSv1.3 false',
      h1: 'TLSv1.3 http/1.1',
      h2: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
      'tls 1.2': 'TLSv1.2 false',
      'tls 1.1': 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    };
    expect(await all()).toEqual(expected);
    const { newIdentity } = await import('./client.ts');
    const next = await newIdentity();
    serve(next.certificate);
    expect(await handshake(port, next.ca, {})).toBe('TLSv1.3 false');
    expect(await handshake(port, next.ca, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).toBe(
      expected['tls 1.1'],
    );
  });

  it('gets a new certificate without losing a connection', async () => {
    const { newIdentity } = await import('./client.ts');
    const server = await start();
    const next = await newIdentity();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () => send(server, reviewText(), { agent });
    const first = await ask();
    server.serve(next.certificate);
    const second = await ask();
    agent.destroy();
    expect([first.status, second.status, second.reused]).toEqual([200, 200, true]);
    expect((await send(server, reviewText(), { ca: next.ca })).status).toBe(200);
    await expect(send(server, reviewText())).rejects.toThrow(/certificate/);
  });
});

describe('a defect of ours', () => {
  it('outside all rules is an HTTP error, so that failurePolicy decides; it is counted and logged with its stack', async () => {
    const failing = portsOf(snapshotOf(), configurationOf([]), {
      now: () => {
        throw new TypeError('inner secret\nforged line');
      },
    });
    const server = await start({ ports: failing });
    const { status, text } = await send(server, reviewText());
    expect({ status, text }).toEqual({ status: 500, text: 'internal error' });
    expect(server.logged).toMatchObject([
      {
        level: 'error',
        err: { type: 'TypeError', message: 'inner secret forged line', stack: expect.arrayContaining([expect.stringMatching(/^ +at /)]) },
      },
    ]);
    expect(await server.counted()).toContain('portcullis_internal_errors_total{where="request"} 1');
    expect((await send(server, reviewText({ subResource: 'status' }))).status).toBe(200);
  });

  it('in one rule is an answer like any other', async () => {
    const broken = selfContained('broken', () => {
      throw new Error('boom');
    });
    const server = await start({ ports: portsOf(snapshotOf(), configurationOf([broken])) });
    const { status, json: answer } = await send(server, reviewText());
    expect({ status, response: answer().response }).toMatchObject({ status: 200, response: { allowed: true } });
    expect(server.logged).toMatchObject([{ level: 'error', rule: 'broken', err: { message: 'boom' } }]);
    expect(await server.counted()).toContain('portcullis_internal_errors_total{where="rule"} 1');
  });
});
