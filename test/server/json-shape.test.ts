import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heapBytesOf, maxDepth, weigh, weightOf } from '../../src/server/json-shape.ts';
import { runs } from '../support/figures.ts';

const bytes = (text: string): Buffer => Buffer.from(text);
const none = Number.POSITIVE_INFINITY;

/** The same, from the value that was written. */
function weightOfValue(value: unknown, text: string): number {
  const keys = new Set<string>();
  let weight = 2 * Buffer.byteLength(text);
  const visit = (each: unknown): void => {
    if (typeof each !== 'object' || each === null) return;
    const names = Array.isArray(each) ? [] : Object.keys(each);
    for (const name of names) keys.add(name);
    const values = Object.values(each) as unknown[];
    weight += heapBytesOf.container + heapBytesOf.element * Math.max(0, values.length - 1) + heapBytesOf.member * names.length;
    for (const inner of values) visit(inner);
  };
  visit(value);
  return weight + heapBytesOf.key * keys.size;
}

/** What looks like structure, and is none. */
const misleading = fc.constantFrom('{"a":[', '\\', '"', '\\"', '\\\\"', '}]', 'größe', '日本', '😀', '\u2028', ':,', '\u0000', '\ud800');
const string = fc.oneof(misleading, fc.string({ unit: 'binary' }));
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.oneof(string, fc.double({ noNaN: true }), fc.constantFrom(null, true)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(string, tie('value'), { maxKeys: 4 }),
  ),
}));
/** A key is new or it is not, whatever bits it falls on. */
const { value: oneKeyed } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    string,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('value').map((value) => ({ 'a"[': value })),
  ),
}));
// Not from the text by JSON.parse: V8 13.6 loses a member of `{"a":0,"\u0000":1,"\\":2}` at times.
const written = fc
  .tuple(json, fc.constantFrom(undefined, 1, '\t'))
  .map(([value, space]) => ({ value, text: JSON.stringify(value, null, space) }));

describe('the weight of a JSON text', () => {
  it('is that of what stands in it', () => {
    const all = runs(5000, 500_000);
    let mistaken = 0;
    fc.assert(
      fc.property(written, ({ value, text }) => {
        const weight = weightOfValue(value, text);
        const told = weigh(bytes(text), none);
        // Two keys may fall on one bit.
        if (told !== weight) mistaken++;
        expect([weight, weight - heapBytesOf.key]).toContain(told);
      }),
      { numRuns: all },
    );
    expect(mistaken).toBeLessThan(all / 100);
  });

  it('is told if and only if it lies within the limit', () => {
    fc.assert(
      fc.property(oneKeyed, fc.integer({ min: -200, max: 200 }), (value, off) => {
        const text = JSON.stringify(value);
        const weight = weightOfValue(value, text);
        // Short texts are looked at as long ones are, with blanks in front, which weigh what text weighs.
        const long = ' '.repeat(70_000) + text;
        expect(weightOf(bytes(long), 140_000 + weight + off)).toBe(off >= 0 ? 140_000 + weight : none);
      }),
      { numRuns: runs(300, 30_000) },
    );
  });

  it('counts keys once', () => {
    const same = weigh(bytes('[{"key":1},{"key":2}]'), none);
    expect(weigh(bytes('[{"key":1},{"kez":2}]'), none)).toBe(same + heapBytesOf.key);
  });

  it.each([
    ['counted up', (index: number) => index.toString(36)],
    ['with the same start', (index: number) => `example.com/some-long-prefix-${index}`],
    ['with the same end', (index: number) => `${index}.example.com`],
    ['of letters', (index: number) => [...index.toString(4)].map((digit) => 'aAbB'[Number(digit)]).join('')],
  ])('tells keys %s apart, all but a few', (_, keyOf) => {
    const keys = Array.from({ length: 200_000 }, (_key, index) => `"${keyOf(index)}":0`);
    const text = bytes(`{${keys.join(',')}}`);
    const others = heapBytesOf.container + keys.length * (heapBytesOf.member + heapBytesOf.element) - heapBytesOf.element;
    for (let seeds = 0; seeds < 5; seeds++) {
      const told = (weigh(text, none) - 2 * text.length - others) / heapBytesOf.key;
      expect(told).toBeLessThanOrEqual(keys.length);
      // 2.3 % of 200,000 share one of 4 million bits with another.
      expect(told).toBeGreaterThan(keys.length * 0.96);
    }
  });

  it.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
    ['both', '[{"a":', '}]'],
  ])('knows no depth over the limit, of %s', (_, open, close) => {
    const levels = maxDepth / (open.length === 6 ? 2 : 1);
    const nested = (count: number): Buffer => bytes(`${open.repeat(count)}0${close.repeat(count)}`);
    expect(weigh(nested(levels), none)).toBeLessThan(none);
    expect(weigh(nested(levels + 1), none)).toBe(none);
  });

  it('of any bytes is some number', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
        expect(weigh(any, none)).toBeGreaterThanOrEqual(any.length);
      }),
    );
  });

  it('of a short text is assumed, and never less than that of a look', () => {
    for (const short of ['{},'.repeat(20_000), '{"a":0},'.repeat(8000), '"",'.repeat(20_000), '[0],'.repeat(16_000)]) {
      const whole = bytes(`[${short.slice(0, -1)}]`);
      expect(weightOf(whole, none)).toBeGreaterThanOrEqual(weigh(whole, none));
    }
  });

  it.each([
    ['{from: [{podSelector: {}, namespaceSelector: {}}]}', '{"from":[{"podSelector":{},"namespaceSelector":{}}]},', 8],
    ['{from: [{podSelector: {}}]}', '{"from":[{"podSelector":{}}]},', 6],
    ['{}', '{},', 2],
    ['matchExpressions values', '"",', 2],
  ])('of the update of a NetworkPolicy that fills what etcd stores with %s lies within the limit', async (_, rule, protobufBytes) => {
    const { limits } = await import('../../src/server/limits.ts');
    const spec = `{"ingress":[${rule.repeat(1_572_864 / protobufBytes).slice(0, -1)}]}`;
    const review = bytes(`{"request":{"object":{"spec":${spec}},"oldObject":{"spec":${spec}}}}`);
    expect(review.length).toBeLessThan(limits.bodyBytes);
    expect(weightOf(review, limits.parsedBytes)).toBeLessThan(none);
  });
});
