/** `portcullis flows diff`: which connections one state of a cluster allows and the other does not. */
import { open, stat } from 'node:fs/promises';
import { flowDifference } from '../picture/flow-difference.ts';
import { differenceJson, differenceText } from '../reports/flows-difference.ts';
import { kind } from '../snapshots/schema.ts';
import { type FlowWorld, flowWorld } from './flow-world.ts';
import type { Terminal } from './terminal.ts';

export interface FlowsDiffOptions {
  readonly output: 'text' | 'json';
}

/**
 * Prints, and returns the exit code: 0 nothing is lost or gained, 1 something is, or has become uncertain, 2 something could
 * not be read. Rejects with an OperatorError where nothing can be.
 */
export async function flowsDiff(before: string, after: string, { output }: FlowsDiffOptions, terminal: Terminal): Promise<0 | 1 | 2> {
  const [then, now] = [await worldAt(before, terminal), await worldAt(after, terminal)];
  const difference = flowDifference(then.snapshot, now.snapshot);
  const print = output === 'json' ? differenceJson : differenceText;
  const notices = [...then.notices.map((one) => `${before}: ${one}`), ...now.notices.map((one) => `${after}: ${one}`)];
  terminal.out(print(difference, { before, after, notices, paint: terminal.paint }));
  if (then.isBlind || now.isBlind) return 2;
  return difference.changes.length > 0 ? 1 : 0;
}

const worldAt = async (path: string, terminal: Terminal): Promise<FlowWorld> =>
  (await isSnapshot(path)) ? flowWorld([], { snapshot: path }, terminal) : flowWorld([path], {}, terminal);

/** By how it begins: gzip (RFC 1952), or the kind, which `portcullis snapshot` writes in the first lines. What cannot be read is told by whoever reads it. */
async function isSnapshot(path: string): Promise<boolean> {
  if (path === '-' || !((await stat(path).catch(() => undefined))?.isFile() ?? false)) return false;
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    if (buffer[0] === 0x1f && buffer[1] === 0x8b) return true;
    return new RegExp(`^\\s*\\{[^[{]*"kind":\\s*"${kind}"`).test(buffer.subarray(0, bytesRead).toString('utf8'));
  } finally {
    await file.close();
  }
}

const headBytes = 500;
