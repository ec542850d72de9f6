/** What a command may do with the world, so that tests can stand in for it. */
import { styleText } from 'node:util';
import type { Paint } from '../reports/report.ts';

export interface Terminal {
  /**
   * `commands`: text that the build server is meant to obey, and in which we have seen to it that nobody else gives orders.
   * `document`: what a program reads, in which no byte may be another.
   */
  out(text: string, as?: 'text' | 'commands' | 'document'): void;
  error(text: string): void;
  /** One line for what is going on, in place of the last; empty: none. Nothing is shown unless a person looks on. */
  status?(text: string): void;
  /** All of standard input. */
  stdin(): Promise<Uint8Array>;
  /** Epoch milliseconds. */
  now(): number;
  /** Colours where the terminal has them; honours NO_COLOR, FORCE_COLOR and a pipe. */
  readonly paint: Paint;
  /** The file that GitHub shows below the step, where there is one. */
  readonly stepSummary?: string | undefined;
}

export const processTerminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
  // Carriage return, and erase to the end of the line (ECMA-48 EL).
  status: (text) => void (process.stderr.isTTY && process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`)),
  stdin: async () => {
    const parts: Buffer[] = [];
    for await (const part of process.stdin) parts.push(part as Buffer);
    return Buffer.concat(parts);
  },
  now: () => Date.now(),
  stepSummary: process.env['GITHUB_STEP_SUMMARY'],
  paint: (style, text) => styleText(style, text, { stream: process.stdout }),
};
