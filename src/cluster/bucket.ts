/** The objects of one collection in one namespace: an immutable list, sorted by key. */

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export class Bucket<T> {
  static readonly empty: Bucket<never> = new Bucket<never>([], []);

  private readonly keys: readonly string[];
  readonly values: readonly T[];

  private constructor(keys: readonly string[], values: readonly T[]) {
    this.keys = keys;
    this.values = values;
  }

  get(key: string): T | undefined {
    const at = this.position(key);
    return this.keys[at] === key ? this.values[at] : undefined;
  }

  /** With these entries set, and those whose value is undefined gone. One pass, however many they are. */
  with(changes: ReadonlyMap<string, T | undefined>): Bucket<T> {
    if (changes.size === 1) for (const [key, value] of changes) return this.withOne(key, value);
    const sorted = [...changes].sort(([a], [b]) => compare(a, b));
    const keys: string[] = [];
    const values: T[] = [];
    const keep = (key: string, value: T): void => {
      keys.push(key);
      values.push(value);
    };
    let next = 0;
    for (const [key, value] of sorted) {
      for (; next < this.keys.length && (this.keys[next] as string) < key; next++) keep(this.keys[next] as string, this.values[next] as T);
      if (this.keys[next] === key) next++;
      if (value !== undefined) keep(key, value);
    }
    for (; next < this.keys.length; next++) keep(this.keys[next] as string, this.values[next] as T);
    return new Bucket(keys, values);
  }

  private withOne(key: string, value: T | undefined): Bucket<T> {
    const at = this.position(key);
    const present = this.keys[at] === key ? 1 : 0;
    if (value === undefined) return present ? new Bucket(this.keys.toSpliced(at, 1), this.values.toSpliced(at, 1)) : this;
    return new Bucket(present ? this.keys : this.keys.toSpliced(at, 0, key), this.values.toSpliced(at, present, value));
  }

  /** Where the key stands or would stand. */
  private position(key: string): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
