import { shorten } from './display.ts';

/** The first names and how many more there are: `a, b and c`, `a, b, c and 4 more`. Long names are cut in their middle. */
export function listed(names: readonly string[], limit = 3, maxRunes?: number): string {
  const shown = names.slice(0, limit).map((name) => shorten(name, maxRunes));
  if (names.length > limit) return `${shown.join(', ')} and ${names.length - limit} more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
