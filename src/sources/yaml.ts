/**
 * YAML as kubectl reads it: sigs.k8s.io/yaml 1.6, which is go-yaml 2 and then JSON. No preset of js-yaml reads so
 * (test/sources/fixtures/yaml-probes.json), and merges, aliases and keys need other rules too: hence only its parser is
 * used, and the values are put together here.
 */
import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';
import { eventsOfIndented, UnreadableYaml } from './yaml-indent.ts';
import { resolveKey, resolvePlain, resolveTagged } from './yaml-scalar.ts';

/** Bounds for hostile input (reliability.md A5). */
export const yamlLimits = {
  fileBytes: 10 * 1024 * 1024,
  documents: 5_000,
  depth: 64,
  /** Nodes that aliases may add to one document; go-yaml 2 allows about as many (decode.go: allowedAliasRatio). */
  aliasedNodes: 400_000,
} as const;

/** Why a document cannot be read, and at which offset of its text. */
export class YamlError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'YamlError';
    this.offset = offset;
  }
}

/** A key that one mapping holds twice. kubectl takes the last and says nothing (measured on 1.36.3); others refuse the file. */
interface DuplicateKey {
  readonly key: string;
  readonly offset: number;
}

export interface YamlDocument {
  readonly value: unknown;
  readonly duplicates: readonly DuplicateKey[];
}

/** The first document of the text, as kubectl takes it: what follows `...` is not read. Throws a `YamlError`. */
export function readYaml(text: string): YamlDocument {
  const events = eventsOf(text);
  const reader = new Reader(text, events);
  const value = events.length > 1 ? reader.document() : null;
  return { value, duplicates: reader.duplicates };
}

/** js-yaml's events of the text. Throws a `YamlError`. */
export function eventsOf(text: string): readonly Event[] {
  try {
    return eventsOfIndented(text, { maxDepth: yamlLimits.depth });
  } catch (error) {
    if (error instanceof UnreadableYaml) throw new YamlError(error.message, error.offset);
    throw error;
  }
}

/** Where the node of this event begins: its tag or anchor, if it has one; undefined for an empty scalar. */
export function offsetOf(event: Event): number | undefined {
  if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) return undefined;
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart - 1; // with its `*`
  const content = event.type === EVENT_ID.SCALAR ? event.valueStart - (isQuoted(event) ? 1 : 0) : event.start;
  let first = content < 0 ? Number.POSITIVE_INFINITY : content;
  if (event.tagStart >= 0) first = Math.min(first, event.tagStart);
  if (event.anchorStart >= 0) first = Math.min(first, event.anchorStart - 1); // with its `&`
  return Number.isFinite(first) ? first : undefined;
}

const isQuoted = ({ style }: ScalarEvent): boolean => style === SCALAR_STYLE.DOUBLE_QUOTED || style === SCALAR_STYLE.SINGLE_QUOTED;

/** Handles of `%TAG`, by name. */
type Handles = ReadonlyMap<string, string>;

interface Node {
  readonly value: unknown;
  /** Nodes in it, aliases counted in full. */
  readonly size: number;
  readonly isMapping: boolean;
}

interface Mapping {
  readonly values: Record<string, unknown>;
  readonly written: Set<string>;
  size: number;
}

/** Walks the events of one document. Recursion is bounded by `yamlLimits.depth`. */
class Reader {
  readonly duplicates: DuplicateKey[] = [];
  private readonly text: string;
  private readonly events: readonly Event[];
  private next = 0;
  private handles: Handles = new Map();
  /** Undefined while the node is being read: an alias to it would contain itself. */
  private readonly anchors = new Map<string, Node | undefined>();
  private aliased = 0;
  /** The last offset that an event told: where an empty node stands. */
  private offset = 0;

  constructor(text: string, events: readonly Event[]) {
    this.text = text;
    this.events = events;
  }

  document(): unknown {
    const start = this.take();
    if (start.type !== EVENT_ID.DOCUMENT) return null;
    const version = start.directives.find((directive) => directive.kind === 'yaml')?.version;
    if (version !== undefined && version !== '1.1') throw new YamlError(`kubectl reads no YAML ${version}`, 0);
    this.handles = new Map(start.directives.flatMap((one) => (one.kind === 'tag' ? [[one.handle, one.prefix] as const] : [])));
    return this.peek().type === EVENT_ID.POP ? null : this.node().value;
  }

  private take(): Event {
    const event = this.peek();
    this.next++;
    this.offset = offsetOf(event) ?? this.offset;
    return event;
  }

  private peek(): Event {
    return this.events[this.next] as Event;
  }

  private node(): Node {
    const event = this.take();
    switch (event.type) {
      case EVENT_ID.ALIAS:
        return this.alias(this.text.slice(event.anchorStart, event.anchorEnd));
      case EVENT_ID.SCALAR:
        return this.anchored(event, () => ({ value: scalarOf(this.text, event, this.handles, this.offset), size: 1, isMapping: false }));
      case EVENT_ID.SEQUENCE:
        return this.anchored(event, () => this.sequence());
      case EVENT_ID.MAPPING:
        return this.anchored(event, () => this.mapping());
      default:
        throw new YamlError('the document ends too early', this.offset);
    }
  }

  private anchored(event: { readonly anchorStart: number; readonly anchorEnd: number }, read: () => Node): Node {
    if (event.anchorStart < 0) return read();
    const name = this.text.slice(event.anchorStart, event.anchorEnd);
    this.anchors.set(name, undefined);
    const node = read();
    this.anchors.set(name, node);
    return node;
  }

