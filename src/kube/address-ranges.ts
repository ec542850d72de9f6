/** Whether blocks, with their exceptions, hold every address of another one: alone, or several together. */
import { type AddressBlock, type IpBlock, parseBlock } from './cidr.ts';
import { onceFor } from './once-for.ts';

/** Addresses one after the other, both ends included. */
interface Range {
  readonly family: AddressBlock['family'];
  readonly from: bigint;
  readonly to: bigint;
}

/** What a block holds, in order; of what cannot be read strictly, with its exceptions, nothing. */
const rangesOf = onceFor((block: IpBlock): readonly Range[] => {
  const parsed = [block.cidr, ...block.except].flatMap((text) => parseBlock(text) ?? []);
  if (parsed.length <= block.except.length) return [];
  const [whole, ...holes] = parsed.map(rangeOf) as [Range, ...Range[]];
  return holes.reduce<readonly Range[]>((left, hole) => left.flatMap((one) => without(one, hole)), [whole]);
});

function rangeOf({ family, prefix, prefixLength }: AddressBlock): Range {
  const free = BigInt((family === 4 ? 32 : 128) - prefixLength);
  return { family, from: prefix << free, to: ((prefix + 1n) << free) - 1n };
}

function without(range: Range, hole: Range): readonly Range[] {
  if (range.family !== hole.family || hole.to < range.from || hole.from > range.to) return [range];
  const before = { ...range, to: hole.from - 1n };
  const after = { ...range, from: hole.to + 1n };
  return [before, after].filter(({ from, to }) => from <= to);
}

/** False where nothing is left of the inner block, or it cannot be read; outer ones that cannot are passed over. */
export function holdTogether(outer: readonly IpBlock[], inner: IpBlock): boolean {
  const wanted = rangesOf(inner);
  const held = outer.flatMap(rangesOf).sort((a, b) => (a.from < b.from ? -1 : 1));
  return (
    wanted.length > 0 &&
    wanted.every((range) => {
      let next = range.from;
      for (const { family, from, to } of held) if (family === range.family && from <= next && to >= next) next = to + 1n;
      return next > range.to;
    })
  );
}
