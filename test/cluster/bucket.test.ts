import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bucket } from '../../src/cluster/bucket.ts';

const none: Bucket<number> = Bucket.empty;
const filled = (count: number): Bucket<number> =>
  none.with(new Map(Array.from({ length: count }, (_, n) => [`key-${String(n).padStart(6, '0')}`, n])));

/** Keys near each other and far apart, so that chunks fill, split, empty and join. */
const keyed = fc.tuple(
  fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 5_000 })).map((n) => `k${n}`),
  fc.option(fc.integer(), { nil: undefined }),
);
const batches = fc.array(fc.oneof(fc.array(keyed, { maxLength: 3 }), fc.array(keyed, { minLength: 100, maxLength: 600 })), {
  maxLength: 12,
});

const differences = (before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): unknown[] =>
  [...new Set([...before.keys(), ...now.keys()])]
    .sort()
    .filter((key) => before.get(key) !== now.get(key))
    .map((key) => [key, before.get(key), now.get(key)]);

describe('Bucket', () => {
  it('equals a sorted map, after any changes in any batches', () => {
    fc.assert(
      fc.property(batches, (changes) => {
        let bucket = none;
        const reference = new Map<string, number>();
        for (const batch of changes) {
          const earlier = bucket;
          const before = [...earlier.entries()];
          bucket = bucket.with(new Map(batch));
          for (const [key, value] of new Map(batch)) value === undefined ? reference.delete(key) : reference.set(key, value);
          const expected = [...reference].sort(([a], [b]) => (a < b ? -1 : 1));
          expect([...bucket.entries()]).toEqual(expected);
          expect(bucket.values).toEqual(expected.map(([, value]) => value));
          expect([...bucket.keys()]).toEqual(expected.map(([key]) => key));
          expect(bucket.size).toBe(expected.length);
          expect(bucket.isEmpty).toBe(expected.length === 0);
          for (const [key] of batch) expect(bucket.get(key)).toBe(reference.get(key));
          expect([...earlier.entries()]).toEqual(before); // the old version is as it was
          const told = [...bucket.changesSince(earlier)].sort(([a], [b]) => (a < b ? -1 : 1));
          expect(told).toEqual(differences(new Map(before), reference));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('holds keys that are words of JavaScript', () => {
    const hostile = ['__proto__', 'constructor', 'toString', ''];
    const bucket = none.with(new Map(hostile.map((key, at) => [key, at])));
    expect(hostile.map((key) => bucket.get(key))).toEqual([0, 1, 2, 3]);
    expect(bucket.get('hasOwnProperty')).toBeUndefined();
  });

  it('shares all chunks but one with the version before', () => {
    const before = filled(10_000);
    const after = before.with(new Map([['key-005000', -1]]));
    const chunksOf = (bucket: Bucket<number>): readonly unknown[] => (bucket as unknown as { chunks: readonly unknown[] }).chunks;
    expect(chunksOf(after).filter((chunk) => !chunksOf(before).includes(chunk))).toHaveLength(1);
  });

  it('keeps few chunks when entries go one by one', () => {
    let bucket = filled(10_000);
    for (let n = 0; n < 10_000; n++) if (n % 100 !== 0) bucket = bucket.with(new Map([[`key-${String(n).padStart(6, '0')}`, undefined]]));
    expect(bucket.size).toBe(100);
    expect((bucket as unknown as { chunks: readonly unknown[] }).chunks.length).toBeLessThanOrEqual(10);
  });

  it('makes its list of values once', () => {
    const bucket = filled(300);
    expect(bucket.values).toBe(bucket.values);
  });
});
