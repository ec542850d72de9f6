import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KubeClient, kubeClient } from '../../src/client/kube-client.ts';
import type { Pace } from '../../src/sources/backoff.ts';
import { Reflector } from '../../src/sources/reflector.ts';
import type { Restart } from '../../src/sources/restart.ts';
import { FakeApiServer, type FakeObject, goOn, refuse, status } from '../support/fake-api-server.ts';
import { MapSink } from '../support/map-sink.ts';

const path = '/api/v1/pods';
const pod = (name: string, more: Record<string, unknown> = {}): FakeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name, ...more },
});

const quick: Pace = {
  backoff: { firstMs: 2, longestMs: 20, unansweredMs: 20 },
  refusedMs: 20,
  silenceMs: 5_000,
  watchSeconds: 300,
  steadyMs: 0,
  pageSize: 3,
};

let server: FakeApiServer;
let client: KubeClient;
let sink: MapSink;
let restarts: Restart[];
let reflector: Reflector;

function reflect(pace: Partial<Pace> = {}, paths: readonly [string, ...string[]] = [path]): void {
  reflector = new Reflector({ client, paths, sink, pace: { ...quick, ...pace }, onRestart: (restart) => restarts.push(restart) });
  reflector.start();
}

const synced = (): Promise<void> => vi.waitFor(() => expect(reflector.state).toBe('synced'), { interval: 2 });
/** Until the sink holds exactly what the server does. */
const caughtUp = (): Promise<void> => vi.waitFor(() => expect(sink.all()).toEqual(server.all(path)), { interval: 2 });
const reasons = (): string[] => restarts.map(({ reason }) => reason);
const lists = (): number => server.requests.filter((url) => url.includes('sendInitialEvents') || !url.includes('watch=true')).length;

beforeEach(async () => {
  server = new FakeApiServer();
  await server.start();
  client = kubeClient({ server: server.url, identity: async () => ({ headers: {}, tls: {} }) });
  sink = new MapSink();
  restarts = [];
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) server.set(pod(name));
});

afterEach(async () => {
  await reflector.close();
  await client.close();
  await server.stop();
});

describe('list and watch', () => {
  it('lists with a watch-list, in one request, and goes on with events', async () => {
    reflect();
    await synced();
    expect(sink.all()).toEqual(server.all(path));
    server.set(pod('h'));
    server.set(pod('a', { labels: { app: 'web' } }));
    server.delete(pod('b'));
    await caughtUp();
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatch(
      /allowWatchBookmarks=true&timeoutSeconds=\d+&sendInitialEvents=true&resourceVersionMatch=NotOlderThan$/,
    );
    expect(sink.sizes.slice(0, 1)).toEqual([7]); // nothing was visible before the list was whole
  });

  it.each([400, 422])('lists in pages where watch-lists are refused with %i, and does not ask again', async (code) => {
    server.next((response) => refuse(response, code, 'Invalid'), {
      when: (url) => url.searchParams.get('sendInitialEvents') === 'true',
      times: 99,
    });
    reflect();
    await synced();
    expect(sink.all()).toEqual(server.all(path)); // items say what they are, though those of a list do not
    expect(server.requests.filter((url) => url.includes('limit=3'))).toHaveLength(3);
    server.compact();
    server.reset();
    server.set(pod('h'));
    await caughtUp();
    expect(server.requests.filter((url) => url.includes('sendInitialEvents'))).toHaveLength(1);
  });

  it('puts aside what happens before the list ends', async () => {
    server.next((response) => {
      response.write(`${JSON.stringify({ type: 'ADDED', object: pod('a', { resourceVersion: '1' }) })}\n`);
      response.write(`${JSON.stringify({ type: 'ADDED', object: pod('b', { resourceVersion: '1' }) })}\n`);
      response.write(`${JSON.stringify({ type: 'BOOKMARK', object: pod('', { resourceVersion: '2' }) })}\n`);
      response.write(`${JSON.stringify({ type: 'DELETED', object: pod('a', { resourceVersion: '3' }) })}\n`);
      const annotations = { 'k8s.io/initial-events-end': 'true' };
      response.write(`${JSON.stringify({ type: 'BOOKMARK', object: pod('', { resourceVersion: '3', annotations }) })}\n`);
    });
    reflect();
    await synced();
    expect(sink.all().map((one) => (one as FakeObject).metadata.name)).toEqual(['b']);
    expect(sink.sizes).toEqual([1]);
  });

  it('goes on from the last bookmark', async () => {
    reflect();
    await synced();
    server.set({ ...pod('elsewhere'), kind: 'Service' }); // the version moves on without an event for us
    server.bookmark();
    await vi.waitFor(() => expect(server.openWatches).toBe(1));
    server.endWatches();
    await vi.waitFor(() => expect(server.requests).toHaveLength(2));
    expect(server.requests[1]).toContain(`resourceVersion=${server.resourceVersion}`);
  });

  it('is not stale between two watches that end in the ordinary way', async () => {
    reflect();
    await synced();
    server.endWatches();
    await vi.waitFor(() => expect(server.openWatches).toBe(1));
    server.set(pod('h'));
    await caughtUp();
    expect(reflector.staleSince).toBeUndefined();
    expect(reasons()).toEqual(['ended']);
    expect(lists()).toBe(1);
  });

  it('asks watches to end at times spread over five minutes', async () => {
    const seconds = new Set<number>();
    reflect();
    for (let round = 0; round < 8; round++) {
      await vi.waitFor(() => expect(server.openWatches).toBe(1), { interval: 2 });
      server.endWatches();
    }
    for (const url of server.requests) seconds.add(Number(new URL(url, server.url).searchParams.get('timeoutSeconds')));
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(300);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(600);
    expect(seconds.size).toBeGreaterThan(3);
  });
});

