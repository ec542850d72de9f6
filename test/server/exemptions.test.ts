/** The question for a right, over the wire, where the API server is slow, broken or gone (reliability.md F43). */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { kubeClient } from '../../src/client/kube-client.ts';
import { askedRights } from '../../src/commands/asked-rights.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import { exemptionInvalid } from '../../src/rules/exemption-invalid.ts';
import { createLog } from '../../src/server/log.ts';
import { namespace, portsOf, requestFor, reviewOf, selfContained, service, snapshotOf } from '../admission/reviews.ts';
import { send, start, warmUp } from './client.ts';

warmUp();

const rule = selfContained('service-is-odd', (name) => name === 'odd');
const configuration = parseConfiguration({ apiVersion: 'portcullis.dev/v1', exemptions: { byAnnotation: 'permitted' } }, [
  rule,
  exemptionInvalid,
]);
const excused = service('odd', {}, { annotations: { 'exempt.portcullis.dev/service-is-odd': 'agreed' } });

/** Our server beside an API server that answers questions like this, and the time that a review of ours took. */
async function beside(answer: RequestListener) {
  const apiServer = createServer(answer);
  await new Promise<void>((resolve) => apiServer.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(apiServer.address() as AddressInfo).port}`);
  const client = kubeClient({ server: url, identity: async () => ({ headers: {}, tls: {} }) });
  onTestFinished(async () => {
    await client.close();
    apiServer.closeAllConnections();
    apiServer.close();
  });
  const logged: string[] = [];
  const rights = askedRights(client, () => [], createLog({ write: (line: string) => void logged.push(line) }));
  const server = await start({ ports: portsOf(snapshotOf(namespace('shop')), configuration, rights) });
  const review = async (timeout: string) => {
    const startedAt = performance.now();
    const { response } = (
      await send(server, JSON.stringify(reviewOf(requestFor(excused))), { path: `/validate?timeout=${timeout}` })
    ).json();
    return { response, ms: performance.now() - startedAt };
  };
  return { review, logged };
}

const status =
  (code: number, reason: string): RequestListener =>
  (_, response) => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', code, reason, message: `${reason} \u202e\u009b31m` }));
  };
const inDoubt = {
  allowed: false,
  status: { message: expect.stringContaining('whether you may use it could not be asked, so it has no effect; try again') },
};

it.each<[string, RequestListener]>([
  ['does not answer', () => {}],
  ['answers half', (_, response) => void response.write('{"status":{"allowed":true')],
])('an API server that %s takes a second at most, and grants nothing', async (_, answer) => {
  const { review } = await beside(answer);
  const { response, ms } = await review('3s');
  expect(response).toMatchObject(inDoubt);
  expect(ms).toBeGreaterThan(900);
  expect(ms).toBeLessThan(2_000);
});

it('a short deadline is kept: half of it for the question', async () => {
  const { review } = await beside(() => {});
  const { response, ms } = await review('800ms');
  expect(response).toMatchObject(inDoubt);
  expect(ms).toBeLessThan(800);
});

it.each<[string, RequestListener]>([
  ['fails', status(500, 'InternalError')],
  ['is busy', status(429, 'TooManyRequests')],
  ['does not know the API', status(404, 'NotFound')],
  ['hangs up', (request) => void request.socket.destroy()],
  ['answers with something else', (_, response) => void response.end('<html>')],
])('an API server that %s grants nothing, and nothing is said in the log', async (_, answer) => {
  const { review, logged } = await beside(answer);
  expect((await review('3s')).response).toMatchObject(inDoubt);
  expect(logged).toEqual([]);
});

it('a right that we may not ask for is said once, on one printable line', async () => {
  const { review, logged } = await beside(status(403, 'Forbidden'));
  for (const _ of [1, 2, 3]) expect((await review('3s')).response).toMatchObject(inDoubt);
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain('"level":"warn"');
  expect(logged[0]).toContain('may not create subjectaccessreviews.authorization.k8s.io');
  expect(logged[0]).toMatch(/^[ -~]+\n$/);
});

it('without an API server nobody has a right', async () => {
  const { mayUse, mayList } = askedRights(undefined, () => [], createLog({ write: () => {} }));
  const who = { username: 'root', uid: '', groups: ['system:masters'], extra: new Map() };
  expect(await mayUse(who, 'service-is-odd', 'shop', AbortSignal.timeout(1_000))).toBe('unknown');
  expect(await mayList(who, { group: '', kind: 'Pod', namespace: 'shop' }, AbortSignal.timeout(1_000))).toBe('unknown');
});