  private alias(name: string): Node {
    const node = this.anchors.get(name);
    if (node === undefined) {
      const why = this.anchors.has(name) ? `the anchor "${name}" contains itself` : `there is no anchor "${name}"`;
      throw new YamlError(why, this.offset);
    }
    this.aliased += node.size;
    if (this.aliased > yamlLimits.aliasedNodes) throw new YamlError('aliases blow this document up beyond what is read', this.offset);
    return node;
  }

  private sequence(): Node {
    const items: unknown[] = [];
    let size = 1;
    while (this.peek().type !== EVENT_ID.POP) {
      const item = this.node();
      items.push(item.value);
      size += item.size;
    }
    this.next++;
    return { value: items, size, isMapping: false };
  }

  private mapping(): Node {
    const mapping: Mapping = { values: {}, written: new Set(), size: 1 };
    while (this.peek().type !== EVENT_ID.POP) {
      const key = this.peek();
      if (isMerge(this.text, key)) this.merge(mapping);
      else this.pair(mapping);
    }
    this.next++;
    return { value: mapping.values, size: mapping.size, isMapping: true };
  }

  private pair(mapping: Mapping): void {
    const { key, offset, size } = this.key();
    if (mapping.written.has(key)) this.duplicates.push({ key, offset });
    mapping.written.add(key);
    const value = this.node();
    define(mapping.values, key, value.value);
    mapping.size += size + value.size;
  }

  private key(): { readonly key: string; readonly offset: number; readonly size: number } {
    const event = this.peek();
    const plain = plainKey(this.text, event);
    const node = plain === undefined ? this.node() : this.anchored(this.take() as ScalarEvent, () => textNode(plain));
    const { value } = node;
    const key = typeof value === 'boolean' || (typeof value === 'number' && Math.abs(value) < 2 ** 63) ? String(value) : value;
    if (typeof key !== 'string') throw new YamlError('a key must be a text, a number or a truth value', this.offset);
    return { key, offset: this.offset, size: node.size };
  }

  /** Where it stands, so it overrides keys written before it: go-yaml 2 does so (decode.go: merge), against the YAML page on merges. */
  private merge(mapping: Mapping): void {
    this.take();
    const list = this.peek().type === EVENT_ID.SEQUENCE;
    const at = offsetOf(this.peek()) ?? this.offset;
    const { sources, size } = list ? this.mergeList() : this.mergeOne();
    mapping.size += size;
    for (const source of sources.toReversed()) {
      if (!source.isMapping) throw new YamlError('what is merged with << must be a mapping, or a list of mappings', at);
      for (const [key, value] of Object.entries(source.value as object)) define(mapping.values, key, value);
    }
  }

  private mergeOne(): { readonly sources: readonly Node[]; readonly size: number } {
    const source = this.node();
    return { sources: [source], size: source.size };
  }

  private mergeList(): { readonly sources: readonly Node[]; readonly size: number } {
    const sources: Node[] = [];
    this.take();
    while (this.peek().type !== EVENT_ID.POP) sources.push(this.node());
    this.next++;
    return { sources, size: sources.reduce((sum, { size }) => sum + size, 1) };
  }
}

/** An own property whatever the key is. */
function define(values: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(values, key, { value, writable: true, enumerable: true, configurable: true });
  else values[key] = value;
}

/** A plain `<<`, or one tagged so. */
export const isMerge = (text: string, event: Event): boolean =>
  event.type === EVENT_ID.SCALAR &&
  event.valueEnd - event.valueStart === 2 &&
  text.startsWith('<<', event.valueStart) &&
  event.style === SCALAR_STYLE.PLAIN &&
  (event.tagStart < 0 || text.slice(event.tagStart, event.tagEnd) === '!!merge');

const coreTags = 'tag:yaml.org,2002:';

function scalarOf(text: string, event: ScalarEvent, handles: Handles, offset: number): unknown {
  const source = getScalarValue(text, event);
  const tag = event.tagStart < 0 ? '' : text.slice(event.tagStart, event.tagEnd);
  if (tag === '') return event.style === SCALAR_STYLE.PLAIN ? finite(resolvePlain(source), offset) : source;
  const name = fullTag(tag, handles);
  if (!name.startsWith(coreTags)) return source;
  const value = resolveTagged(name.slice(coreTags.length), source);
  if (value === undefined) throw new YamlError(`"${source.slice(0, 40)}" is no !!${name.slice(coreTags.length)}`, offset);
  return finite(value, offset);
}

/** What a tag stands for: `!!int`, `!<tag:…>`, `!e!int` with `%TAG !e! …`. */
function fullTag(tag: string, handles: Handles): string {
  if (tag.startsWith('!<')) return tag.slice(2, -1);
  const handle = /^![\w-]*!/.exec(tag)?.[0];
  if (handle === undefined) return tag;
  return (handles.get(handle) ?? (handle === '!!' ? coreTags : handle)) + tag.slice(handle.length);
}

/** JSON has no infinities. */
function finite(value: unknown, offset: number): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new YamlError(`JSON has no number ${value}`, offset);
  return value;
}

const textNode = (value: string): Node => ({ value, size: 1, isMapping: false });

/** The JSON key that a scalar without quotes and tag becomes; undefined for any other node, and for what cannot be a key. */
export function plainKey(text: string, event: Event): string | undefined {
  if (event.type !== EVENT_ID.SCALAR || event.style !== SCALAR_STYLE.PLAIN || event.tagStart >= 0) return undefined;
  return resolveKey(getScalarValue(text, event));
}
