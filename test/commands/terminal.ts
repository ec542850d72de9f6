import type { Terminal } from '../../src/commands/terminal.ts';

/** A terminal that remembers what was written. */
export function fakeTerminal(stdin = ''): Terminal & { readonly written: { out: string; error: string } } {
  const written = { out: '', error: '' };
  return {
    written,
    out: (text) => {
      written.out += text;
    },
    error: (text) => {
      written.error += text;
    },
    stdin: async () => Buffer.from(stdin),
    now: () => Date.UTC(2026, 10, 21),
    paint: (_, text) => text,
  };
}
