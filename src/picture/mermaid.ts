/** The picture as a Mermaid flowchart, for pages that render it: GitHub, GitLab, most wikis. */
import { display, shorten } from '../kube/display.ts';
import type { EdgeState, Picture } from './picture.ts';

/** Mermaid knows entities by number, and takes everything else for text within quotes. */
const quoted = (text: string): string => `"${display(text).replaceAll(/[^\p{L}\p{N} ./,:()→✕-]/gu, (one) => `#${one.codePointAt(0)};`)}"`;

const arrows: Readonly<Record<EdgeState, string>> = { works: '-->', broken: '-.-x', blocked: '-.-x', depends: '-.->' };
const prefixes: Readonly<Record<EdgeState, string>> = { works: '', broken: '✕ ', blocked: 'blocked: ', depends: 'depends: ' };

export function mermaidOf({ nodes, edges }: Picture): string {
  const names = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const groups = [...Map.groupBy(nodes, ({ namespace }) => namespace)].map(([namespace, members], index) => {
    const lines = members.map(({ id, title }) => `  ${names.get(id)}[${quoted(shorten(title))}]`);
    return namespace === '' ? lines.join('\n') : `  subgraph s${index}[${quoted(namespace)}]\n${lines.join('\n')}\n  end`;
  });
  const links = edges.map(({ from, to, state, label }) => {
    const text = `${prefixes[state]}${shorten(label, 60)}`;
    return `  ${names.get(from)} ${arrows[state]}${text === '' ? '' : `|${quoted(text)}|`} ${names.get(to)}`;
  });
  return `flowchart LR\n${[...groups, ...links].join('\n')}\n`;
}
