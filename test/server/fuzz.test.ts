import { Agent } from 'node:https';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { handle } from '../../src/admission/handler.ts';
import { configurationOf, needsTemplate, plentyOfTime, portsOf, requestFor, reviewOf, service, snapshotOf } from '../admission/reviews.ts';
import { runs } from '../support/figures.ts';
import { send, start, warmUp } from './client.ts';

warmUp();

const ports = portsOf(snapshotOf(), configurationOf([needsTemplate()]));

/** Anything that JSON can hold, with the keys that hurt. */
const odd = fc.oneof(
  fc.constantFrom(null, true, 0, -0, 1e308, 2 ** 53, '', '__proto__', 'Service', [], {}, [[[]]]),
  fc.jsonValue({ maxDepth: 3 }),
  fc
    .constant('{"__proto__":{"allowed":true},"constructor":{"prototype":{}},"hasOwnProperty":1}')
    .map((text) => JSON.parse(text) as unknown),
);
const key = fc.constantFrom(
  'uid',
  'kind',
  'operation',
  'namespace',
  'name',
  'object',
  'oldObject',
  'dryRun',
  'userInfo',
  'subResource',
  'options',
  '__proto__',
);
const operation = fc.constantFrom('CREATE', 'UPDATE', 'DELETE', 'CONNECT', 'create', '');
const objectKey = fc.constantFrom(
  'apiVersion',
  'kind',
  'metadata',
  'spec',
  'status',
  'selector',
  'ports',
  'labels',
  'annotations',
  'name',
  'finalizers',
  'deletionTimestamp',
);

const copied = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

/** A valid review in which some fields have become something else. */
const mutated = fc
  .record({
    operation,
    changes: fc.array(fc.tuple(key, odd), { maxLength: 3 }),
    inside: fc.array(fc.tuple(fc.constantFrom('object', 'metadata', 'spec'), objectKey, odd), { maxLength: 4 }),
  })
  .map(({ operation: how, changes, inside }) => {
    const object = structuredClone(service()) as Record<string, Record<string, unknown>>;
    for (const [where, name, value] of inside) {
      const target = where === 'object' ? object : object[where];
      if (typeof target === 'object' && target !== null) Object.assign(target, { [name]: copied(value) });
    }
    const request = { ...requestFor(how === 'DELETE' ? null : object, { operation: how, oldObject: how === 'CREATE' ? null : service() }) };
    for (const [name, value] of changes)
      Object.defineProperty(request, name, { value, enumerable: true, configurable: true, writable: true });
    return JSON.stringify(reviewOf(request));
  });
/** A valid review of which some bytes have become others. */
const bytes = fc
  .tuple(
    mutated,
    fc.array(fc.tuple(fc.nat(), fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', '0', ' ', '\u0000', 'e', '-')), { maxLength: 6 }),
  )
  .map(([text, edits]) =>
    edits.reduce(
      (edited, [at, character]) => edited.slice(0, at % edited.length) + character + edited.slice((at % edited.length) + 1),
      text,
    ),
  );
const body = fc.oneof(
  { weight: 5, arbitrary: mutated },
  { weight: 3, arbitrary: bytes },
  { weight: 1, arbitrary: fc.string() },
  { weight: 1, arbitrary: odd.map((value) => JSON.stringify(value)) },
);

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
const uidOf = (value: unknown): unknown => (value as { request?: { uid?: unknown } } | undefined)?.request?.uid;

it('20,000 bodies: an answer has the uid of its request, and what cannot be read is never denied', { timeout: 60_000 }, async () => {
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      const value = parsed(text);
      const handled = await handle(value, plentyOfTime, ports);
      outcomes.add(handled.outcome);
      if (handled.outcome === 'refused') return;
      const { response } = JSON.parse(JSON.stringify(handled.answer)) as { response: { uid: unknown; allowed: boolean } };
      expect(response.uid).toBe(uidOf(value));
      if (handled.outcome !== 'judged') expect(response.allowed).toBe(true);
    }),
    { numRuns: runs(20_000, 1_000_000) },
  );
  expect([...outcomes].sort()).toEqual(['judged', 'passed', 'refused', 'unreadable']);
});

it('over the wire: 200 with the right uid, or a client error', { timeout: 60_000 }, async () => {
  const server = await start({ ports });
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      const answer = await send(server, text, { agent });
      expect([200, 400]).toContain(answer.status);
      if (answer.status === 200) expect(answer.json().response.uid).toBe(uidOf(parsed(text)));
    }),
    { numRuns: runs(1000, 50_000) },
  );
  agent.destroy();
  expect(server.logged.filter(({ msg }) => msg === 'internal error')).toEqual([]);
});
