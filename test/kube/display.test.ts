import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { display, shorten } from '../../src/kube/display.ts';

describe('text on its way to a terminal', () => {
  it.each([
    ['a\nb\tc\r\nd', 'a b c  d'],
    ['\u001b[31mred\u001b[0m', '?[31mred?[0m'],
    ['\u009b31m', '?31m'],
    ['pay\u202Eexe.tab', 'pay?exe.tab'],
    ['zero\u200Bwidth\u2066', 'zero?width?'],
    ['line\u2028sep', 'line sep'],
    ['half\ud800', 'half?'],
    ['private\u{F0000}\u{E0041}', 'private??'],
    ['Grüße 世界 😀 "quoted" \\', 'Grüße 世界 😀 "quoted" \\'],
    ['', ''],
  ])('%j reads %j', (text, expected) => expect(display(text)).toBe(expected));

  it('cuts by code points, the ellipsis counted', () => {
    expect(display('abcdef', 6)).toBe('abcdef');
    expect(display('abcdefg', 6)).toBe('abcde…');
    expect(display('😀😀😀', 3)).toBe('😀😀😀');
    expect(display('😀😀😀😀', 3)).toBe('😀😀…');
    expect(display('abc', 1)).toBe('…');
  });
  it('shortens in the middle', () => {
    expect(shorten('web')).toBe('web');
    expect(shorten('a'.repeat(40))).toBe('a'.repeat(40));
    expect(shorten('payments-production-eu-west-1-frontend-web', 16)).toBe('payments…end-web');
    expect(shorten('x\n', 2)).toBe('x ');
  });
  it('is safe, short enough and settled, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.integer({ min: 1, max: 60 }), (text, limit) => {
        const shown = display(text, limit);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(Array.from(shown).length).toBeLessThanOrEqual(limit);
        expect(Array.from(shorten(text, limit)).length).toBeLessThanOrEqual(limit);
        expect(display(shown, limit)).toBe(shown);
        expect(display(text).startsWith(shown.replace(/…$/, ''))).toBe(true);
      }),
    );
  });
});
