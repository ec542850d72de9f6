import { beforeAll, describe, expect, it } from 'vitest';
import { type Authority, makeAuthority, signLeaf } from '../../src/certificates/authority.ts';
import { readCertificate } from '../../src/certificates/pem.ts';
import { type AuthorityState, type Bundles, needsLeaf, nextStep, type Surroundings } from '../../src/certificates/renewal.ts';
import { rotationTimes } from '../../src/certificates/shared-authority.ts';

const now = Date.parse('2026-11-21T09:00:00Z');
const dayMs = 86_400_000;
let a: Authority;
let b: Authority;
beforeAll(async () => {
  [a, b] = await Promise.all([makeAuthority(now), makeAuthority(now + 243 * dayMs)]);
});

const at = (days: number, forMs = Number.POSITIVE_INFINITY): Surroundings & { readonly trustedMs: number } => ({
  nowMs: now + days * dayMs,
  unchangedMs: forMs,
  trustedMs: forMs,
  times: rotationTimes,
});
const everywhere = (...authorities: readonly Authority[]): Bundles => [authorities, authorities, authorities];
/** What would be done, in a word, and what would be stored then. */
const step = (state: AuthorityState, bundles: Bundles, around: Surroundings) => {
  const next = nextStep(state, bundles, around);
  return next?.do === 'store' ? [next.change, next.state] : next?.do;
};
const alone = (): AuthorityState => ({ current: a, previous: [] });

describe('the leader', () => {
  it('makes an authority where there is none, and keeps trusting what is trusted', () => {
    expect(step({ previous: [] }, everywhere(), at(0))).toEqual(['created', { current: 'new', previous: [] }]);
    expect(step({ previous: [] }, [[a], [], [a]], at(1))).toMatchObject(['created', { current: 'new', previous: [{ id: a.id }] }]);
  });

  it('lets the announced one take over at once where the one that signs is over', () => {
    expect(step({ current: a, next: b, previous: [] }, everywhere(a), at(366))).toMatchObject([
      'promoted',
      { current: { id: b.id }, previous: [] },
    ]);
  });

  it.each([
    ['one entry lacks it', () => [[a], [], [a]]],
    ['an entry trusts another', () => [[a], [a, b], [a]]],
  ])('writes the bundles where %s', (_, bundles) => {
    expect(step(alone(), bundles(), at(1))).toBe('publish');
  });

  it('does nothing for two thirds of a year', () => {
    for (const days of [0, 100, 242]) expect(step(alone(), everywhere(a), at(days))).toBeUndefined();
    expect(step(alone(), everywhere(a), at(244))).toMatchObject(['announced', { current: { id: a.id }, next: 'new' }]);
  });

  it('waits a day from when every entry trusts the next one, and a day more before it drops the last one', () => {
    const announced = { ...alone(), next: b };
    expect(step(announced, everywhere(a), at(244))).toBe('publish');
    expect(step(announced, everywhere(a, b), at(244))).toMatchObject(['seen', { nextSince: now + 244 * dayMs }]);
    const seen = { ...announced, nextSince: now + 244 * dayMs };
    expect(step(seen, everywhere(a, b), at(244.99))).toBeUndefined();
    expect(step(seen, everywhere(a, b), at(245))).toMatchObject(['promoted', { current: { id: b.id }, previous: [{ id: a.id }] }]);
    const promoted = { current: b, previous: [a], previousSince: now + 245 * dayMs };
    expect(step(promoted, everywhere(b, a), at(245.99))).toBeUndefined();
    expect(step(promoted, everywhere(b, a), at(246))).toMatchObject(['forgotten', { current: { id: b.id }, previous: [] }]);
  });

  it('begins the overlap anew where an entry has lost the next one meanwhile', () => {
    const seen = { ...alone(), next: b, nextSince: now + 244 * dayMs };
    expect(step(seen, [[a, b], [a], [a, b]], at(246))).toMatchObject(['unseen', { nextSince: undefined }]);
    const promoted = { current: b, previous: [a], previousSince: now + 245 * dayMs };
    expect(step(promoted, [[a, b], [a], [a, b]], at(246))).toMatchObject(['unseen', { previousSince: undefined }]);
    expect(step({ ...promoted, previousSince: undefined }, everywhere(a, b), at(246))).toMatchObject([
      'stamped',
      { previousSince: now + 246 * dayMs },
    ]);
  });

  it('believes no clock that has jumped: it has seen for two minutes what it goes on from, and no time to come', () => {
    const seen = { ...alone(), next: b, nextSince: now + 244 * dayMs };
    expect(step(seen, everywhere(a, b), at(300, 119_000))).toBeUndefined();
    expect(step(seen, everywhere(a, b), at(243.5))).toMatchObject(['seen', { nextSince: now + 243.5 * dayMs }]);
    const promoted = { current: a, previous: [b], previousSince: now + 10 * dayMs };
    expect(step(promoted, everywhere(a, b), at(9))).toMatchObject(['stamped', { previousSince: now + 9 * dayMs }]);
  });

  it('carries at most thirty, however often the Secret is emptied', async () => {
    const many = await Promise.all(Array.from({ length: 32 }, (_, hour) => makeAuthority(now + hour * 3_600_000)));
    const next = nextStep({ previous: [] }, [many], at(2));
    expect(next?.do === 'store' && next.state.previous.map(({ id }) => id)).toEqual(
      many
        .slice(2)
        .reverse()
        .map(({ id }) => id),
    );
  });
});

describe('a replica', () => {
  const served = async (by: Authority, days: number) => ({
    ...readCertificate((await signLeaf(by, ['a'], now + days * dayMs)).cert),
    issuer: by.id,
  });

  it('signs its first leaf once every entry trusts the authority', () => {
    expect(needsLeaf(undefined, a, undefined, at(0))).toBe(false);
    expect(needsLeaf(undefined, a, [[a], []], at(0))).toBe(false);
    expect(needsLeaf(undefined, a, [[a], [a]], at(0))).toBe(true);
    expect(needsLeaf(undefined, a, [[a], [a]], at(400))).toBe(false);
  });

  it('renews it after two thirds, with no API server too, and where the clock was wrong', async () => {
    const leaf = await served(a, 100);
    for (const [days, due] of [
      [159.9, false],
      [160, true],
      [99, true],
    ] as const)
      expect(needsLeaf(leaf, a, undefined, at(days)), `day ${days}`).toBe(due);
  });

  it('takes one of another authority when every entry has been seen to trust that for a while, or when its own is worth nothing', async () => {
    const leaf = await served(a, 240);
    expect(needsLeaf(leaf, b, everywhere(a, b), at(245, 29_000))).toBe(false);
    expect(needsLeaf(leaf, b, everywhere(a, b), at(245, 30_000))).toBe(true);
    expect(needsLeaf(leaf, b, [[a, b], [a]], at(245))).toBe(false);
    expect(needsLeaf(leaf, b, everywhere(b), at(245, 0))).toBe(true);
    expect(needsLeaf(leaf, b, everywhere(a, b), at(340, 0))).toBe(true);
  });
});