describe('faults', () => {
  it('goes on where it was after a reset, without a list', async () => {
    reflect();
    for (let round = 0; round < 5; round++) {
      await vi.waitFor(() => expect(server.openWatches).toBe(1), { interval: 2 });
      server.reset();
      server.set(pod(`late-${round}`));
      await caughtUp();
    }
    expect(lists()).toBe(1);
    expect(new Set(reasons())).toEqual(new Set(['disconnected']));
    expect(reflector.staleSince).toBeUndefined();
  });

  it.each([429, 500, 504])('is stale from the disconnect on, and keeps what it had, while the server answers %i', async (code) => {
    reflect();
    await synced();
    const before = performance.now();
    server.next((response) => refuse(response, code, 'Trouble', { 'retry-after': '1' }), { times: 1_000 });
    server.reset();
    await vi.waitFor(() => expect(reasons().filter((reason) => reason === 'refused').length).toBeGreaterThan(2));
    expect(reflector.state).toBe('synced');
    expect(reflector.staleSince).toBeGreaterThanOrEqual(before);
    expect(reflector.staleSince).toBeLessThanOrEqual(performance.now());
    expect(sink.objects.size).toBe(7);
  });

  it.each([
    ['500', (response: Parameters<typeof refuse>[0]) => refuse(response, 500, 'InternalError')],
    ['429', (response: Parameters<typeof refuse>[0]) => refuse(response, 429, 'TooManyRequests', { 'retry-after': '0' })],
    ['a page that is no Status', (response: Parameters<typeof refuse>[0]) => response.writeHead(502).end('<html>bad gateway</html>')],
    ['a reset', (response: Parameters<typeof refuse>[0]) => response.socket?.resetAndDestroy()],
    ['an empty answer', (response: Parameters<typeof refuse>[0]) => response.writeHead(200).end()],
  ])('tries again for ever while the first list meets %s', async (_, answer) => {
    server.next((response) => answer(response), { times: 6 });
    reflect();
    await synced();
    expect(sink.all()).toEqual(server.all(path));
    expect(restarts).toHaveLength(6);
  });

  it.each([429, 500])('starts a paged list anew when a page meets %i, and shows no half of it', async (code) => {
    server.watchLists = false;
    server.next((response) => refuse(response, code, 'Trouble'), { when: (url) => url.searchParams.has('continue') });
    reflect();
    await synced();
    expect(sink.all()).toEqual(server.all(path));
    expect(sink.sizes).toEqual([7]);
  });

  it('waits as long as the server asks', async () => {
    server.next((response) => refuse(response, 429, 'TooManyRequests', { 'retry-after': '1' }));
    const before = performance.now();
    reflect({ backoff: { firstMs: 1, longestMs: 150, unansweredMs: 150 } }); // at most as long as the longest wait of our own
    await synced();
    expect(performance.now() - before).toBeGreaterThanOrEqual(149);
  });

  it.each([
    ['an ERROR event in a stream that began with 200', (): void => server.compact()],
    [
      'HTTP 410',
      (): void => server.next((response) => refuse(response, 410, 'Expired'), { when: (url) => url.searchParams.has('resourceVersion') }),
    ],
    [
      'an ERROR event with code 500',
      (): void => {
        const line = JSON.stringify({ type: 'ERROR', object: status(500, 'InternalError') });
        server.next((response) => response.end(`${line}\n`), { when: (url) => url.searchParams.has('resourceVersion') });
      },
    ],
  ])('lists once more after %s, keeps the old objects meanwhile, and sees what was deleted', async (_, arrange) => {
    reflect();
    await synced();
    server.set(pod('h'));
    await caughtUp();
    server.reset();
    server.delete(pod('a'));
    server.set(pod('i'));
    arrange();
    await caughtUp();
    expect(lists()).toBe(2);
    expect(sink.sizes).toEqual([7, 8, 8]); // never empty, never half
    expect(reflector.staleSince).toBeUndefined();
  });

  it('starts the list anew when the next page has expired', async () => {
    server.watchLists = false;
    const forget = (): unknown => {
      server.delete(pod('a'));
      server.compact();
      return goOn; // and the server answers, with 410
    };
    server.next(forget, { when: (url) => url.searchParams.has('continue') });
    reflect();
    await synced();
    await caughtUp();
    expect(reasons()).toContain('expired');
    expect(sink.commits).toBe(1);
  });

  it.each([
    ['a line that is no JSON', '{"type":"ADDED","object":{"metadata":\n'],
    ['a line that is no object', '[]\n'],
    ['an event of an unknown type', `${JSON.stringify({ type: 'MOVED', object: pod('x', { resourceVersion: '200' }) })}\n`],
    ['an object without a version', `${JSON.stringify({ type: 'ADDED', object: pod('x') })}\n`],
    ['an event called constructor', `${JSON.stringify({ type: 'constructor', object: pod('x', { resourceVersion: '200' }) })}\n`],
  ])('lists anew after %s', async (_, line) => {
    reflect();
    await synced();
    await vi.waitFor(() => expect(server.openWatches).toBe(1));
    server.emit(line);
    await vi.waitFor(() => expect(sink.commits).toBe(2));
    expect(reasons()).toEqual(['unreadable']);
    expect(sink.all()).toEqual(server.all(path));
  });

  it.each([
    ['ends', (): void => server.endWatches()],
    ['breaks', (): void => server.reset()],
  ])('drops half a line when the connection %s, and gets the event again', async (_, end) => {
    reflect();
    await synced();
    await vi.waitFor(() => expect(server.openWatches).toBe(1));
    server.emit('{"type":"ADDED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"ha');
    end();
    server.set(pod('h'));
    await caughtUp();
    expect(lists()).toBe(1);
  });

  it('reads bodies torn at every third byte: emoji, U+2028, line ends inside strings', async () => {
    server.chunkBytes = 3;
    reflect();
    await synced();
    server.set(pod('h', { annotations: { text: 'é 😀 \u2028 \u2029 \n {"type":"DELETED"} ' } }));
    await caughtUp();
    expect(restarts).toEqual([]);
  });

  it('reads an event of more than 1 MB', async () => {
    reflect();
    await synced();
    server.set(pod('h', { annotations: { big: 'x'.repeat(1_200_000) } }));
    await caughtUp();
    expect(restarts).toEqual([]);
  });

  it('finds a watch that is open and dead, and lists anew', async () => {
    reflect({ silenceMs: 150 });
    await synced();
    await vi.waitFor(() => expect(server.openWatches).toBe(1));
    server.silence();
    server.set(pod('h'));
    await vi.waitFor(() => expect(reasons()).toEqual(['silent']));
    await caughtUp();
    expect(sink.commits).toBe(2);
  });

  it('leaves a slow list alone while it moves', async () => {
    server.next((response) => {
      response.flushHeaders();
      const lines = server.all(path).map((object) => `${JSON.stringify({ type: 'ADDED', object })}\n`);
      const end = { type: 'BOOKMARK', object: pod('', { resourceVersion: '107', annotations: { 'k8s.io/initial-events-end': 'true' } }) };
      const rest = [...lines, `${JSON.stringify(end)}\n`];
      const timer = setInterval(() => {
        const line = rest.shift();
        if (line === undefined) clearInterval(timer);
        else response.write(line);
      }, 40);
    });
    reflect({ silenceMs: 200 }); // the whole takes longer
    await synced();
    expect(restarts).toEqual([]);
    expect(sink.all()).toEqual(server.all(path));
  });

  it('takes a list where a watch-list hangs, and a watch-list the next time', async () => {
    server.next((response) => response.flushHeaders());
    reflect({ silenceMs: 100 });
    await synced();
    expect(server.requests[1]).toBe(`${path}?limit=3`);
    expect(reasons()).toEqual(['silent']);
  });

  it('finds out that the state went back, as after a restored etcd', async () => {
    reflect({ silenceMs: 150 });
    await synced();
    server.restore(path, [pod('a'), pod('old')], 40);
    server.reset();
    await caughtUp();
    expect(reasons()).toContain('wentBack');
    expect(sink.objects.size).toBe(2);
  });
});

