/**
 * A JSON Patch applied to the text of a document, so that comments, order, quotes and every other byte stay as they are.
 * Whatever the text is, the result is only given out if it reads as it should: what cannot be edited so is left alone.
 */
import { isDeepStrictEqual } from 'node:util';
import { blockYaml } from '../kube/block-yaml.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { formatPath } from '../kube/field-path.ts';
import { isObject } from '../kube/read.ts';
import { readYaml, YamlError } from './yaml.ts';
import { Layout, NotEditable, type Splice, spliced } from './yaml-layout.ts';
import { type MappingNode, type SequenceNode, type TreeEntry, type TreeNode, treeOf } from './yaml-tree.ts';

/** RFC 6902, as far as fixes use it; `-` behind the last item of a list. */
export type TextEdit =
  | { readonly op: 'add' | 'replace'; readonly path: FieldPath; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: FieldPath };

export type Edited = { readonly text: string } | { readonly why: string };

/** `expected` is what the document has to be afterwards. */
export function editedText(text: string, edits: readonly TextEdit[], expected: unknown): Edited {
  try {
    const result = edits.reduce((before, edit) => appliedTo(before, edit), text);
    const { value, duplicates } = readYaml(result);
    if (duplicates.length === 0 && isDeepStrictEqual(plain(value), plain(expected))) return { text: result };
  } catch (error) {
    if (error instanceof NotEditable) return { why: error.message };
    if (!(error instanceof YamlError)) throw error;
  }
  return { why: 'it is written in a way that cannot be edited without changing something else' };
}

/** The text with one more document behind it, in lines as the others are. */
export function withDocument(text: string, value: unknown): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const open = text === '' || text.endsWith('\n') ? '' : eol;
  return `${text}${open}---${eol}${blockYaml(value).replaceAll('\n', eol)}${eol}`;
}

/** Objects without prototype, and keys whose value is undefined, are as JSON has them. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

/** Where an edit leads: the nodes on the way, and the entry of the last mapping whose value the node is. */
interface Spot {
  readonly node: TreeNode;
  readonly entry?: TreeEntry;
  readonly parent?: Spot;
}

function appliedTo(text: string, edit: TextEdit): string {
  const root = treeOf(text);
  if (root === undefined) throw new NotEditable('the document is empty');
  const editor = new Editor(text, edit.path);
  const splices = edit.op === 'remove' ? editor.remove({ node: root }) : editor.set({ node: root }, edit);
  if (Array.isArray(splices)) return spliced(text, splices);
  return (splices as Steps).steps.reduce((before, step) => appliedTo(before, step), text);
}

/** An edit that falls into smaller ones, each applied to what the one before has left. */
interface Steps {
  readonly steps: readonly TextEdit[];
}

type Adding = Extract<TextEdit, { readonly value: unknown }>;

class Editor {
  private readonly layout: Layout;
  private readonly path: FieldPath;

  constructor(text: string, path: FieldPath) {
    this.layout = new Layout(text);
    this.path = path;
  }

  set(root: Spot, edit: Adding): readonly Splice[] | Steps {
    let spot = root;
    for (const index of this.path.keys()) {
      const next = this.enter(spot, index, edit);
      if (Array.isArray(next)) return next;
      spot = next as Spot;
    }
    return this.replace(spot, edit.value);
  }

  /** The next spot on the way; or, where nothing is there yet, what puts the rest of the way in. */
  private enter(spot: Spot, index: number, { op, value }: Adding): Spot | readonly Splice[] {
    const { node } = spot;
    const part = this.path[index] as string | number;
    const rest = this.path.slice(index + 1);
    this.guard(node);
    if (this.isNothing(node)) return this.expand(spot, nested([part, ...rest], value));
    if (node.type === 'mapping') {
      const entry = entryOf(node, part);
      if (entry === undefined) return this.addEntry(spot, node, String(part), nested(rest, value));
      return { node: entry.node, entry, parent: spot };
    }
    if (node.type !== 'sequence') throw new NotEditable(`${formatPath(this.path.slice(0, index))} is no mapping and no list`);
    const at = part === '-' ? node.items.length : Number(part);
    const isNew = at === node.items.length || (rest.length === 0 && op === 'add');
    return isNew ? this.addItem(spot, node, at, nested(rest, value)) : { node: itemAt(node, at), parent: spot };
  }

