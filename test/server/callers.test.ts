import { Agent, type AgentOptions } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Callers, ClientCertificates, RefusedCaller } from '../../src/server/callers.ts';
import { configurationOf, portsOf, snapshotOf } from '../admission/reviews.ts';
import { type Authority, newAuthority, newClientCertificate, type ServingCertificate } from '../support/certificate.ts';
import { type Circumstances, dial, identity, reviewText, send, start, warmUp } from './client.ts';

warmUp();

/** Loopback addresses in the place of a Pod's and a node's. */
const podAddress = '127.0.0.2';
const nodeAddress = '127.0.0.3';
const from = (localAddress: string, more: AgentOptions = {}): Agent => new Agent({ localAddress, ...more } as AgentOptions);

/** A server on which nothing is judged without being counted, with what was refused. */
async function guarded(callers: Omit<Callers, 'onRefused'>, circumstances: Circumstances = {}) {
  const refused: RefusedCaller[] = [];
  const ports = portsOf(snapshotOf(), configurationOf([]));
  const judged = vi.spyOn(ports, 'configuration');
  const server = await start({ ports, callers: { ...callers, onRefused: (one) => void refused.push(one) }, ...circumstances });
  return { server, refused, judged };
}

const head = (length: number): string =>
  `POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

describe('Pods that may not call', () => {
  const refusedPodsAt = (address: string) => (address === podAddress ? ['shop'] : undefined);

  it('get no handshake; others are answered meanwhile', async () => {
    const { server, refused, judged } = await guarded({ refusedPodsAt });
    await expect(send(server, reviewText(), { agent: from(podAddress) })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(refused).toEqual([{ address: podAddress, reason: 'pod', why: 'a Pod of namespace shop' }]);
    expect(judged).not.toHaveBeenCalled();
    expect((await send(server, reviewText(), { agent: from(nodeAddress) })).status).toBe(200);
  });

  it('may send a thousand reviews: of none a byte is read', async () => {
    const { server, refused, judged } = await guarded({ refusedPodsAt });
    const outcomes = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const sent = Array.from({ length: 50 }, () => send(server, reviewText(), { agent: from(podAddress) }));
      for (const { status, reason } of (await Promise.allSettled(sent)) as PromiseRejectedResult[])
        outcomes.add(`${status} ${reason.code}`);
    }
    expect([...outcomes]).toEqual(['rejected ECONNRESET']);
    expect(refused).toHaveLength(1000);
    expect(judged).not.toHaveBeenCalled();
    expect((await send(server, reviewText())).status).toBe(200);
  });

  it('cannot hold connections, nor take those of others', async () => {
    const { server } = await guarded({ refusedPodsAt }, { limits: { connections: 20 } });
    const agent = from(nodeAddress, { keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    await send(server, reviewText(), { agent });
    const held = Array.from({ length: 100 }, () => connectTcp({ port: server.port, host: '127.0.0.1', localAddress: podAddress }));
    await Promise.all(
      held.map(
        (socket) =>
          new Promise((resolve) =>
            socket
              .once('close', resolve)
              .on('error', () => {})
              .resume(),
          ),
      ),
    );
    const { status, reused } = await send(server, reviewText(), { agent });
    expect([status, reused]).toEqual([200, true]);
  });

  it('and called before anybody knew them: the next request is forbidden before its body is read, and it was the last', async () => {
    let known = false;
    const { server, refused, judged } = await guarded({ refusedPodsAt: (address) => (known ? refusedPodsAt(address) : undefined) });
    const { socket, received, closed } = await dial(server, { localAddress: podAddress });
    socket.write(head(reviewText().length) + reviewText());
    await vi.waitFor(() => expect(received()).toContain('"allowed":true'));
    expect(judged).toHaveBeenCalledOnce();
    known = true;
    socket.write(head(24_000_000)); // and not a byte of them
    await closed;
    expect(received()).toMatch(/HTTP\/1\.1 403 Forbidden\r\n[^{]*connection: close\r\n[^{]*forbidden$/is);
    expect(refused).toEqual([{ address: podAddress, reason: 'pod', why: 'a Pod of namespace shop' }]);
    expect(judged).toHaveBeenCalledOnce();
  });
});

describe('client certificates', () => {
  const needed = 'a client certificate is needed that this webhook trusts';
  const people: { authority: Authority; other: Authority; right: ServingCertificate } = {} as never;
  beforeAll(async () => {
    people.authority = await newAuthority('clients');
    people.other = await newAuthority('others');
    people.right = await newClientCertificate(people.authority, 'kube-apiserver');
  });
  const asking = (names?: readonly string[], pem = people.authority.cert): { readonly certificates: ClientCertificates } => ({
    certificates: { authorities: () => ({ pem, since: Number.NEGATIVE_INFINITY }), ...(names && { names }) },
  });
  const issue = (name: string, options: Parameters<typeof newClientCertificate>[2] = {}, by = people.authority) =>
    newClientCertificate(by, name, options);
  const as = (certificate: ServingCertificate | undefined, more: AgentOptions = {}): Agent => new Agent({ ...certificate, ...more });

  it.each([
    ['its common name', 'kube-apiserver', () => people.right],
    ['a DNS name', 'api.example.org', () => issue('somebody', { dnsNames: ['api.example.org'] })],
    ['no name of a list', undefined, () => issue('anybody')],
    ['a name with a colon', 'system:api', () => issue('system:api')],
  ])('the right one lets its owner call: by %s', async (_, name, certificate) => {
    const { server, refused } = await guarded(asking(name === undefined ? undefined : ['nobody', name]));
    expect((await send(server, reviewText(), { agent: as(await certificate()) })).status).toBe(200);
    expect(refused).toEqual([]);
  });

  it.each([
    ['no certificate', async () => undefined, 'no certificate'],
    ['one of another authority', () => issue('kube-apiserver', {}, people.other), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['one that has ended', () => issue('kube-apiserver', { notAfter: new Date(Date.now() - 1000) }), 'CERT_HAS_EXPIRED'],
    ['one for servers', () => issue('kube-apiserver', { for: 'server' }), 'INVALID_PURPOSE'],
    ['another name', () => issue('kubelet'), 'a certificate of another name: CN=kubelet'],
    ['a name that only begins so', () => issue('kube-apiserver.evil'), 'a certificate of another name: CN=kube-apiserver.evil'],
    ['a DNS name that stands for many', () => issue('x', { dnsNames: ['*.example.org'] }), 'a certificate of another name: CN=x'],
  ])('without it, no word is judged: %s', async (_, certificate, why) => {
    const { server, refused, judged } = await guarded(asking(['kube-apiserver', 'api.example.org']));
    const agent = as(await certificate(), { keepAlive: true });
    onTestFinished(() => agent.destroy());
    for (const path of ['/validate', '/elsewhere']) {
      const { status, headers, text, reused } = await send(server, reviewText(), { agent, path });
      expect([status, headers['connection'], text, reused]).toEqual([403, 'close', needed, false]);
    }
    expect(refused).toEqual([1, 2].map(() => ({ address: '127.0.0.1', reason: 'certificate', why })));
    expect(judged).not.toHaveBeenCalled();
  });

  it('whoever has none is told before the body is read, and cannot stay', async () => {
    const { server, judged } = await guarded(asking(), { limits: { headersMs: 100, checkEveryMs: 20 } });
    const early = await dial(server);
    early.socket.write(head(24_000_000));
    await early.closed;
    expect(early.received()).toMatch(/^HTTP\/1\.1 403 /);
    const silent = await dial(server);
    await silent.closed;
    expect(silent.received()).toBe('');
    expect(judged).not.toHaveBeenCalled();
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('a session that is taken up again is no certificate (%s)', async (maxVersion) => {
    const { server, refused } = await guarded(asking());
    let session: Buffer | undefined;
    for (let round = 0; round < 2; round++) {
      const { socket, closed, received } = await dial(server, { maxVersion, ...(session && { session }) });
      if (round > 0) expect(socket.isSessionReused()).toBe(true);
      session = socket.getSession();
      socket.on('session', (next: Buffer) => (session = next)); // of 1.3, it comes later
      socket.write(head(0));
      await closed;
      expect(received()).toMatch(/^HTTP\/1\.1 403 /);
    }
    expect(refused.map(({ why }) => why)).toEqual(['no certificate', 'no certificate']);
  });

  it('one that ends on an open connection is none any more', async () => {
    const { server } = await guarded(asking());
    const short = await issue('kube-apiserver', { notAfter: new Date(Date.now() + 3600_000) });
    const agent = as(short, { keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    expect((await send(server, reviewText(), { agent })).status).toBe(200);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 3600_000 });
    onTestFinished(() => void vi.useRealTimers());
    const { status, reused } = await send(server, reviewText(), { agent });
    expect([status, reused]).toEqual([403, true]);
  });

  it('authorities are changed while it runs: what was verified by the old ones ends with its next answer', async () => {
    let authorities = { pem: people.authority.cert, since: Number.NEGATIVE_INFINITY };
    const { server } = await guarded({ certificates: { authorities: () => authorities } }, { limits: { handshakeMs: 200 } });
    const agent = as(people.right, { keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const ask = async (asker: Agent) => {
      const { status, reused } = await send(server, reviewText(), { agent: asker });
      return [status, reused];
    };
    expect([await ask(agent), await ask(agent)]).toEqual([
      [200, false],
      [200, true],
    ]);
    const { certificate } = await identity();
    authorities = { pem: people.other.cert, since: performance.now() };
    server.serve(certificate);
    expect(await ask(agent)).toEqual([200, true]);
    expect(await ask(agent)).toEqual([403, false]);
    const next = as(await issue('kube-apiserver', {}, people.other), { keepAlive: true, maxSockets: 1 });
    onTestFinished(() => next.destroy());
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect([await ask(next), await ask(next)]).toEqual([
      [200, false],
      [200, true],
    ]);
  });

  it('a new certificate of ours does not let anybody in', async () => {
    const { server } = await guarded(asking());
    server.serve((await identity()).certificate);
    expect((await send(server, reviewText())).status).toBe(403);
    expect((await send(server, reviewText(), { agent: as(people.right) })).status).toBe(200);
  });
});