describe('what we may not see', () => {
  it('is forbidden at once, which is told once, and seen when it is granted', async () => {
    server.forbidden.add(path);
    reflect();
    await vi.waitFor(() => expect(reflector.state).toBe('forbidden'));
    await vi.waitFor(() => expect(reflector.restarts.get('forbidden')).toBeGreaterThan(2));
    expect(reasons()).toEqual(['forbidden']);
    server.forbidden.delete(path);
    await synced();
    expect(sink.all()).toEqual(server.all(path));
  });

  it('believes a 403 only at the third time once it was synced, and forgets the objects then', async () => {
    reflect();
    await synced();
    server.next((response) => refuse(response, 403, 'Forbidden'), { times: 2 });
    server.reset();
    server.set(pod('h'));
    await caughtUp();
    expect(reflector.state).toBe('synced');
    expect(lists()).toBe(1);
    server.forbidden.add(path);
    server.reset();
    await vi.waitFor(() => expect(reflector.state).toBe('forbidden'));
    // What is not believed is not told as a lack of rights: a starting API server refuses so for a moment.
    expect(reasons().filter((reason) => reason !== 'disconnected')).toEqual(['refused', 'refused', 'refused', 'refused', 'forbidden']);
    expect(sink.objects.size).toBe(0);
    expect(reflector.staleSince).toBeUndefined();
  });

  it('believes only at the third time that a kind which was not served is forbidden now', async () => {
    server.absent.add(path);
    reflect();
    await vi.waitFor(() => expect(reflector.restarts.get('notServed')).toBeGreaterThan(3));
    server.next((response) => refuse(response, 403, 'Forbidden'), { times: 2 });
    await vi.waitFor(() => expect(reflector.restarts.get('forbidden')).toBe(2));
    expect(reflector.state).toBe('notServed');
    server.absent.delete(path);
    server.forbidden.add(path);
    await vi.waitFor(() => expect(reflector.state).toBe('forbidden'));
  });

  it('is not served until its definition is installed, and not served again when that goes', async () => {
    server.absent.add(path);
    reflect();
    await vi.waitFor(() => expect(reflector.state).toBe('notServed'));
    server.absent.delete(path);
    await synced();
    server.absent.add(path);
    server.reset();
    await vi.waitFor(() => expect(reflector.state).toBe('notServed'));
    expect(sink.objects.size).toBe(0);
  });

  it('takes the older version where the newer is not served, and moves on when it comes', async () => {
    const [newer, older] = ['/apis/external-secrets.io/v1/externalsecrets', '/apis/external-secrets.io/v1beta1/externalsecrets'];
    const secret = (version: string, name: string): FakeObject => ({
      apiVersion: `external-secrets.io/${version}`,
      kind: 'ExternalSecret',
      metadata: { namespace: 'shop', name },
    });
    server.absent.add(newer);
    server.set(secret('v1beta1', 'tls'));
    server.set(secret('v1', 'tls'));
    reflect({}, [newer, older]);
    await synced();
    expect(reflector.path).toBe(older);
    server.absent.delete(newer);
    server.absent.add(older);
    server.reset();
    await vi.waitFor(() => expect(sink.all()).toEqual(server.all(newer)));
    expect(reflector.state).toBe('synced');
    server.absent.add(newer);
    server.reset();
    await vi.waitFor(() => expect(reflector.state).toBe('notServed'));
  });
});
