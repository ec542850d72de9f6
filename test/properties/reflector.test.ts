/** Whatever happens to objects and connections, in whatever order: in the end the reflector holds what the server does. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { kubeClient } from '../../src/client/kube-client.ts';
import { Reflector } from '../../src/sources/reflector.ts';
import { FakeApiServer, type FakeObject, refuse } from '../support/fake-api-server.ts';
import { runs } from '../support/figures.ts';
import { MapSink } from '../support/map-sink.ts';

const path = '/api/v1/pods';
const pod = (number: number, text: string): FakeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name: `pod-${number}` },
  text,
});

type Step = (server: FakeApiServer) => void;
const named = (name: string, step: Step): Step => Object.assign(step, { toString: () => name });
const constant = (name: string, step: Step) => fc.constant(named(name, step));
const number = fc.integer({ min: 0, max: 12 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(number, fc.string({ unit: 'grapheme' }))
      .map(([n, text]) => named(`set ${n}`, (server) => server.set(pod(n, text)))),
  },
  { weight: 4, arbitrary: number.map((n) => named(`delete ${n}`, (server) => server.delete(pod(n, '')))) },
  { weight: 1, arbitrary: constant('bookmark', (server) => server.bookmark()) },
  { weight: 1, arbitrary: constant('end', (server) => server.endWatches()) },
  { weight: 1, arbitrary: constant('reset', (server) => server.reset()) },
  { weight: 1, arbitrary: constant('compact', (server) => server.compact()) },
  {
    weight: 1,
    arbitrary: constant('expire', (server) => {
      server.compact();
      server.reset();
    }),
  },
  {
    weight: 1,
    arbitrary: constant('half a line', (server) => {
      server.emit(`{"type":"ADD`);
      server.endWatches();
    }),
  },
  { weight: 1, arbitrary: constant('rubbish', (server) => server.emit('rubbish\n')) },
  { weight: 1, arbitrary: constant('refuse', (server) => server.next((response) => refuse(response, 500, 'InternalError'), { times: 2 })) },
  { weight: 1, arbitrary: constant('cut', (server) => server.next((response) => response.socket?.resetAndDestroy())) },
);

describe('Reflector', () => {
  it.each([true, false])('ends up with what the server has (watch-lists served: %s)', async (watchLists) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 30 }), fc.constantFrom(0, 5, 64), async (steps, chunkBytes) => {
        const server = new FakeApiServer();
        Object.assign(server, { watchLists, chunkBytes });
        await server.start();
        const client = kubeClient({ server: server.url, identity: async () => ({ headers: {}, tls: {} }) });
        const sink = new MapSink();
        const pace = {
          backoff: { firstMs: 1, longestMs: 5, unansweredMs: 5 },
          refusedMs: 5,
          silenceMs: 5_000,
          watchSeconds: 300,
          steadyMs: 0,
          pageSize: 4,
        };
        const reflector = new Reflector({ client, paths: [path], sink, pace });
        reflector.start();
        try {
          for (const [act, rests] of steps) {
            act(server);
            if (rests) await new Promise((resolve) => setTimeout(resolve, 1));
          }
          const caughtUp = (): void => {
            expect(reflector.state).toBe('synced');
            expect(reflector.staleSince).toBeUndefined();
            expect(sink.all()).toEqual(server.all(path));
          };
          await vi.waitFor(caughtUp, { interval: 2, timeout: 5_000 });
        } finally {
          await reflector.close();
          await client.close();
          await server.stop();
        }
      }),
      { numRuns: runs(60, 2_000) },
    );
  });
});
