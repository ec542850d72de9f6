import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchesGlob } from '../../src/kube/glob.ts';

/** The obvious reading, by recursion. */
const naive = (pattern: string, text: string): boolean => {
  if (pattern === '') return text === '';
  if (pattern[0] === '*') return naive(pattern.slice(1), text) || (text !== '' && naive(pattern, text.slice(1)));
  return text[0] === pattern[0] && naive(pattern.slice(1), text.slice(1));
};

it('matches as the obvious reading does', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 7 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), maxLength: 6 });
  fc.assert(
    fc.property(pattern, word, (glob, text) => {
      expect(matchesGlob(glob, text)).toBe(naive(glob, text));
    }),
    { numRuns: 3000 },
  );
});

it('knows no other special character', () => {
  expect(matchesGlob('a.c', 'abc')).toBe(false);
  expect(matchesGlob('[ab]', 'a')).toBe(false);
  expect(matchesGlob('a?', 'ab')).toBe(false);
});