  remove(root: Spot): readonly Splice[] {
    let spot = root;
    for (const part of this.path) {
      const { node } = spot;
      this.guard(node);
      if (node.type === 'mapping') {
        const entry = entryOf(node, part);
        if (entry === undefined) throw new NotEditable('it does not stand there itself');
        spot = { node: entry.node, entry, parent: spot };
      } else if (node.type === 'sequence') spot = { node: itemAt(node, Number(part)), parent: spot };
      else throw new NotEditable('it does not stand there itself');
    }
    this.guardAll(spot.node);
    const { parent } = spot;
    if (parent?.node.type === 'mapping') return this.removeEntry(parent, parent.node, spot.entry as TreeEntry);
    if (parent?.node.type === 'sequence') return this.removeItem(parent, parent.node, spot.node);
    throw new NotEditable('it is the whole document');
  }

  /** Nothing, or null in words. */
  private isNothing(node: TreeNode): boolean {
    if (node.type !== 'scalar' || node.style !== 'plain') return false;
    return node.isEmpty || /^(?:~|null|Null|NULL)$/.test(this.layout.text.slice(node.start, node.end));
  }

  /** What has an anchor stands elsewhere too, and what comes from one stands elsewhere alone. */
  private guard(node: TreeNode): void {
    if (node.type === 'alias') throw new NotEditable('it comes from an anchor, and other places may use that too');
    if (node.isMarked) throw new NotEditable('it has an anchor or a tag, and other places may use that too');
  }

  private guardAll(node: TreeNode): void {
    this.guard(node);
    const parts = node.type === 'mapping' ? node.entries.map((entry) => entry.node) : node.type === 'sequence' ? node.items : [];
    for (const part of parts) this.guardAll(part);
  }

  private replace(spot: Spot, value: unknown): readonly Splice[] | Steps {
    const { node, entry } = spot;
    this.guardAll(node);
    const old = readYaml(this.layout.text).value;
    const steps = smaller(this.path, at(old, this.path), value);
    if (steps !== undefined) return { steps };
    if (node.type === 'scalar' && node.style === 'block') throw new NotEditable('it is a block of text');
    if (this.isNothing(node) && isFull(value)) return this.expand(spot, value);
    if (node.type === 'scalar' && !node.isEmpty) return [{ from: node.start, to: node.end, text: this.layout.scalar(value, node) }];
    const text = this.layout.inline(value);
    if ('isFlow' in node && node.isFlow) return [{ from: node.start, to: node.end, text }];
    if (entry?.colon !== undefined) return [{ from: entry.colon, to: node.end, text: ` ${text}` }];
    return [{ from: node.start, to: node.end, text }];
  }

  /** Nothing, or empty brackets, become what is to stand there: in lines of its own where there are such around it. */
  private expand({ node, entry, parent }: Spot, value: unknown): readonly Splice[] {
    const { layout } = this;
    const isInBlock = parent?.node.type === 'mapping' && !parent.node.isFlow;
    if (!isInBlock || !isFull(value) || entry?.colon === undefined) {
      const text = layout.inline(value);
      return [{ from: node.start, to: node.end, text: node.start === node.end ? ` ${text}` : text }];
    }
    const indent = `${layout.indentOf(entry.start)}  `;
    return [{ from: entry.colon, to: node.end, text: '' }, layout.linesBehind(node.end, value, indent)];
  }

  private addEntry(spot: Spot, node: MappingNode, key: string, value: unknown): readonly Splice[] {
    const { layout } = this;
    if (node.isFlow) {
      if (node.entries.length === 0 && spot.entry !== undefined) return this.expandOrFill(spot, node, { [key]: value });
      const text = layout.inline({ [key]: value });
      return layout.within(node, text.slice(1, -1));
    }
    const [first] = node.entries as readonly [TreeEntry];
    return [layout.linesBehind(node.end, { [key]: value }, layout.indentOf(first.start))];
  }

  private addItem(spot: Spot, node: SequenceNode, index: number, value: unknown): readonly Splice[] {
    const { layout } = this;
    if (index > node.items.length) throw new NotEditable('there are not so many items in the list');
    const next = node.items[index];
    if (node.isFlow) {
      if (node.items.length === 0 && spot.entry !== undefined) return this.expandOrFill(spot, node, [value]);
      if (next === undefined) return layout.within(node, layout.inline(value));
      return [{ from: next.start, to: next.start, text: `${layout.inline(value)}, ` }];
    }
    const dash = layout.dashOf((node.items[0] as TreeNode).start);
    const indent = layout.indentOf(dash);
    if (next === undefined) return [layout.linesBehind(node.end, [value], indent)];
    const before = layout.dashOf(next.start);
    if (!layout.isFirstInLine(before)) throw new NotEditable('the list begins behind a dash');
    const line = layout.lineStart(before);
    return [{ from: line, to: line, text: layout.lines([value], indent) }];
  }

