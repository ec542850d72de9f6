/** selftest before webhooks that are well, and before everything else that may stand at the end of that way. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlain, type Server as PlainServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/commands/program.ts';
import { type Authority, newAuthority, newCertificate } from '../support/certificate.ts';
import { fakeTerminal } from './terminal.ts';

const entry = (more: object, name = 'validate.portcullis.dev') => ({ name, timeoutSeconds: 2, ...more });
const service = { name: 'portcullis', namespace: 'portcullis', path: '/validate', port: 443 };
const serverName = 'portcullis.portcullis.svc';

let authority: Authority;
let directory = '';
let apiServer: PlainServer;
let webhook: Server | undefined;
let registration: unknown;

beforeAll(async () => {
  authority = await newAuthority('selftest');
  apiServer = createPlain((request, response) => {
    const isAsked =
      request.url === '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/portcullis' && registration !== undefined;
    response.writeHead(isAsked ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isAsked ? registration : { kind: 'Status', message: 'not found', reason: 'NotFound' }));
  });
  await listening(apiServer);
});
afterAll(() => apiServer.close());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'selftest-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
  webhook?.closeAllConnections();
  webhook?.close();
  webhook = undefined;
});

const listening = (server: PlainServer | Server): Promise<void> => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const portOf = (server: PlainServer | Server): number => (server.address() as AddressInfo).port;
const bundle = (ca: string): string => Buffer.from(ca).toString('base64');

interface Asked {
  readonly uid: string;
  readonly kind: { readonly kind: string };
  readonly dryRun: boolean;
}
type Answer = (
  request: Asked,
  call: { readonly url: string; readonly host: string; readonly count: number },
) => { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown };

const reviewed =
  (response: object): Answer =>
  ({ uid }) => ({ body: { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: true, ...response } } });

/** A webhook that answers so, on a certificate for these names. */
async function serving(answer: Answer, names: readonly string[] = [serverName], by = authority): Promise<void> {
  const { cert, key } = await newCertificate(by, names);
  let count = 0;
  webhook = createServer({ cert, key }, (request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      const {
        status = 200,
        headers = {},
        body,
      } = answer(JSON.parse(text).request ?? {}, { url: request.url ?? '', host: request.headers.host ?? '', count: ++count });
      response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await listening(webhook);
}

async function selftest(entries: readonly object[], args: readonly string[] = []) {
  registration = { webhooks: entries };
  const kubeconfig = join(directory, 'kubeconfig');
  const server = `http://127.0.0.1:${portOf(apiServer)}`;
  const contexts = [{ name: 'a', context: { cluster: 'a', user: 'a' } }];
  writeFileSync(
    kubeconfig,
    JSON.stringify({ 'current-context': 'a', contexts, clusters: [{ name: 'a', cluster: { server } }], users: [{ name: 'a', user: {} }] }),
  );
  const terminal = { ...fakeTerminal(), now: () => Date.now() };
  const address = webhook === undefined ? [] : ['--address', `127.0.0.1:${portOf(webhook)}`];
  const code = await run(['selftest', '--kubeconfig', kubeconfig, ...address, ...args], terminal, '1.2.3');
  return { code, ...terminal.written };
}
const ours = () => entry({ clientConfig: { service, caBundle: bundle(authority.cert) } });
const found = reviewed({ auditAnnotations: { rules: 'warn:service-selector-matches-no-pods' } });

describe('a webhook that judges', () => {
  it.each<readonly [string, Answer]>([
    ['warns', reviewed({ warnings: ['spec.selector: … [service-selector-matches-no-pods]'] })],
    ['denies', reviewed({ allowed: false, status: { message: 'spec.selector: … [service-selector-matches-no-pods] Read on: …' } })],
    ['records', found],
    [
      'is not ready the first time',
      (request, call) => (call.count === 1 ? { status: 503, headers: { 'retry-after': '0' }, body: 'not ready' } : found(request, call)),
    ],
  ])('%s', async (_, answer) => {
    await serving(answer);
    expect(await selftest([ours()])).toMatchObject({ code: 0, out: expect.stringMatching(/^ok {4}validate\.portcullis\.dev: judges/) });
  });

  it('is asked as the API server asks: a dry-run, at its path, under its name, with its time', async () => {
    const calls: unknown[] = [];
    await serving((request, call) => {
      calls.push({ dryRun: request.dryRun, kind: request.kind.kind, ...call });
      return found(request, call);
    });
    expect(
      await selftest([ours(), entry({ clientConfig: { service, caBundle: bundle(authority.cert) } }, 'delete.portcullis.dev')]),
    ).toMatchObject({ code: 0, out: expect.stringMatching(/\nok {4}delete\.portcullis\.dev: reaches what judges\n$/) });
    const port = portOf(webhook as Server);
    // Entries that share a way share the call.
    expect(calls).toEqual([{ dryRun: true, kind: 'Service', url: '/validate?timeout=2s', host: `${serverName}:${port}`, count: 1 }]);
  });

  it('is found by another rule where the first is off', async () => {
    const config = join(directory, 'portcullis.yaml');
    writeFileSync(config, 'apiVersion: portcullis.dev/v1\nrules: {service-selector-matches-no-pods: {mode: "off"}}\n');
    await serving(reviewed({ warnings: ['[tls-secret-missing]'] }));
    expect(await selftest([ours()], ['--config', config])).toMatchObject({
      code: 0,
      out: expect.stringContaining('judges (tls-secret-missing'),
    });
  });

  it('is believed where all rules that could find something are off, and says so', async () => {
    const config = join(directory, 'portcullis.yaml');
    const off = '{mode: "off"}';
    writeFileSync(config, `apiVersion: portcullis.dev/v1\nrules: {service-selector-matches-no-pods: ${off}, tls-secret-missing: ${off}}\n`);
    await serving(() => ({ status: 400, body: 'no AdmissionReview' }));
    const { code, out } = await selftest([ours()], ['--config', config]);
    expect(code).toBe(0);
    expect(out).toMatch(/^the rules that .* are off: .*\nok {4}validate\.portcullis\.dev: answers\n$/);
  });
});

describe('a webhook that only API servers may ask', () => {
  const text = 'a client certificate is needed that this webhook trusts';
  const refusing: Answer = () => ({ status: 403, body: text });

  it('is well, as far as can be tried', async () => {
    await serving(refusing);
    expect(await selftest([ours()])).toMatchObject({
      code: 0,
      out: 'ok    validate.portcullis.dev: answers over TLS that verifies; only API servers may ask, so that it judges cannot be tried from here\n',
    });
  });

  it('is not well on a certificate of another authority', async () => {
    await serving(refusing, [serverName], await newAuthority('another'));
    expect(await selftest([ours()])).toMatchObject({ code: 1 });
  });

  it('says so in the words that the server has', () => expect(readFileSync('src/server/callers.ts', 'utf8')).toContain(`'${text}'`));

  it.each(['forbidden', `proxy: ${text}`])('is another one: %s', async (body) => {
    await serving(() => ({ status: 403, body }));
    expect(await selftest([ours()])).toMatchObject({ code: 1 });
  });
});

describe('what is wrong, in words', () => {
  it.each<readonly [string, Answer, RegExp]>([
    ['it answers and does not judge', reviewed({}), /it answers, but does not judge: nothing is said of service-selector-matches-no-pods/],
    [
      'it could not evaluate',
      reviewed({ auditAnnotations: { 'not-evaluated': 'service-selector-matches-no-pods: forbidden Pod' } }),
      /not evaluated: .*forbidden Pod/,
    ],
    ['another uid', () => ({ body: { response: { uid: 'x', allowed: true } } }), /not to our question/],
    ['no JSON', () => ({ body: '<html>' }), /does another program listen there/],
    ['an error', () => ({ status: 500, body: 'internal error' }), /it answers HTTP 500: internal error/],
    ['a caller that may not call', () => ({ status: 403, body: 'not an API server' }), /it answers HTTP 403: not an API server/],
    ['never ready', () => ({ status: 503, headers: { 'retry-after': '1' }, body: 'not ready' }), /it answers HTTP 503: not ready/],
  ])('%s', async (_, answer, message) => {
    await serving(answer);
    expect(await selftest([ours()])).toMatchObject({ code: 1, out: expect.stringMatching(message) });
  });

  it('a certificate of another authority, for another name, that has ended; no certificate; nobody', async () => {
    await serving(found, [serverName], await newAuthority('another'));
    expect((await selftest([ours()])).out).toMatch(/not signed by the authority in caBundle/);
    webhook?.close();
    await serving(found, ['other.portcullis.svc']);
    expect((await selftest([ours()])).out).toMatch(/the certificate is for other names/);
    const port = portOf(webhook as Server);
    webhook?.closeAllConnections();
    webhook?.close();
    webhook = undefined;
    expect((await selftest([ours()], ['--address', `127.0.0.1:${port}`])).out).toMatch(/the connection is refused/);
    expect((await selftest([ours()], ['--address', `127.0.0.1:${portOf(apiServer)}`])).out).toMatch(/does not speak TLS|broken off/);
  });

  it.each<readonly [string, () => readonly object[], RegExp]>([
    ['no caBundle', () => [entry({ clientConfig: { service } })], /FAIL {2}validate\.portcullis\.dev: it has no caBundle/],
    ['a caBundle that is none', () => [entry({ clientConfig: { service, caBundle: bundle('x') } })], /its caBundle is no certificate/],
    ['a URL', () => [entry({ clientConfig: { url: 'https://x', caBundle: bundle(authority.cert) } })], /it names no Service but a URL/],
    ['no entry', () => [], /has no entry: nothing is judged/],
    ['a name that nobody knows', () => [ours()], /DNS (does not know the name|does not answer)/],
  ])('%s', async (_, entries, message) =>
    expect(await selftest(entries())).toMatchObject({ code: 1, out: expect.stringMatching(message) }),
  );

  it('one bad entry of two', async () => {
    await serving(found);
    const { code, out } = await selftest([ours(), entry({ clientConfig: { service } }, 'delete.portcullis.dev')]);
    expect(code).toBe(1);
    expect(out).toMatch(/^ok {4}validate.*\nFAIL {2}delete/);
  });

  it('it hangs', async () => {
    await serving(found);
    webhook?.removeAllListeners('request');
    expect(await selftest([ours()])).toMatchObject({ code: 1, out: expect.stringMatching(/no answer within 2 s/) });
  });

  it.each(['localhost', ':80', 'localhost:x'])('an address that is none: %s', async (address) => {
    expect(await selftest([ours()], ['--address', address])).toMatchObject({
      code: 2,
      error: expect.stringMatching(/is no host and port.*PC0001/),
    });
  });

  it('the configuration cannot be read', async () => {
    const { code, error } = await selftest([], ['--webhook-configuration', 'other']);
    expect({ code, error }).toMatchObject({ code: 2, error: expect.stringMatching(/other cannot be read: not found.*\[PC0008\]/s) });
  });
});
