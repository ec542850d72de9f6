/** A document with the place of everything in it, down to colons and brackets: what an edit of a few bytes needs to know. */
import { COLLECTION_STYLE, EVENT_ID, type Event, getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';
import { eventsOf, isMerge, offsetOf, plainKey } from './yaml.ts';

interface Span {
  /** With its tag and its anchor. Of nothing, as behind `key:`, behind the colon, as `end`. */
  readonly start: number;
  readonly end: number;
  /** Has an anchor, so that it may stand elsewhere too, or a tag: not for us to change. */
  readonly isMarked: boolean;
}

export interface ScalarNode extends Span {
  readonly type: 'scalar';
  readonly style: 'plain' | 'single' | 'double' | 'block';
  /** Nothing is written there: null. */
  readonly isEmpty: boolean;
}
export interface MappingNode extends Span {
  readonly type: 'mapping';
  readonly isFlow: boolean;
  readonly entries: readonly TreeEntry[];
}
export interface SequenceNode extends Span {
  readonly type: 'sequence';
  readonly isFlow: boolean;
  readonly items: readonly TreeNode[];
}
export interface AliasNode extends Span {
  readonly type: 'alias';
}
export type TreeNode = ScalarNode | MappingNode | SequenceNode | AliasNode;

export interface TreeEntry {
  readonly key: string;
  readonly start: number;
  /** Behind the colon; undefined for a key in a form that is not edited: `? key`, or one in braces without a value. */
  readonly colon: number | undefined;
  readonly isMerge: boolean;
  readonly node: TreeNode;
}

/** Of a text that `readYaml` accepts. */
export const treeOf = (text: string): TreeNode | undefined => {
  const events = eventsOf(text);
  return events[1] === undefined || events[1].type === EVENT_ID.POP ? undefined : new TreeReader(text, events).node(0);
};

type Collection = Extract<Event, { readonly style: unknown; readonly start: number }>;

class TreeReader {
  private readonly text: string;
  private readonly events: readonly Event[];
  private next = 1; // behind the start of the document

  constructor(text: string, events: readonly Event[]) {
    this.text = text;
    this.events = events;
  }

  /** `fallback` is where it stands if there is nothing. */
  node(fallback: number): TreeNode {
    const event = this.events[this.next++] as Event;
    const start = offsetOf(event) ?? fallback;
    if (event.type === EVENT_ID.ALIAS) return { type: 'alias', start, end: event.anchorEnd, isMarked: true };
    const isMarked = 'anchorStart' in event && (event.anchorStart >= 0 || event.tagStart >= 0);
    if (event.type === EVENT_ID.MAPPING) return { type: 'mapping', start, isMarked, ...this.mapping(event) };
    if (event.type === EVENT_ID.SEQUENCE) return { type: 'sequence', start, isMarked, ...this.sequence(event) };
    return { type: 'scalar', start, isMarked, ...scalarOf(event as ScalarEvent, fallback) };
  }

  private ends(): boolean {
    const ends = (this.events[this.next]?.type ?? EVENT_ID.POP) === EVENT_ID.POP;
    if (ends) this.next++;
    return ends;
  }

  private mapping(event: Collection): Pick<MappingNode, 'isFlow' | 'entries' | 'end'> {
    const isFlow = event.style === COLLECTION_STYLE.FLOW;
    const entries: TreeEntry[] = [];
    let end = event.start + (isFlow ? 1 : 0);
    while (!this.ends()) {
      const event = this.events[this.next] as Event;
      const key = this.node(end);
      const colon = this.colonBehind(key.end);
      const node = this.node(colon ?? key.end);
      entries.push({ key: this.keyOf(event), start: key.start, colon, isMerge: isMerge(this.text, event), node });
      ({ end } = node);
    }
    return { isFlow, entries, end: isFlow ? this.behind('}', end) : end };
  }

  private sequence(event: Collection): Pick<SequenceNode, 'isFlow' | 'items' | 'end'> {
    const isFlow = event.style === COLLECTION_STYLE.FLOW;
    const items: TreeNode[] = [];
    let end = event.start + (isFlow ? 1 : 0);
    while (!this.ends()) {
      const item = this.node(end);
      items.push(item);
      ({ end } = item);
    }
    return { isFlow, items, end: isFlow ? this.behind(']', end) : end };
  }

  private keyOf(event: Event): string {
    return plainKey(this.text, event) ?? (event.type === EVENT_ID.SCALAR ? getScalarValue(this.text, event) : '');
  }

  private colonBehind(end: number): number | undefined {
    const colon = /[ \t]*:/y;
    colon.lastIndex = end;
    return colon.test(this.text) ? colon.lastIndex : undefined;
  }

  /** Behind the bracket that closes a collection: between the last of its parts and that are only spaces, commas and comments. */
  private behind(bracket: string, from: number): number {
    const between = /(?:[\s,]|#.*)*/y;
    between.lastIndex = from;
    between.test(this.text);
    const at = Math.max(from, between.lastIndex);
    return this.text[at] === bracket ? at + 1 : this.text.indexOf(bracket, at) + 1;
  }
}

const styles = new Map<number, ScalarNode['style']>([
  [SCALAR_STYLE.SINGLE_QUOTED, 'single'],
  [SCALAR_STYLE.DOUBLE_QUOTED, 'double'],
  [SCALAR_STYLE.LITERAL_BLOCK, 'block'],
  [SCALAR_STYLE.FOLDED_BLOCK, 'block'],
]);

function scalarOf({ valueStart, valueEnd, style }: ScalarEvent, fallback: number): Pick<ScalarNode, 'style' | 'isEmpty' | 'end'> {
  const named = styles.get(style) ?? 'plain';
  const isEmpty = valueStart < 0;
  const quote = named === 'single' || named === 'double' ? 1 : 0;
  return { style: named, isEmpty, end: isEmpty ? fallback : valueEnd + quote };
}
