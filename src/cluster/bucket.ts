/**
 * An immutable map, sorted by key, that shares what does not change: a change copies one chunk and the list of chunks.
 * So it costs the same with 1,000 and with 100,000 entries, and an entry costs two pointers. Hash tries cost more than
 * twice that, and whoever may choose names could make their hashes collide.
 */

/** Entries of a chunk at most; one that is fuller is cut into even pieces. */
const chunkSize = 128;

interface Chunk<T> {
  readonly keys: readonly string[];
  readonly values: readonly T[];
}

type Change<T> = readonly [key: string, value: T | undefined];

const noKeys: readonly string[] = [];

export class Bucket<T> {
  static readonly empty: Bucket<never> = new Bucket<never>([]);

  private readonly chunks: readonly Chunk<T>[];
  private flat: readonly T[] | undefined;

  private constructor(chunks: readonly Chunk<T>[]) {
    this.chunks = chunks;
  }

  get(key: string): T | undefined {
    const { keys, values } = this.chunks[this.chunkOf(key)] ?? { keys: noKeys, values: [] };
    const at = positionIn(keys, key);
    return keys[at] === key ? values[at] : undefined;
  }

  /** All values, in order of key: made at the first look, since most versions of a bucket are never looked at. */
  get values(): readonly T[] {
    this.flat ??= this.chunks.length === 1 ? (this.chunks[0] as Chunk<T>).values : this.chunks.flatMap(({ values }) => values);
    return this.flat;
  }

  get isEmpty(): boolean {
    return this.chunks.length === 0;
  }

  get size(): number {
    return this.chunks.reduce((sum, { keys }) => sum + keys.length, 0);
  }

  *keys(): Generator<string> {
    for (const { keys } of this.chunks) yield* keys;
  }

  *entries(): Generator<readonly [key: string, value: T]> {
    for (const { keys, values } of this.chunks) for (const [at, key] of keys.entries()) yield [key, values[at] as T];
  }

  /** The keys whose values differ, with the values before and now. Costs what differs, not what there is: shared chunks are passed over. */
  *changesSince(earlier: Bucket<T>): Generator<readonly [key: string, before: T | undefined, now: T | undefined]> {
    const [gone, come] = unshared(earlier.chunks, this.chunks);
    const before = new Map<string, T>();
    for (const { keys, values } of gone) for (const [at, key] of keys.entries()) before.set(key, values[at] as T);
    for (const { keys, values } of come) {
      for (const [at, key] of keys.entries()) {
        const now = values[at] as T;
        const earlierValue = before.get(key);
        before.delete(key);
        if (earlierValue !== now) yield [key, earlierValue, now];
      }
    }
    for (const [key, value] of before) yield [key, value, undefined];
  }

  /** With these entries set, and those whose value is undefined gone. */
  with(changes: ReadonlyMap<string, T | undefined>): Bucket<T> {
    if (changes.size === 0) return this;
    if (changes.size === 1) for (const [key, value] of changes) return this.withOne(key, value);
    const sorted = [...changes].sort(([a], [b]) => (a < b ? -1 : 1));
    const chunks: Chunk<T>[] = [];
    let copied = 0;
    for (let from = 0; from < sorted.length; ) {
      const at = this.chunkOf((sorted[from] as Change<T>)[0]);
      const bound = this.chunks[at + 1]?.keys[0];
      let until = from + 1;
      while (until < sorted.length && (bound === undefined || (sorted[until] as Change<T>)[0] < bound)) until++;
      for (; copied < at; copied++) chunks.push(this.chunks[copied] as Chunk<T>);
      append(chunks, merged(this.chunks[at], sorted.slice(from, until)));
      copied = at + 1;
      from = until;
    }
    for (; copied < this.chunks.length; copied++) chunks.push(this.chunks[copied] as Chunk<T>);
    return new Bucket(chunks);
  }

  /** With one entry set, or gone: the list of chunks is copied at a stroke. */
  withOne(key: string, value: T | undefined): Bucket<T> {
    const at = this.chunkOf(key);
    const { keys, values } = this.chunks[at] ?? { keys: noKeys, values: [] };
    const place = positionIn(keys, key);
    if (keys[place] === key && value !== undefined) return new Bucket(this.chunks.with(at, { keys, values: values.with(place, value) }));
    const from = Math.max(0, at - 1);
    const pieces = this.chunks.slice(from, at);
    append(pieces, merged(this.chunks[at], [[key, value]]));
    return new Bucket(this.chunks.toSpliced(from, at + 1 - from, ...pieces));
  }

  /** The last chunk that begins at or before the key; the first one for what lies before all. */
  private chunkOf(key: string): number {
    let low = 0;
    let high = this.chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (((this.chunks[middle] as Chunk<T>).keys[0] as string) <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The chunks that only one of the two versions has. Most often that is one in the middle, so the ends are taken off first. */
function unshared<T>(before: readonly Chunk<T>[], now: readonly Chunk<T>[]): readonly [readonly Chunk<T>[], readonly Chunk<T>[]] {
  const most = Math.min(before.length, now.length);
  let head = 0;
  while (head < most && before[head] === now[head]) head++;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const gone = new Set(before.slice(head, before.length - tail));
  const come = now.slice(head, now.length - tail).filter((chunk) => !gone.delete(chunk));
  return [[...gone], come];
}

/** Where the key stands or would stand. */
function positionIn(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One chunk with its share of the changes. */
function merged<T>(chunk: Chunk<T> | undefined, changes: readonly Change<T>[]): Chunk<T> {
  const before = chunk ?? { keys: noKeys, values: [] };
  const keys: string[] = [];
  const values: T[] = [];
  let next = 0;
  const keepUntil = (bound: number): void => {
    for (; next < bound; next++) {
      keys.push(before.keys[next] as string);
      values.push(before.values[next] as T);
    }
  };
  for (const [key, value] of changes) {
    const place = positionIn(before.keys, key);
    keepUntil(place);
    // The key that is held stays: one string for all versions of the entry.
    const held = before.keys[place] === key ? before.keys[place] : undefined;
    if (held !== undefined) next++;
    if (value === undefined) continue;
    keys.push(held ?? key);
    values.push(value);
  }
  keepUntil(before.keys.length);
  return { keys, values };
}

/** Cuts what is too full, leaves out what is empty, and joins what is nearly empty to its neighbour. */
function append<T>(chunks: Chunk<T>[], { keys, values }: Chunk<T>): void {
  const neighbour = chunks.at(-1);
  if (keys.length < chunkSize / 4 && neighbour !== undefined && neighbour.keys.length + keys.length <= chunkSize) {
    chunks[chunks.length - 1] = { keys: [...neighbour.keys, ...keys], values: [...neighbour.values, ...values] };
    return;
  }
  const pieces = Math.ceil(keys.length / chunkSize);
  for (let piece = 0; piece < pieces; piece++) {
    const from = Math.ceil((piece * keys.length) / pieces);
    const to = Math.ceil(((piece + 1) * keys.length) / pieces);
    chunks.push({ keys: keys.slice(from, to), values: values.slice(from, to) });
  }
}
