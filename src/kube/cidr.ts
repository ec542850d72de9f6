/**
 * Address blocks, read strictly. Libraries read `010.0.0.0` as octal and accept `/33`; the API server itself stores old
 * objects with such values (`ValidateCIDR…ForLegacyField`), and plugins disagree on them: what can be read in two ways is
 * not read here at all.
 */
import { onceFor } from './once-for.ts';

type Family = 4 | 6;

export interface Address {
  readonly family: Family;
  readonly bits: bigint;
}

export interface AddressBlock {
  readonly family: Family;
  /** The address bits that count, without those of the host. */
  readonly prefix: bigint;
  readonly prefixLength: number;
}

const widthOf = (family: Family): number => (family === 4 ? 32 : 128);

/** A decimal without leading zeros up to `max`; undefined for anything else. */
function decimal(text: string, max: number): number | undefined {
  if (!/^(0|[1-9]\d{0,2})$/.test(text)) return undefined;
  return Number(text) <= max ? Number(text) : undefined;
}

function joined(groups: readonly (number | undefined)[], bitsEach: bigint): bigint | undefined {
  let bits = 0n;
  for (const group of groups) {
    if (group === undefined) return undefined;
    bits = (bits << bitsEach) | BigInt(group);
  }
  return bits;
}

/** The four numbers of an IPv4 address. */
function octetsOf(text: string): readonly number[] | undefined {
  const octets: number[] = [];
  for (const part of text.split('.')) {
    const octet = decimal(part, 255);
    if (octet === undefined) return undefined;
    octets.push(octet);
  }
  return octets.length === 4 ? octets : undefined;
}

const ipv4Bits = (text: string): bigint | undefined => {
  const octets = octetsOf(text);
  // As one number first: a Service may have 100,000 addresses.
  return octets && BigInt(octets.reduce((bits, octet) => bits * 256 + octet, 0));
};

/** RFC 4291 2.2 without zones and without an IPv4 tail: Go reads `::ffff:10.0.0.1` as IPv4, others as IPv6. */
function ipv6Bits(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...(tail ?? [])];
  return joined(
    groups.map((group) => (/^[\da-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : undefined)),
    16n,
  );
}

const mappedPrefix = 0xffffn;

/** Undefined if it is not strictly an address, or an IPv4 address written as IPv6. */
export function parseAddress(text: string): Address | undefined {
  const family = text.includes(':') ? 6 : 4;
  const bits = family === 6 ? ipv6Bits(text) : ipv4Bits(text);
  if (bits === undefined || (family === 6 && bits >> 32n === mappedPrefix)) return undefined;
  return { family, bits };
}

/** Go's older parser takes the parts for decimals, whatever zeros lead. */
const withoutZeros = (text: string): string => text.replaceAll(/(?<![^.])0+(?=\d)/g, '');

/** The last two groups of an IPv6 address may be written as an IPv4 address is. */
function withoutTail(text: string): string {
  const at = text.lastIndexOf(':') + 1;
  const bits = ipv4Bits(withoutZeros(text.slice(at)));
  return bits === undefined ? text : `${text.slice(0, at)}${(bits >> 16n).toString(16)}:${(bits & 0xffffn).toString(16)}`;
}

const plainIpv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

const partsOf = (bits: bigint, count: number, width: bigint): readonly bigint[] =>
  Array.from({ length: count }, (_, index) => (bits >> (width * BigInt(count - 1 - index))) & ((1n << width) - 1n));

/**
 * One text for each address, as Kubernetes reads the addresses of a Service, however it is written: `010.096.0.1` and
 * `::ffff:10.96.0.1` are `10.96.0.1` (k8s.io/utils/net ParseIPSloppy, net.IP.To4). Undefined if it is none.
 */
export function addressAsServed(text: string): string | undefined {
  // Most are written so, and a Service may have 100,000.
  if (plainIpv4.test(text)) return text;
  if (!text.includes(':')) return octetsOf(withoutZeros(text))?.join('.');
  const bits = ipv6Bits(withoutTail(text));
  if (bits === undefined) return undefined;
  if (bits >> 32n === mappedPrefix) return partsOf(bits, 4, 8n).join('.');
  return partsOf(bits, 8, 16n)
    .map((part) => part.toString(16))
    .join(':');
}

/** Whether the text is an address, and nothing else. */
export const isAddress = (text: string): boolean => parseAddress(text) !== undefined;

