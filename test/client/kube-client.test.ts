import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Credentials, inClusterCredentials, kubeconfigCredentials } from '../../src/client/credentials.ts';
import { asTable, type KubeClient, KubeError, kubeClient } from '../../src/client/kube-client.ts';
import { linesOf } from '../../src/client/lines.ts';
import { OperatorError } from '../../src/errors.ts';

let directory: string;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(directory, { recursive: true });
});

async function serve(
  answer: RequestListener,
  tls?: { key: string; cert: string },
): Promise<{ server: Server; url: string; connections: () => number }> {
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  let connections = 0;
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => server.closeAllConnections(),
  );
  const { port } = server.address() as AddressInfo;
  return { server, url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, connections: () => connections };
}

function connect(credentials: Credentials): KubeClient {
  const client = kubeClient(credentials);
  closing.push(() => client.close());
  return client;
}
const open = (url: string): KubeClient => connect({ server: new URL(url), identity: async () => ({ headers: {}, tls: {} }) });
const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const signal = (): AbortSignal => AbortSignal.timeout(5_000);
const echo: RequestListener = ({ url, headers }, response) => response.end(JSON.stringify({ url, headers }));
const headersIn = (answer: unknown): IncomingMessage['headers'] => (answer as { headers: IncomingMessage['headers'] }).headers;

describe('requests', () => {
  it('keeps the path below which the API lies, as Rancher has one', async () => {
    const { url } = await serve(echo);
    expect(await open(`${url}/k8s/clusters/c-1/`).get('/api/v1/pods?limit=1', signal())).toMatchObject({
      url: '/k8s/clusters/c-1/api/v1/pods?limit=1',
    });
  });

  it('makes no new connection for each of many calls', async () => {
    const { url, connections } = await serve(echo);
    const client = open(url);
    for (let call = 0; call < 20; call++) await client.get('/', signal());
    expect(connections()).toBeLessThanOrEqual(2);
    await Promise.all(Array.from({ length: 100 }, () => client.get('/', signal())));
    expect(connections()).toBeLessThanOrEqual(20);
  });

  it('makes no call wait for watches', async () => {
    const { url } = await serve((request, response) => (request.url === '/watch' ? response.write('{}\n') : response.end('{}')));
    const client = open(url);
    const watches = Array.from({ length: 40 }, () => client.watch('/watch', signal())[Symbol.asyncIterator]());
    await Promise.all(watches.map((watch) => watch.next()));
    expect(await client.get('/', signal())).toEqual({});
    for (const watch of watches) await watch.return?.();
  });

  it('asks for another form of the answer where that is wanted', async () => {
    const { url } = await serve(echo);
    expect(headersIn(await open(url).get('/', signal(), asTable)).accept).toBe(asTable);
  });

  it.each<[string, RequestListener, Partial<KubeError>]>([
    [
      'a Status',
      (_, response) => response.writeHead(403).end('{"kind":"Status","reason":"Forbidden","message":"no"}'),
      { status: 403, reason: 'Forbidden', message: 'no' },
    ],
    ['a page of a proxy', (_, response) => response.writeHead(502).end('<html>'), { status: 502, reason: '', message: 'HTTP 502' }],
    ['a wait', (_, response) => response.writeHead(429, { 'retry-after': '7' }).end(), { status: 429, retryAfterMs: 7_000 }],
    [
      'a wait until a date',
      (_, response) => response.writeHead(503, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }).end(),
      { status: 503, retryAfterMs: 0 },
    ],
    ['a redirect', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), { status: 302 }],
    ['a huge refusal', (_, response) => response.writeHead(500).end('x'.repeat(3_000_000)), { status: 500 }],
  ])('makes a KubeError of %s', async (_, answer, expected) => {
    const { url } = await serve(answer);
    const client = open(url);
    const refusal = await client.get('/', signal()).catch((cause: unknown) => cause);
    expect(refusal).toBeInstanceOf(KubeError);
    expect(refusal).toMatchObject(expected);
    await expect(client.watch('/', signal())[Symbol.asyncIterator]().next()).rejects.toThrow(KubeError);
  });

  it.each(['', '[1]', 'null', '{"half":'])('throws for the answer %j, which is no object', async (body) => {
    const { url } = await serve((_, response) => response.end(body));
    await expect(open(url).get('/', signal())).rejects.toThrow();
  });

  it('stops when it is told to', async () => {
    const { url } = await serve(() => undefined);
    await expect(open(url).get('/', AbortSignal.timeout(30))).rejects.toThrow();
    await expect(open(url).get('/', AbortSignal.abort())).rejects.toThrow();
  });

  it('stops although the plugin that brings a token hangs', async () => {
    const { url } = await serve((_, response) => response.end('{}'));
    const client = kubeClient({ server: new URL(url), identity: () => new Promise(() => {}) });
    closing.push(() => client.close());
    await expect(client.get('/', AbortSignal.timeout(30))).rejects.toThrow();
    await expect(client.watch('/', AbortSignal.timeout(30))[Symbol.asyncIterator]().next()).rejects.toThrow();
  });

  it('reads a watch no faster than it is asked to', async () => {
    let written = 0;
    const { url } = await serve((_, response) => {
      const more = (): void => {
        while (written < 60_000_000 && response.write(`${'x'.repeat(99_999)}\n`)) written += 100_000;
        if (written < 60_000_000) response.once('drain', more);
      };
      more();
    });
    const watch = open(url).watch('/', signal())[Symbol.asyncIterator]();
    await watch.next();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(written).toBeLessThan(30_000_000);
    await watch.return?.();
  });
});

