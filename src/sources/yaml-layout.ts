/** Bytes of a document put in, taken out or exchanged, with the lines and the indentation that it has. */
import { blockYaml } from '../kube/block-yaml.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import type { MappingNode, ScalarNode, SequenceNode, TreeEntry } from './yaml-tree.ts';

/** A part of a text, and what takes its place. */
export interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Why a place is left alone, as a clause that follows the name of the field. */
export class NotEditable extends Error {}

/** They must not overlap. */
export const spliced = (text: string, splices: readonly Splice[]): string =>
  splices
    .toSorted((a, b) => b.from - a.from || b.to - a.to)
    .reduce((result, { from, to, text: put }) => result.slice(0, from) + put + result.slice(to), text);

export class Layout {
  readonly text: string;
  private readonly eol: string;
  /** Written as JSON, which has no plain scalars and no trailing commas. */
  private readonly isJson: boolean;

  constructor(text: string) {
    this.text = text;
    this.eol = text.includes('\r\n') ? '\r\n' : '\n';
    this.isJson = /^\s*(?:\{\s*["}]|\[)/.test(text);
  }

  /** In one line, as it stands within braces or behind a colon. */
  inline(value: unknown): string {
    return this.isJson ? jsonLine(value) : flowYaml(value);
  }

  /** A scalar in the quotes that the one before had. */
  scalar(value: unknown, { style }: ScalarNode): string {
    if (typeof value !== 'string' || style === 'plain') return this.inline(value);
    const isSimple = /^[\u0020-\u007e\u00a0-\ud7ff]*$/.test(value);
    return style === 'single' && isSimple ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
  }

  lineStart(at: number): number {
    return this.text.lastIndexOf('\n', at - 1) + 1;
  }

  /** Behind the line in which something ends: what ends with a line break, as a block of text does, ends a line already. */
  behindLine(end: number): number {
    if (end > 0 && this.text[end - 1] === '\n') return end;
    const next = this.text.indexOf('\n', end);
    return next < 0 ? this.text.length : next + 1;
  }

  /** What stands before it in its line, as spaces. */
  indentOf(at: number): string {
    return this.text.slice(this.lineStart(at), at).replaceAll(/[^\t]/g, ' ');
  }

  isFirstInLine(at: number): boolean {
    return this.text.slice(this.lineStart(at), at).trim() === '';
  }

  /** Lines of block style, put in behind another one. */
  linesBehind(end: number, value: unknown, indent: string): Splice {
    const at = this.behindLine(end);
    const opens = at > 0 && this.text[at - 1] !== '\n';
    const lines = this.lines(value, indent);
    return { from: at, to: at, text: opens ? this.eol + lines.slice(0, -this.eol.length) : lines };
  }

  lines(value: unknown, indent: string): string {
    return blockYaml(value)
      .split('\n')
      .map((line) => indent + line + this.eol)
      .join('');
  }

  /** The last part of something in brackets: behind the comma that may be there already. */
  within(node: MappingNode | SequenceNode, part: string): readonly Splice[] {
    const last = node.type === 'mapping' ? node.entries.at(-1) : node.items.at(-1);
    if (last === undefined) return [{ from: node.start, to: node.end, text: this.bracketed(node, part) }];
    const end = 'node' in last ? last.node.end : last.end;
    const comma = /\s*,/y;
    comma.lastIndex = end;
    const hasComma = comma.test(this.text);
    const gap = this.isFirstInLine(last.start) ? this.eol + this.indentOf(last.start) : ' ';
    const at = hasComma ? comma.lastIndex : end;
    return [{ from: at, to: at, text: hasComma ? `${gap}${part},` : `,${gap}${part}` }];
  }

  private bracketed({ type }: MappingNode | SequenceNode, part: string): string {
    return type === 'mapping' ? `{${part}}` : `[${part}]`;
  }

  /** Where the dash of an item in block style stands. */
  dashOf(start: number): number {
    const dash = /-\s*$/.exec(this.text.slice(0, start));
    if (dash === null) throw new NotEditable('has a comment between its dash and its content');
    return dash.index;
  }

  /** A whole entry or item in block style, with the comment behind it. */
  wholeLines(start: number, end: number): Splice {
    return { from: this.lineStart(start), to: this.behindLine(end), text: '' };
  }

  /** The first entry behind a dash: the next one takes its place, and comments between the two stay. */
  behindDash(entry: TreeEntry, next: TreeEntry): Splice {
    const line = this.behindLine(entry.node.end);
    const isCommented = /\S/.test(this.text.slice(line, next.start));
    return { from: entry.start, to: isCommented ? line - this.eol.length : next.start, text: '' };
  }
}

function jsonLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, content]) => `${JSON.stringify(key)}: ${jsonLine(content)}`)
    .join(', ')}}`;
}
