/**
 * Addresses as C's inet_aton(3) reads them, and with it whoever hands a name to the C library: one to four parts, decimal,
 * octal behind a 0 or hexadecimal behind 0x, of which the last one fills the bytes that are left. To DNS, and to the API
 * server (IsDNS1123Subdomain), they are names like others.
 */

const digits: readonly (readonly [form: RegExp, base: number, prefix: number])[] = [
  [/^0x[\da-f]{1,8}$/i, 16, 2],
  [/^0[0-7]{0,11}$/, 8, 0],
  [/^[1-9]\d{0,9}$/, 10, 0],
];

function numberOf(part: string): number | undefined {
  const [, base, prefix] = digits.find(([form]) => form.test(part)) ?? [];
  return base === undefined ? undefined : Number.parseInt(part.slice(prefix), base);
}

/** `127.1`, `2130706433`, `0x7f.1` and `0177.0.0.1` → `127.0.0.1`; undefined for what is none, or is written out in decimals. */
export function addressInC(text: string): string | undefined {
  const parts = text.split('.').map(numberOf);
  const [last, ...first] = parts.toReversed();
  if (last === undefined || parts.length > 4 || last >= 256 ** (5 - parts.length)) return undefined;
  if (first.some((part) => part === undefined || part > 255)) return undefined;
  const rest = Array.from({ length: 5 - parts.length }, (_, index) => Math.floor(last / 256 ** (4 - parts.length - index)) % 256);
  const address = [...first.toReversed(), ...rest].join('.');
  return address === text ? undefined : address;
}
