/** Other people's text in Markdown: shown as it is, and neither layout, link, mention nor HTML. */
import { display } from '../kube/display.ts';

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * For the middle of a line. Whoever renders it finds names and numbers of tickets in the text that is left (`@team`,
 * `#12`): an empty comment behind the sign parts the two. `:name:` is a picture, and `16:15:17` a time.
 */
export const escaped = (text: string): string =>
  display(text)
    .replaceAll(/[\\`*_[\]!|~$]|:(?=\/\/|(?!\d\d:\d)[\w+-]+:)/g, String.raw`\$&`)
    .replaceAll(/\bwww\./gi, (www) => `${www.slice(0, -1)}\\.`)
    .replaceAll(/[&<>]/g, (sign) => entities[sign] ?? '')
    .replaceAll(/[@#]/g, '$&<!-- -->');

/** As code, which nothing in it ends. */
export function code(text: string): string {
  const shown = display(text);
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const space = /^`|`$|^ .* $|^$/.test(shown) ? ' ' : '';
  return `${fence}${space}${shown}${space}${fence}`;
}

/** Folded: a title of ours, and what is seen when it is opened. */
export const block = (title: string, lines: readonly string[]): string =>
  ['<details>', `<summary>${title}</summary>`, '', lines.join('\n\n'), '', '</details>'].join('\n');
