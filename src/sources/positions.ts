/** Where a field stands in its file. Computed only for what is reported: it costs a second parse of the document. */
import { EVENT_ID, type Event, getScalarValue } from 'js-yaml';
import type { FieldPath } from '../kube/field-path.ts';
import { eventsOf, isMerge, offsetOf, plainKey } from './yaml.ts';

/** From 1, the column in UTF-16 code units: as editors and SARIF count. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Offset in the text → line and column. */
export function placer(text: string): (offset: number) => Place {
  const starts = [0];
  for (const { index, 0: ending } of text.matchAll(/\r\n?|\n/g)) starts.push(index + ending.length);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] as number) + 1 };
  };
}

/** A node and what is below it, with offsets. */
interface Located {
  readonly offset: number;
  /** Of a mapping: by key, where the key stands and what it leads to. */
  readonly entries?: Map<string, { readonly offset: number; readonly node: Located }>;
  readonly items?: readonly Located[];
}

/**
 * Field path → offset in the text of a document that `readYaml` accepts. Of a field that is there, the offset of its
 * key; of a list entry, where the entry begins; of a missing field, the same of its nearest parent that is there. A
 * field that comes from an anchor is found there.
 */
export function locator(text: string): (path: FieldPath) => number {
  const root = new Locator(text, eventsOf(text)).root();
  return (path) => {
    let offset = root.offset;
    let node: Located | undefined = root;
    for (const part of path) {
      const entry: { readonly offset: number; readonly node: Located } | undefined =
        typeof part === 'string' ? node.entries?.get(part) : itemOf(node, part);
      if (entry === undefined) return offset;
      ({ offset, node } = entry);
    }
    return offset;
  };
}

function itemOf({ items }: Located, index: number): { readonly offset: number; readonly node: Located } | undefined {
  const node = items?.[index];
  return node && { offset: node.offset, node };
}

class Locator {
  private readonly text: string;
  private readonly events: readonly Event[];
  private next = 1; // after the start of the document
  private readonly anchors = new Map<string, Located>();
  private offset = 0;

  constructor(text: string, events: readonly Event[]) {
    this.text = text;
    this.events = events;
  }

  root(): Located {
    const first = this.events[1];
    return first === undefined || first.type === EVENT_ID.POP ? { offset: 0 } : this.node();
  }

  private take(): Event {
    const event = this.events[this.next++] as Event;
    this.offset = offsetOf(event) ?? this.offset;
    return event;
  }

  private ends(): boolean {
    const ends = (this.events[this.next]?.type ?? EVENT_ID.POP) === EVENT_ID.POP;
    if (ends) this.next++;
    return ends;
  }

  private node(): Located {
    const event = this.take();
    const { offset } = this;
    if (event.type === EVENT_ID.ALIAS) return { ...this.anchors.get(this.text.slice(event.anchorStart, event.anchorEnd)), offset };
    const node: Located = { offset, ...this.content(event) };
    if ('anchorStart' in event && event.anchorStart >= 0) this.anchors.set(this.text.slice(event.anchorStart, event.anchorEnd), node);
    return node;
  }

  private content(event: Event): Omit<Located, 'offset'> {
    if (event.type === EVENT_ID.SEQUENCE) return { items: this.items() };
    return event.type === EVENT_ID.MAPPING ? { entries: this.entries() } : {};
  }

  private items(): readonly Located[] {
    const items: Located[] = [];
    while (!this.ends()) items.push(this.node());
    return items;
  }

  private entries(): NonNullable<Located['entries']> {
    const entries: NonNullable<Located['entries']> = new Map();
    while (!this.ends()) {
      const event = this.events[this.next] as Event;
      const key = this.node();
      const { offset } = key;
      const node = this.node();
      if (isMerge(this.text, event)) for (const [name, entry] of mergedOf(node)) entries.set(name, entry);
      else entries.set(this.keyOf(event), { offset, node });
    }
    return entries;
  }

  private keyOf(event: Event): string {
    return plainKey(this.text, event) ?? (event.type === EVENT_ID.SCALAR ? getScalarValue(this.text, event) : '');
  }
}

/** What `<<` brings; of a list, the first wins. */
const mergedOf = (node: Located): Iterable<readonly [string, { readonly offset: number; readonly node: Located }]> =>
  (node.items?.toReversed() ?? [node]).flatMap(({ entries }) => [...(entries ?? [])]);
