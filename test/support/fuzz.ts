/** Seeds and mutations for the fuzz tests. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';

/**
 * What the generators begin with: PORTCULLIS_FUZZ_SEED, else the commit, so that each commit gets inputs of its own and a
 * second run of the same one, which proves nothing new, repeats them. Without git, the day.
 */
export function fuzzSeed(): number {
  const given = process.env['PORTCULLIS_FUZZ_SEED'];
  if (given !== undefined && /^\d{1,9}$/.test(given)) return Number(given);
  try {
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return Number.parseInt(commit.slice(0, 7), 16);
  } catch {
    return Math.floor(Date.now() / 86_400_000);
  }
}

/** One line for the log of the run: how many inputs, from which seed, and what it took. */
export const report = (line: string): void => void process.stdout.write(`fuzz, seed ${fuzzSeed()}: ${line}\n`);

/** Anything that JSON can hold, with what hurts. */
const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -0, -1, 1e308, 2 ** 53, 65_536, '', ' ', '__proto__', 'constructor', 'Service', [], {}, [
    [[]],
  ]),
  fc.constantFrom('*', 'TCP', 'http', '53', '10.96.0.10', '::1', '0.0.0.0/0', '2026-02-30', 'deny', 'ClusterIP', 'None', 'a'.repeat(300)),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.jsonValue({ maxDepth: 3 }),
  fc
    .constantFrom(
      '{"__proto__":{"allowed":true},"constructor":{"prototype":{}},"hasOwnProperty":1}',
      `${'['.repeat(500)}${']'.repeat(500)}`,
      `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`,
    )
    .map((text) => JSON.parse(text) as unknown),
);

type Edit = readonly [kind: 'set' | 'remove' | 'rename' | 'copy' | 'repeat', where: number, from: number, value: unknown];

export const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.tuple(fc.constantFrom('set', 'set', 'set', 'remove', 'rename', 'copy', 'repeat'), fc.nat(), fc.nat(), odd),
  { minLength: 1, maxLength: 5 },
);

interface Place {
  readonly holder: object;
  readonly key: string;
}

const keysThatHurt = ['__proto__', 'constructor', 'toString', 'length', '0', '', 'uid', 'kind', 'spec', 'metadata', 'name', 'rules'];

/** The value, some of whose fields, wherever they stand, have become something else. `value` is changed. */
export function edited(value: object, changes: readonly Edit[]): object {
  for (const [kind, where, from, content] of changes) {
    const places = placesIn(value);
    const place = places[where % Math.max(1, places.length)];
    const other = places[from % Math.max(1, places.length)];
    if (place === undefined || other === undefined) return value;
    const { holder, key } = place;
    if (kind === 'remove') Reflect.deleteProperty(holder, key);
    else if (kind === 'rename') put(holder, keysThatHurt[from % keysThatHurt.length] ?? '', read(place));
    else if (kind === 'copy') put(holder, key, copied(read(other)));
    else if (kind === 'repeat') put(holder, key, repeated(read(place), (from % 50) + 1));
    else put(holder, key, copied(content));
  }
  return value;
}

/** Fields and items, wherever they stand: at most so many, or copies of copies would grow without end. */
function placesIn(value: object): readonly Place[] {
  const places: Place[] = [];
  const left: object[] = [value];
  for (let holder = left.pop(); holder !== undefined && places.length < 2_000; holder = left.pop())
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      const content = read({ holder, key });
      if (typeof content === 'object' && content !== null) left.push(content);
    }
  return places;
}

const read = ({ holder, key }: Place): unknown => Object.getOwnPropertyDescriptor(holder, key)?.value;
/** An array's length is no field of JSON. */
const put = (holder: object, key: string, value: unknown): void =>
  void (key !== 'length' && Reflect.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true }));
const copied = (value: unknown): unknown => (value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown));

/** A list of it; of what is large already, a short one. */
function repeated(value: unknown, times: number): readonly unknown[] {
  const room = Math.ceil(20_000 / ((JSON.stringify(value) ?? '').length + 1));
  return Array.from({ length: Math.min(times, room) }, () => copied(value));
}

const byteEdit = fc.tuple(
  fc.constantFrom('set', 'set', 'insert', 'remove', 'repeat', 'cut'),
  fc.nat(),
  fc.oneof(
    fc.constantFrom(...[...'{}[]",:\\0 e-#&*!|>%@`\'?~\n\r\t'].map((one) => one.charCodeAt(0))),
    fc.constantFrom(0, 0x80, 0xc0, 0xed, 0xf5, 0xff),
  ),
  fc.nat({ max: 64 }),
);

/** Some bytes of the text have become others, or more, or fewer: what comes out may be no UTF-8 any more. */
export const bytesOf = (text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc.tuple(text, fc.array(byteEdit, { minLength: 1, maxLength: 6 })).map(([from, changes]) => {
    let bytes = Buffer.from(from);
    for (const [kind, at, byte, length] of changes) {
      const start = at % (bytes.length + 1);
      const [before, there, after] = [bytes.subarray(0, start), bytes.subarray(start, start + length), bytes.subarray(start + length)];
      if (kind === 'set' && start < bytes.length) bytes[start] = byte;
      else if (kind === 'insert') bytes = Buffer.concat([before, Buffer.from([byte]), bytes.subarray(start)]);
      else if (kind === 'remove') bytes = Buffer.concat([before, after]);
      else if (kind === 'repeat') bytes = Buffer.concat([before, there, there, after]);
      else if (kind === 'cut') bytes = Buffer.from(before);
    }
    return bytes;
  });