describe('linesOf', () => {
  async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
  }

  it.each([1, 2, 3, 5, 7, 1_000])('is the same for pieces of %i bytes', async (size) => {
    const lines = ['{"a":"é😀\u2028\u2029"}', 'x'.repeat(50), '{"b":1}\r'];
    const body = Buffer.from(`${lines[0]}\n\n${lines[1]}\n${lines[2]}\nhalf a li`);
    const found: string[] = [];
    for await (const line of linesOf(pieces(body, size))) found.push(line);
    expect(found).toEqual(lines);
  });
});

describe('kubeconfig', () => {
  const config = (server: string, user: object, cluster: object = {}): string =>
    file(
      'config',
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server, ...cluster } }],
        users: [{ name: 'u', user }],
        contexts: [{ name: 'one', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'one',
      }),
    );
  const failure = async (options: Parameters<typeof kubeconfigCredentials>[0]): Promise<OperatorError> => {
    const cause = await kubeconfigCredentials(options).catch((error: unknown) => error);
    expect(cause).toBeInstanceOf(OperatorError);
    return cause as OperatorError;
  };

  it.each(['', '\n', 'null', '[]', 'clusters: 3', '{', 'clusters: []', 'apiVersion: v1\nkind: Config\ncurrent-context: x\n', '\u0000'])(
    'is a clear error if it holds %j',
    async (text) => {
      const { code, message, hint } = await failure({ file: file('config', text) });
      expect(code).toBe('PC0004');
      expect(message).toContain('kubeconfig');
      expect(message).not.toContain('\n');
      expect(hint).toContain('--kubeconfig');
    },
  );

  it('is a clear error if it is not there, or lacks the context', async () => {
    expect((await failure({ file: join(directory, 'none') })).message).toContain('ENOENT');
    expect((await failure({ file: config('https://127.0.0.1:1', {}), context: 'two' })).message).toContain('"two"');
    expect((await failure({ file: config('not an address', {}) })).message).toContain('not an address');
    expect((await failure({ file: config('https://127.0.0.1:1', {}, { 'proxy-url': 'socks5://127.0.0.1:1' }) })).message).toContain(
      'SOCKS',
    );
  });

  it('gives a token, and a name and password', async () => {
    const { url } = await serve(echo);
    const byToken = connect(await kubeconfigCredentials({ file: config(url, { token: 'abc' }) }));
    expect(headersIn(await byToken.get('/', signal())).authorization).toBe('Bearer abc');
    const byPassword = connect(await kubeconfigCredentials({ file: config(url, { username: 'u', password: 'p' }) }));
    expect(headersIn(await byPassword.get('/', signal())).authorization).toBe(`Basic ${Buffer.from('u:p').toString('base64')}`);
  });

  it('runs the plugin that gives a token', async () => {
    const { url } = await serve(echo);
    const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'from-plugin' } };
    const exec = { apiVersion: credential.apiVersion, command: 'echo', args: [JSON.stringify(credential)], interactiveMode: 'Never' };
    const client = connect(await kubeconfigCredentials({ file: config(url, { exec }) }));
    expect(headersIn(await client.get('/', signal())).authorization).toBe('Bearer from-plugin');
  });

  it('says so when the plugin fails', async () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'false', interactiveMode: 'Never' };
    const client = connect(await kubeconfigCredentials({ file: config('http://127.0.0.1:1', { exec }) }));
    await expect(client.get('/', signal())).rejects.toThrow(OperatorError);
  });

  it('trusts the CA that it names, and no other', async () => {
    const certificate = async () =>
      generate([{ name: 'commonName', value: 'fake' }], {
        algorithm: 'sha256',
        extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
      });
    const [ours, other] = [await certificate(), await certificate()];
    const { url } = await serve(echo, { key: ours.private, cert: ours.cert });
    const trusting = (pem: string): object => ({ 'certificate-authority-data': Buffer.from(pem).toString('base64') });
    const client = connect(await kubeconfigCredentials({ file: config(url, {}, trusting(ours.cert)) }));
    expect(await client.get('/x', signal())).toMatchObject({ url: '/x' });
    const wary = connect(await kubeconfigCredentials({ file: config(url, {}, trusting(other.cert)) }));
    await expect(wary.get('/x', signal())).rejects.toThrow();
  });
});

describe('in the cluster', () => {
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

  it('reads the token again when the kubelet has renewed it', async () => {
    const mount = (version: string, token: string): void => {
      file(`token-${version}`, token);
      symlinkSync(`token-${version}`, join(directory, 'next'));
      renameSync(join(directory, 'next'), join(directory, 'token'));
    };
    mount('1', 'first\n');
    file('ca.crt', 'CA');
    const credentials = inClusterCredentials({ env, directory });
    expect(credentials.server.origin).toBe('https://[fd00::1]');
    expect(await credentials.identity()).toEqual({ headers: { Authorization: 'Bearer first' }, tls: { ca: 'CA' } });
    mount('2', 'second\n');
    expect((await credentials.identity()).headers).toEqual({ Authorization: 'Bearer second' });
    rmSync(join(directory, 'token'));
    expect((await credentials.identity()).headers).toEqual({ Authorization: 'Bearer second' }); // until the new one is there
  });

  it('says what is missing', () => {
    expect(() => inClusterCredentials({ env: {}, directory })).toThrow(/KUBERNETES_SERVICE_HOST/);
    expect(() => inClusterCredentials({ env, directory })).toThrow(/token/);
  });
});