  private expandOrFill(spot: Spot, node: MappingNode | SequenceNode, value: object): readonly Splice[] {
    const isInBlock = spot.parent?.node.type === 'mapping' && !spot.parent.node.isFlow;
    return isInBlock ? this.expand(spot, value) : [{ from: node.start, to: node.end, text: this.layout.inline(value) }];
  }

  private removeEntry(spot: Spot, node: MappingNode, entry: TreeEntry): readonly Splice[] {
    const { layout } = this;
    const index = node.entries.indexOf(entry);
    if (node.isFlow)
      return [
        partOf(
          node.entries.map((one) => ({ start: one.start, end: one.node.end })),
          index,
        ),
      ];
    if (node.entries.length === 1) return this.emptied(spot, entry.start, '{}');
    if (layout.isFirstInLine(entry.start)) return [layout.wholeLines(entry.start, entry.node.end)];
    const next = node.entries[index + 1];
    if (next === undefined) throw new NotEditable('other fields stand in its line');
    return [layout.behindDash(entry, next)];
  }

  private removeItem(spot: Spot, node: SequenceNode, item: TreeNode): readonly Splice[] {
    const { layout } = this;
    if (node.isFlow) return [partOf(node.items, node.items.indexOf(item))];
    const dash = layout.dashOf(item.start);
    if (node.items.length === 1) return this.emptied(spot, dash, '[]');
    if (!layout.isFirstInLine(dash)) throw new NotEditable('the list begins behind a dash');
    return [layout.wholeLines(dash, item.end)];
  }

  /** Comments that stand among the lines stay. */
  private emptied({ node, entry }: Spot, start: number, brackets: string): readonly Splice[] {
    const { layout } = this;
    if (entry?.colon === undefined || !layout.isFirstInLine(start)) return [{ from: start, to: node.end, text: brackets }];
    return [{ from: entry.colon, to: entry.colon, text: ` ${brackets}` }, layout.wholeLines(start, node.end)];
  }
}

interface Part {
  readonly start: number;
  readonly end: number;
}

/** One part of something in brackets, with one of the commas beside it. */
function partOf(parts: readonly Part[], index: number): Splice {
  const { start, end } = parts[index] as Part;
  const [before, next] = [parts[index - 1], parts[index + 1]];
  if (next !== undefined) return { from: start, to: next.start, text: '' };
  return { from: before === undefined ? start : before.end, to: end, text: '' };
}

const entryOf = ({ entries }: MappingNode, part: string | number): TreeEntry | undefined =>
  entries.findLast(({ key, isMerge }) => key === String(part) && !isMerge);

function itemAt({ items }: SequenceNode, at: number): TreeNode {
  const item = items[at];
  if (item === undefined) throw new NotEditable('there are not so many items in the list');
  return item;
}

const isFull = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.keys(value).length > 0;

/** The value, with what has to stand around it where nothing is yet. */
const nested = (path: FieldPath, value: unknown): unknown =>
  path.reduceRight<unknown>((inner, part) => (part === '-' || typeof part === 'number' ? [inner] : { [part]: inner }), value);

const at = (value: unknown, path: FieldPath): unknown =>
  path.reduce<unknown>((from, part) => (from as Readonly<Record<string | number, unknown>>)[part], value);

/** The difference of two mappings, or of two lists, where both hold something: what stays is not touched. */
function smaller(path: FieldPath, old: unknown, next: unknown): readonly TextEdit[] | undefined {
  if (!isFull(old) || !isFull(next) || Array.isArray(old) !== Array.isArray(next)) return undefined;
  if (Array.isArray(old) && Array.isArray(next)) {
    const changed = old.slice(0, next.length).flatMap((item, index) => changeOf([...path, index], item, next[index]));
    const more = next.slice(old.length).map((value): TextEdit => ({ op: 'add', path: [...path, '-'], value }));
    const fewer = old.slice(next.length).map((_, index): TextEdit => ({ op: 'remove', path: [...path, next.length + index] }));
    return [...changed, ...more, ...fewer.toReversed()];
  }
  if (!isObject(old) || !isObject(next)) return undefined;
  const kept = Object.entries(next).flatMap(([key, value]) =>
    Object.hasOwn(old, key) ? changeOf([...path, key], old[key], value) : [{ op: 'add', path: [...path, key], value } as const],
  );
  const gone = Object.keys(old).filter((key) => !Object.hasOwn(next, key));
  return [...kept, ...gone.map((key): TextEdit => ({ op: 'remove', path: [...path, key] }))];
}

const changeOf = (path: FieldPath, old: unknown, value: unknown): readonly TextEdit[] =>
  isDeepStrictEqual(plain(old), plain(value)) ? [] : [{ op: 'replace', path, value }];
