/** The parts of a page that are generated stand between two comments; everything else is written by hand and kept. */

const opening = (name: string): string => `<!-- generated: ${name} (npm run docs) -->`;
const closing = (name: string): string => `<!-- end: ${name} -->`;

/** The page with this part written anew. A page without the part is an error: its place is for a person to choose. */
export function withRegion(page: string, name: string, content: string): string {
  const from = page.indexOf(opening(name));
  const to = page.indexOf(closing(name), from);
  if (from === -1 || to === -1) throw new Error(`no generated part "${name}": put ${opening(name)} and ${closing(name)} where it belongs`);
  return `${page.slice(0, from)}${regionOf(name, content)}${page.slice(to + closing(name).length)}`;
}

export const regionOf = (name: string, content: string): string => `${opening(name)}\n${content.trim()}\n${closing(name)}`;

export const hasRegion = (page: string, name: string): boolean => page.includes(opening(name));

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export const fenced = (language: string, content: string): string => `\`\`\`${language}\n${content.trimEnd()}\n\`\`\``;
