import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../src/reports/unified-diff.ts';

describe('a unified diff', () => {
  it('is as of diff -u', () =>
    expect(unifiedDiff('x.yaml', 'a\nb\nc\nd\ne\nf\n', 'a\nb\nc\nD\ne\nf')).toBe(
      '--- a/x.yaml\n+++ b/x.yaml\n@@ -1,6 +1,6 @@\n a\n b\n c\n-d\n+D\n e\n-f\n+f\n\\ No newline at end of file\n',
    ));
  it('of what is equal is empty', () => expect(unifiedDiff('x', 'a\n', 'a\n')).toBe(''));
  it('has a part for each place, with three lines around it', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `${index}\n`);
    const diff = unifiedDiff('x', lines.join(''), lines.with(4, 'x\n').toSpliced(20, 1).join(''));
    expect(diff.match(/^@@.*@@$/gm)).toEqual(['@@ -2,7 +2,7 @@', '@@ -18,7 +18,6 @@']);
  });

  /** What `patch` makes of it. */
  function patched(text: string, diff: string): string {
    const left = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    const result: string[] = [];
    let at = 0;
    for (const [, start, body] of diff.matchAll(/^@@ -(\d+),\d+ \+\d+,\d+ @@\n((?:[ +\\-].*\n)*)/gm)) {
      const from = body?.match(/^[ -]/m) ? Number(start) - 1 : Number(start);
      result.push(...left.slice(at, from));
      at = from;
      for (const [, mark, line = ''] of (body as string).replaceAll('\n\\ No newline at end of file', '\0').matchAll(/^([ +-])(.*\n)/gm)) {
        const whole = line.endsWith('\0\n') ? line.slice(0, -2) : line;
        if (mark !== '+') expect(left[at++]).toBe(whole);
        if (mark !== '-') result.push(whole);
      }
    }
    return [...result, ...left.slice(at)].join('');
  }

  it('leads from the one to the other', () => {
    const text = fc
      .tuple(fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 25 }), fc.boolean())
      .map(([lines, ends]) => lines.join('\n') + (ends && lines.length > 0 ? '\n' : ''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        expect(patched(before, unifiedDiff('x', before, after))).toBe(after);
      }),
      { numRuns: 500 },
    );
  });
});
