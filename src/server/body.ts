/** Reads the body of a request, within a limit for each and a budget for all. */
import type { Readable } from 'node:stream';

/** What all bodies hold at one moment, in bytes. */
export class ByteBudget {
  private readonly total: number;
  private held = 0;

  constructor(total: number) {
    this.total = total;
  }

  get inUse(): number {
    return this.held;
  }

  /** False, and nothing taken, if the budget does not hold that many more. */
  take(bytes: number): boolean {
    if (this.held + bytes > this.total) return false;
    this.held += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.held -= bytes;
  }
}

export type Body =
  /** They are held until `release` is called. */
  | { readonly bytes: Buffer; release(): void }
  /** None, nothing held: over the limit of one, over the budget of all, or the client is gone. */
  | { readonly bytes: undefined; readonly why: 'too-large' | 'overloaded' | 'gone' };

/**
 * Only what has arrived counts, not what a Content-Length claims: else three idle sockets could claim the whole budget.
 * A body over the budget is read to its end and dropped: if we answered before and closed, the client's kernel would
 * see a reset and lose the answer that asks it to come again.
 */
export function readBody(stream: Readable, limitBytes: number, budget: ByteBudget): Promise<Body> {
  const { promise, resolve } = Promise.withResolvers<Body>();
  const chunks: Buffer[] = [];
  let size = 0;
  let held = 0;
  let overloaded = false;
  let settled = false;

  const drop = (): void => {
    chunks.length = 0;
    budget.giveBack(held);
    held = 0;
  };
  const fail = (why: 'too-large' | 'overloaded' | 'gone'): void => {
    // A request closes after its end too.
    if (settled) return;
    settled = true;
    drop();
    resolve({ bytes: undefined, why });
  };
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limitBytes) {
      stream.removeAllListeners('data');
      stream.pause();
      fail('too-large');
    } else if (!overloaded && budget.take(chunk.length)) {
      held += chunk.length;
      chunks.push(chunk);
    } else if (!overloaded) {
      overloaded = true;
      drop();
    }
  });
  stream.once('end', () => {
    if (overloaded) return fail('overloaded');
    // Decoded as a whole: a character may lie across two chunks.
    const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    chunks.length = 0;
    settled = true;
    resolve({ bytes, release: drop });
  });
  stream.once('error', () => fail('gone'));
  stream.once('close', () => fail('gone'));
  return promise;
}
