/** What a reflector does when: on a clock that stands still between two moves, with a server that is a script. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backoffMs } from '../../src/client/clock.ts';
import { KubeError } from '../../src/client/kube-client.ts';
import { clientGoBackoff } from '../../src/sources/backoff.ts';
import { Reflector } from '../../src/sources/reflector.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MapSink } from '../support/map-sink.ts';

type Script = (path: string, signal: AbortSignal, opened: () => void) => AsyncGenerator<string>;

const line = (type: string, version: number, annotations = {}): string =>
  JSON.stringify({
    type,
    object: { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop', name: 'a', resourceVersion: String(version), annotations } },
  });
const endOfList = (version: number): string => line('BOOKMARK', version, { 'k8s.io/initial-events-end': 'true' });
const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')));
  });

let clock: FakeClock;
let script: Script;
let paths: string[];
let started: number[];
let reflector: Reflector;

beforeEach(() => {
  clock = new FakeClock();
  paths = [];
  started = [];
  const watch = (path: string, signal: AbortSignal, opened: () => void = () => {}): AsyncGenerator<string> => {
    paths.push(path);
    started.push(clock.now());
    return script(path, signal, opened);
  };
  const client = { watch, get: () => Promise.reject(new KubeError(500, '', '')) };
  reflector = new Reflector({ client, clock, sink: new MapSink(), paths: ['/api/v1/pods'] });
});

afterEach(() => reflector.close());

/** Times between two attempts, in milliseconds. */
const gaps = (): number[] => started.slice(1).map((time, at) => time - (started[at] as number));

async function* synced(_: string, signal: AbortSignal, opened: () => void): AsyncGenerator<string> {
  opened();
  yield endOfList(10);
  await untilAborted(signal);
}

describe('waiting', () => {
  it('doubles from 0.8 s on, and goes on for ever', async () => {
    // biome-ignore lint/correctness/useYield: a server that fails before the first line
    script = async function* () {
      throw new KubeError(500, 'InternalError', '');
    };
    reflector.start();
    await clock.advance(200_000);
    expect(gaps().slice(0, 9)).toEqual([800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000, 15_000, 15_000]);
  });

  it('is stretched by chance up to its double, and never longer than 30 s', () => {
    const { firstMs, longestMs } = clientGoBackoff;
    expect(backoffMs(firstMs, longestMs, 1, 0.5)).toBe(1_200);
    expect(backoffMs(firstMs, longestMs, 2, 1)).toBe(3_200);
    expect(backoffMs(firstMs, longestMs, 1_000, 0)).toBe(15_000);
    expect(backoffMs(firstMs, longestMs, 1_000, 1)).toBe(30_000);
  });

  it('is never longer than 5 s while nobody answers', async () => {
    // biome-ignore lint/correctness/useYield: nobody is there
    script = async function* () {
      throw new Error('connect ECONNREFUSED');
    };
    clock.chance = 0.9;
    reflector.start();
    await clock.advance(60_000);
    expect(gaps().slice(0, 4)).toEqual([1_520, 3_040, 4_750, 4_750]);
  });

  it('is short when a server comes back that has forgotten us, and grows when it forgets us again and again', async () => {
    script = async function* (_, signal, opened) {
      if (paths.length > 1 && paths.length < 7) throw new Error('connect ECONNREFUSED');
      opened();
      if (paths.length === 1) {
        yield endOfList(10);
        await Promise.race([untilAborted(signal), new Promise<void>((resolve) => clock.after(10_000, resolve))]);
        throw new Error('cut');
      }
      if (paths.at(-1)?.includes('sendInitialEvents')) yield endOfList(20);
      throw new KubeError(410, 'Expired', '');
    };
    reflector.start();
    await clock.advance(100_000);
    expect(gaps().slice(5, 10)).toEqual([2_500, 800, 1_600, 3_200, 6_400]);
  });

  it('is short when a server comes back that refuses us while it starts', async () => {
    // biome-ignore lint/correctness/useYield: nobody is there, and then nobody is ready
    script = async function* () {
      throw paths.length <= 6 ? new Error('connect ECONNREFUSED') : new KubeError(503, 'ServiceUnavailable', '');
    };
    reflector.start();
    await clock.advance(60_000);
    expect(gaps().slice(4, 9)).toEqual([2_500, 2_500, 800, 1_600, 3_200]);
  });

  it('begins with the first wait again after a watch that lived', async () => {
    let attempt = 0;
    script = async function* (path, signal, opened) {
      attempt++;
      if (attempt <= 4) throw new KubeError(500, 'InternalError', '');
      yield* synced(path, AbortSignal.any([signal, cut.signal]), opened);
    };
    const cut = new AbortController();
    reflector.start();
    await clock.advance(20_000);
    expect(reflector.state).toBe('synced');
    cut.abort();
    await clock.advance(0);
    expect(clock.waits).toEqual([800]);
  });

  it('grows where watches are accepted and break at once', async () => {
    script = async function* (_, __, opened) {
      opened();
      if (paths.length === 1) yield endOfList(10);
      throw new Error('cut');
    };
    reflector.start();
    await clock.advance(60_000);
    expect(gaps().slice(0, 4)).toEqual([800, 1_600, 2_500, 2_500]);
  });

  it('asks for what is forbidden each 15 to 30 s', async () => {
    // biome-ignore lint/correctness/useYield: refused before the first line
    script = async function* () {
      throw new KubeError(403, 'Forbidden', '');
    };
    clock.chance = 0.4;
    reflector.start();
    await clock.advance(60_000);
    expect(reflector.state).toBe('forbidden');
    expect(gaps()).toEqual([21_000, 21_000]);
  });
});

describe('signs of life', () => {
  it('ends a watch that is silent for 90 s, lists anew, and was stale since the last frame', async () => {
    script = async function* (path, signal, opened) {
      if (paths.length > 1) throw new Error('still no network');
      yield* synced(path, signal, opened);
    };
    reflector.start();
    await clock.advance(0);
    const last = clock.now();
    await clock.advance(89_999);
    expect(reflector.staleSince).toBeUndefined();
    await clock.advance(1);
    expect(reflector.restarts.get('silent')).toBe(1);
    expect(reflector.staleSince).toBe(last);
    await clock.advance(1_000);
    expect(paths[1]).toContain('sendInitialEvents=true');
  });

  it('is content with a bookmark a minute', async () => {
    script = async function* (_, signal, opened) {
      opened();
      yield endOfList(10);
      for (let minute = 1; ; minute++) {
        await Promise.race([untilAborted(signal), new Promise<void>((resolve) => clock.after(60_000, resolve))]);
        yield line('BOOKMARK', 10 + minute);
      }
    };
    reflector.start();
    await clock.advance(280_000);
    expect(reflector.restarts.size).toBe(0);
    expect(reflector.staleSince).toBeUndefined();
  });

  it('ends a watch that the server forgot to end, and goes on without a list', async () => {
    script = async function* (_, signal, opened) {
      opened();
      if (paths.length === 1) yield endOfList(10);
      for (let second = 1; ; second++) {
        await Promise.race([untilAborted(signal), new Promise<void>((resolve) => clock.after(30_000, resolve))]);
        yield line('BOOKMARK', 10 + second);
      }
    };
    reflector.start();
    await clock.advance(300_000 + 90_000);
    expect(paths).toHaveLength(2);
    expect(paths[0]).toContain('timeoutSeconds=300');
    expect(paths[1]).toContain('resourceVersion=2');
    expect([...reflector.restarts]).toEqual([['ended', 1]]);
    expect(reflector.staleSince).toBeUndefined();
  });
});
