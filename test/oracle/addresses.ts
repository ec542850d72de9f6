/** Addresses and ranges as strings of zeros and ones: an address is in a range if it begins with the same bits. */

/** 32 or 128 of them. */
export const bitsOf = (address: string): string => (address.includes(':') ? bitsOfIpv6(address) : bitsOfIpv4(address));

/** `10.0.0.0/24` holds what has its first 24 bits. */
export function isInRange(address: string, cidr: string): boolean {
  const [base = '', length = ''] = cidr.split('/');
  const bits = bitsOf(address);
  const baseBits = bitsOf(base);
  return bits.length === baseBits.length && bits.startsWith(baseBits.slice(0, Number(length)));
}

const binary = (value: number, digits: number): string => value.toString(2).padStart(digits, '0');

const bitsOfIpv4 = (address: string): string =>
  address
    .split('.')
    .map((part) => binary(Number(part), 8))
    .join('');

/** `::` stands for as many groups of zeros as are lacking. */
function bitsOfIpv6(address: string): string {
  const [left = '', right] = address.split('::');
  const groups = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(left), groups(right ?? '')];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].map((group) => binary(Number.parseInt(group, 16), 16)).join('');
}