/** `10.0.0.0/8` or `fd00::/8`; host bits may be set, as the API server allows with a warning. Undefined if it is not strictly a block. */
export function parseBlock(text: string): AddressBlock | undefined {
  const [left = '', right, ...more] = text.split('/');
  const address = parseAddress(left);
  if (address === undefined || right === undefined || more.length > 0) return undefined;
  const prefixLength = decimal(right, widthOf(address.family));
  if (prefixLength === undefined) return undefined;
  const { family, bits } = address;
  return { family, prefixLength, prefix: bits >> BigInt(widthOf(family) - prefixLength) };
}

/**
 * Whether Kubernetes has always taken it for a block, in whatever way it reads it (k8s.io/utils/net ParseCIDRSloppy): zeros may
 * lead, and bits may be set behind the prefix.
 */
export function isBlockAsServed(text: string): boolean {
  const [address = '', length = '', ...more] = text.split('/');
  if (more.length > 0 || addressAsServed(address) === undefined || !/^\d+$/.test(length)) return false;
  return Number(length) <= widthOf(address.includes(':') ? 6 : 4);
}

/** Whether every address of the inner block is in the outer one, which may be the same; undefined where one cannot be read strictly. */
export function blockHoldsBlock(outer: string, inner: string): boolean | undefined {
  const [all, some] = [parseBlock(outer), parseBlock(inner)];
  if (all === undefined || some === undefined) return undefined;
  const left = some.prefixLength - all.prefixLength;
  return all.family === some.family && left >= 0 && some.prefix >> BigInt(left) === all.prefix;
}

const holds = ({ family, prefix, prefixLength }: AddressBlock, { family: wanted, bits }: Address): boolean =>
  wanted === family && bits >> BigInt(widthOf(family) - prefixLength) === prefix;

/** Whether the block holds the address; undefined where one of them cannot be read strictly. */
export function blockHolds(block: string, address: string): boolean | undefined {
  const parsed = parseBlock(block);
  const wanted = parseAddress(address);
  return parsed && wanted && holds(parsed, wanted);
}

/** Which of the blocks holds an address: they are read once, and each address once, however many are asked for. */
export function holderAmong(blocks: readonly string[]): (address: string) => string | undefined {
  const parsed = blocks.flatMap((text) => {
    const block = parseBlock(text);
    return block === undefined ? [] : [{ text, block }];
  });
  return (address) => {
    const wanted = parsed.length === 0 ? undefined : parseAddress(address);
    return wanted && parsed.find(({ block }) => holds(block, wanted))?.text;
  };
}

export interface IpBlock {
  readonly cidr: string;
  readonly except: readonly string[];
}

type ParsedBlock = readonly [block: AddressBlock | undefined, except: readonly (AddressBlock | undefined)[]];

/** Very many addresses are held against one block. */
const parsedOf = onceFor(({ cidr, except }: IpBlock): ParsedBlock => [parseBlock(cidr), except.map(parseBlock)]);

/** An `ipBlock`: inside the block and outside all its exceptions. Undefined where that cannot be told. */
export function ipBlockHolds(ipBlock: IpBlock, address: string | Address): boolean | undefined {
  const [block, except] = parsedOf(ipBlock);
  const wanted = typeof address === 'string' ? parseAddress(address) : address;
  if (block === undefined || wanted === undefined) return undefined;
  if (!holds(block, wanted)) return false;
  if (except.some((one) => one !== undefined && holds(one, wanted))) return false;
  return except.includes(undefined) ? undefined : true;
}

/** Whether the block is one address, whatever it leaves out: `/32` or `/128`. */
export function isOneAddress(ipBlock: IpBlock): boolean {
  const [block] = parsedOf(ipBlock);
  return block !== undefined && block.prefixLength === widthOf(block.family);
}

/** RFC 3927 and RFC 4291, 2.5.6: of one link, and routed by nobody. A node answers under such addresses; no Pod is given one. */
const linkLocal: readonly string[] = ['169.254.0.0/16', 'fe80::/10'];

/** Whether the block holds link-local addresses alone. */
export const isLinkLocal = onceFor(({ cidr }: IpBlock): boolean => linkLocal.some((all) => blockHoldsBlock(all, cidr) === true));

/** Whether the block is every address of its family, but for what it leaves out. */
export const isEveryAddress = (ipBlock: IpBlock): boolean => parsedOf(ipBlock)[0]?.prefixLength === 0;
