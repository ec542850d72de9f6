/** What a command may do with the world, so that tests can stand in for it. */
import { styleText } from 'node:util';
import type { Paint } from '../reports/report.ts';

export interface Terminal {
  out(text: string): void;
  error(text: string): void;
  /** All of standard input. */
  stdin(): Promise<Uint8Array>;
  /** Epoch milliseconds. */
  now(): number;
  /** Colours where the terminal has them; honours NO_COLOR, FORCE_COLOR and a pipe. */
  readonly paint: Paint;
}

export const processTerminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
  stdin: async () => {
    const parts: Buffer[] = [];
    for await (const part of process.stdin) parts.push(part as Buffer);
    return Buffer.concat(parts);
  },
  now: () => Date.now(),
  paint: (style, text) => styleText(style, text, { stream: process.stdout }),
};
