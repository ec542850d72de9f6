/** What a scalar means to go-yaml 2 (resolve.go), by which kubectl reads files: YAML 1.1, with its own notion of numbers. */

const words: ReadonlyMap<string, boolean | null | number> = new Map<string, boolean | null | number>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, Number.NEGATIVE_INFINITY] as const),
]);

/** The value of a scalar without quotes and without a tag. Dates and times of day are strings. */
export function resolvePlain(source: string): string | boolean | null | number {
  const word = words.get(source);
  return word === undefined ? (integer(source) ?? float(source) ?? source) : word;
}

/**
 * The JSON key that a scalar without quotes and without a tag becomes (sigs.k8s.io/yaml: convertToJSONableObject), so
 * `on` becomes "true" and `017` "15"; undefined for null and for a number beyond 64 bits with sign.
 */
export function resolveKey(source: string): string | undefined {
  const value = resolvePlain(source);
  if (typeof value !== 'number') return value === null ? undefined : String(value);
  if (integer(source) === undefined) return floatKey(value);
  return value < 2 ** 63 ? String(value) : undefined;
}

/** strconv.FormatFloat(value, 'g', -1, 32): `1e+06`, `0.1`. */
function floatKey(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
  const single = Math.fround(value);
  const shortest = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    .map((digits) => single.toExponential(digits - 1))
    .find((text) => Math.fround(Number(text)) === single);
  const [mantissa = '0', exponent = '0'] = (shortest ?? String(single)).split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(Number(shortest));
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** The value of a scalar with one of YAML's own tags, quoted or not; undefined if it is none of that. */
export function resolveTagged(tag: string, source: string): unknown {
  switch (tag) {
    case 'str':
      return source;
    case 'int':
      return integer(source);
    case 'float':
      return float(source) ?? integer(source);
    case 'bool':
    case 'null': {
      const word = words.get(source);
      return typeof word === (tag === 'bool' ? 'boolean' : 'object') ? word : undefined;
    }
    case 'timestamp':
      return /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\S+)?$/.test(source) ? source : undefined;
    case 'binary':
      return decoded(source);
    default:
      return source;
  }
}

const radixes: ReadonlyMap<string, { readonly radix: number; readonly digits: RegExp }> = new Map([
  ['x', { radix: 16, digits: /^[0-9a-f]+$/i }],
  ['o', { radix: 8, digits: /^[0-7]+$/ }],
  ['b', { radix: 2, digits: /^[01]+$/ }],
]);

/** strconv.ParseInt and ParseUint with base 0, underscores anywhere; and the odd `0b-1`. Undefined beyond 64 bits. */
function integer(source: string): number | undefined {
  if (!/^[-+0-9]/.test(source)) return undefined;
  const plain = source.replaceAll('_', '');
  const odd = /^0b([-+][01]+)$/.exec(plain)?.[1];
  if (odd !== undefined) return within64(odd.startsWith('-'), odd.slice(1), 2);
  const sign = /^[-+]/.exec(plain)?.[0] ?? '';
  const rest = plain.slice(sign.length);
  const prefixed = radixes.get((rest[1] ?? '').toLowerCase());
  if (rest.startsWith('0') && prefixed !== undefined)
    return prefixed.digits.test(rest.slice(2)) ? within64(sign === '-', rest.slice(2), prefixed.radix, sign) : undefined;
  if (/^0[0-7]+$/.test(rest)) return within64(sign === '-', rest, 8, sign);
  return /^(?:0|[1-9]\d*)$/.test(rest) ? within64(sign === '-', rest, 10, sign) : undefined;
}

const prefixes: Readonly<Record<number, string>> = { 2: '0b', 8: '0o', 10: '', 16: '0x' };

/** Unsigned numbers have the 64th bit for themselves, and no sign. */
function within64(negative: boolean, digits: string, radix: number, sign = ''): number | undefined {
  const significant = digits.replace(/^0+(?=.)/, '');
  if (significant.length > 64) return undefined; // what a million digits are worth would take seconds to find out
  const value = BigInt(`${prefixes[radix]}${significant}`);
  const limit = negative ? 2n ** 63n : sign === '+' ? 2n ** 63n - 1n : 2n ** 64n - 1n;
  if (value > limit) return undefined;
  return Number(negative ? -value : value);
}

/** resolve.go: yamlStyleFloat, and strconv.ParseFloat for what begins with a dot. What is too large stays a string. */
function float(source: string): number | undefined {
  const special = words.get(source);
  if (typeof special === 'number') return special;
  if (!/^[-+.0-9]/.test(source)) return undefined;
  const plain = source.startsWith('.') ? source : source.replaceAll('_', '');
  if (!/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? value : undefined;
}

function decoded(source: string): string | undefined {
  const base64 = source.replaceAll(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) return undefined;
  return Buffer.from(base64, 'base64').toString('utf8');
}
