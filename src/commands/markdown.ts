/** Markdown as our pages use it → text for a terminal: headings, code, emphasis, links; everything else as it stands. */
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
  prose
    .replaceAll(/^#+ (.*)$/gm, (_, heading: string) => paint('bold', heading))
    .replaceAll(/\*\*([^*\n]+)\*\*/g, (_, strong: string) => paint('bold', strong))
    .replaceAll(/`([^`\n]+)`/g, (_, code: string) => paint('cyan', code))
    .replaceAll(/\[([^\]\n]+)\]\((https?:[^)\s]+)\)/g, '$1 ($2)')
    .replaceAll(/\[([^\]\n]+)\]\([^)\s]+\)/g, '$1');
