/** Markdown as our pages use it → text for a terminal: headings, code, tables, emphasis, links; everything else as it stands. */
import type { Paint } from '../reports/report.ts';

export function markdownText(markdown: string, paint: Paint): string {
  const parts = markdown
    .replaceAll(/<!--[\s\S]*?-->\n?/g, '')
    .split(/^(```.*\n[\s\S]*?^```$)/m)
    .map((part) => (part.startsWith('```') ? codeText(part, paint) : proseText(part, paint)));
  return `${parts
    .join('')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

const codeText = (block: string, paint: Paint): string =>
  block
    .split('\n')
    .slice(1, -1)
    .map((line) => (line === '' ? '' : `    ${paint('cyan', line)}`))
    .join('\n');

const proseText = (prose: string, paint: Paint): string =>
  inlineText(
    prose.replaceAll(/(?:^\|.*\|\n)+/gm, tableText).replaceAll(/^#+ (.*)$/gm, (_, heading: string) => paint('bold', heading)),
    paint,
  );

const inlineText = (text: string, paint: Paint): string =>
  text
    .replaceAll(/\*\*([^*\n]+)\*\*/g, (_, strong: string) => paint('bold', strong))
    .replaceAll(/`([^`\n]+)`/g, (_, code: string) => paint('cyan', code))
    .replaceAll(/\[([^\]\n]+)\]\((https?:[^)\s]+)\)/g, '$1 ($2)')
    .replaceAll(/\[([^\]\n]+)\]\([^)\s]+\)/g, '$1');

/** Columns of equal width in place of bars; the line below the head, and a head that is empty, go. */
function tableText(table: string): string {
  const cells = (line: string): readonly string[] =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
  const rows = table
    .trimEnd()
    .split('\n')
    .map(cells)
    .filter((row) => row.some((cell) => !/^:?-*:?$/.test(cell)));
  const widthOf = (cell: string): number => inlineText(cell, (_, text) => text).length;
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))));
  return rows
    .map(
      (row) =>
        `  ${row
          .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
