/** Ranges of nodePorts, as people and the API server's flags write them. */

/** Both ends belong to it. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** `30100-30199`, `30443` or the number itself; undefined for what is neither, or no port. */
export function parsePortRange(text: string | number): PortRange | undefined {
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(text)) ?? [];
  const range = { from: Number(from), to: Number(to) };
  return range.from >= 1 && range.from <= range.to && range.to <= 65_535 ? range : undefined;
}

/** `30100-30199, 30443`; of many, the first four. */
export const formatPortRanges = (ranges: readonly PortRange[]): string =>
  [...ranges.slice(0, 4).map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)), ...(ranges.length > 4 ? ['…'] : [])].join(
    ', ',
  );

export const isWithin = (ranges: readonly PortRange[], port: number): boolean => ranges.some(({ from, to }) => from <= port && port <= to);

/** The port of these ranges that is nearest to the one wanted, of those that are free; the lower one of two. */
export function nearestIn(ranges: readonly PortRange[], wanted: number, isFree: (port: number) => boolean): number | undefined {
  let nearest: number | undefined;
  for (const { from, to } of ranges)
    for (let port = from; port <= to; port++)
      if ((nearest === undefined || Math.abs(port - wanted) < Math.abs(nearest - wanted)) && isFree(port)) nearest = port;
  return nearest;
}

/**
 * The lower part of a nodePort range, from which the API server takes a number only when the rest is used up: where
 * chosen ones collide least (KEP-3668; pkg/registry/core/service/portallocator: calculateRangeOffset).
 */
export function staticBand({ from, to }: PortRange): PortRange | undefined {
  const size = to - from + 1;
  const offset = Math.min(Math.max(16, Math.floor(size / 32)), 128);
  return size <= 16 ? undefined : { from, to: from + Math.min(offset, size) - 1 };
}
