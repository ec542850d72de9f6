/** What a JSON text will take up in memory, read off its bytes before it is parsed. */

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Bytes of V8's heap (Node 24, 64 bit; measured, rounded up): an empty object or array with its place in another one; what
 * stands after a comma, at most a short string of its own; a member of an object, and what a key costs that is new: its
 * string and, in an object of its own, a hidden class.
 */
export const heapBytesOf = { container: 64, element: 32, member: 16, key: 160 } as const;

/** The text itself, and the strings in it: at two bytes a character. */
const heapBytesOfText = 2;

/** Of valid JSON none takes up more than this many times its bytes: `{},` is 3, and 64 + 32 + 6. */
const heapBytesPerByte = 34;

/** Below this a look costs more than to assume the worst. */
const lookFromBytes = 64 * 1024;

/** The deepest field of a Service, Ingress or NetworkPolicy lies at 11 in a review. */
export const maxDepth = 128;

/**
 * The bytes that `JSON.parse` of this text takes up, estimated from above: Infinity if they are more than `limit`, or a long
 * text is nested more deeply than `maxDepth`. What is no JSON is weighed up to its first error at least, which is as far as
 * it would be parsed.
 */
export function weightOf(text: Uint8Array, limit: number): number {
  const weight = text.length < lookFromBytes ? text.length * heapBytesPerByte : weigh(text, limit);
  return weight > limit ? Number.POSITIVE_INFINITY : weight;
}

/** The same by a look at each byte, however short the text is; beyond `limit` it stops. */
export function weigh(text: Uint8Array, limit: number): number {
  const isNew = keysSeen();
  let weight = text.length * heapBytesOfText;
  let depth = 0;
  let from = 0;
  let to = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] as number;
    // Most of what stands outside strings.
    if (isPlain[byte] === 1) continue;
    switch (byte) {
      case quote:
        from = at + 1;
        to = endOfString(text, from);
        at = to;
        break;
      case comma:
        weight += heapBytesOf.element;
        break;
      case colon:
        weight += heapBytesOf.member + (isNew(text, from, to) ? heapBytesOf.key : 0);
        break;
      case openBrace:
      case openBracket:
        weight += heapBytesOf.container;
        depth += 1;
        if (depth > maxDepth || weight > limit) return Number.POSITIVE_INFINITY;
        break;
      case closeBrace:
      case closeBracket:
        depth -= 1;
    }
  }
  return weight;
}

const isPlain = new Uint8Array(256).fill(1);
for (const byte of [quote, comma, colon, openBracket, closeBracket, openBrace, closeBrace]) isPlain[byte] = 0;

/** No byte of a character of several is a quote or a backslash in UTF-8. */
function endOfString(text: Uint8Array, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== quote) at += text[at] === backslash ? 2 : 1;
  return at;
}

const rememberedBits = 22;

/**
 * Whether a key was not seen before, told by one bit each: of the million that fit into the limit one in eight is taken
 * for another. Where it starts is nobody's to know, so that nobody can make them all fall together.
 */
function keysSeen(): (text: Uint8Array, from: number, to: number) => boolean {
  const seen = new Uint8Array(2 ** (rememberedBits - 3));
  const seed = Math.floor(Math.random() * 2 ** 32);
  return (text, from, to) => {
    let hash = seed;
    for (let at = from; at < to; at++) {
      hash = Math.imul(hash ^ (text[at] as number), 0x5bd1e995);
      hash ^= hash >>> 15;
    }
    const bit = Math.imul(hash, 0x2c1b3c6d) >>> (32 - rememberedBits);
    const mask = 1 << (bit & 7);
    const byte = seen[bit >>> 3] as number;
    seen[bit >>> 3] = byte | mask;
    return (byte & mask) === 0;
  };
}
