import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksLikeRegex } from '../../src/cluster/ingress-paths.ts';

/** What it says, in one expression, which takes the cube of a hostile path's length. */
const model = /[.\])][*+?]|[\\^{}]|\[[^\]]+\]|\([^)]*\|[^)]*\)|\(\?|[^/]\$$/;

describe('looksLikeRegex', () => {
  it('says what one expression would say', () => {
    const path = fc.string({ unit: fc.constantFrom(...'/a.[]()|*?+$\\{\n') }).map((text) => `/${text}`);
    fc.assert(
      fc.property(path, (text) => {
        expect(looksLikeRegex(text)).toBe(model.test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['[a-z]', '(a|b)', '(?:a)', 'a$', '.*', ')+', '{id}', '[][a]'])('%s does', (text) =>
    expect(looksLikeRegex(`/${text}`)).toBe(true),
  );

  it.each(['Users(1)', '$metadata', '$', '[', '[]', '()|()', 'a|b', '|(a)', 'a+b', '*'])('%s does not', (text) =>
    expect(looksLikeRegex(`/${text}`)).toBe(false),
  );
});
