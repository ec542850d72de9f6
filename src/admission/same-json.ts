/** Equality of parsed JSON. Walks without recursion: what a request brings may be nested 10,000 deep. */
export function sameJson(one: unknown, other: unknown): boolean {
  const pending: [unknown, unknown][] = [[one, other]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [a, b] = pair;
    if (Object.is(a, b)) continue;
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
    const keys = Object.keys(a);
    if (keys.length !== Object.keys(b).length) return false;
    for (const key of keys) {
      if (!Object.hasOwn(b, key)) return false;
      pending.push([own(a, key), own(b, key)]);
    }
  }
  return true;
}

const own = (object: object, key: string): unknown => (object as Readonly<Record<string, unknown>>)[key];
