/** A file → its documents, split where kubectl splits them, so that a broken one does not take the others with it. */
import { yamlLimits } from './yaml.ts';

/** A part of a file that holds one document. */
interface Chunk {
  readonly text: string;
  /** Where it begins in the file. */
  readonly offset: number;
}

export interface Split {
  readonly chunks: readonly Chunk[];
  /** Offsets of separators that kubectl refuses: `--- {a: 1}`. */
  readonly badSeparators: readonly number[];
  /** Where the documents begin that are too many to be read. */
  readonly cutAt?: number;
}

/**
 * JSON values one after the other (`jq -c`, NDJSON), else YAML documents between lines that begin with `---`: a block
 * scalar ends there too (apimachinery pkg/util/yaml/decoder.go: YAMLReader).
 */
export function splitDocuments(text: string): Split {
  const json = jsonValues(text);
  const rest = json.at(-1);
  const { chunks, badSeparators } = yamlChunks(text, rest === undefined ? 0 : rest.offset + rest.text.length);
  const all = [...json, ...chunks].filter((chunk) => /\S/.test(chunk.text));
  const cut = all[yamlLimits.documents];
  if (cut === undefined) return { chunks: all, badSeparators };
  return { chunks: all.slice(0, yamlLimits.documents), badSeparators, cutAt: cut.offset };
}

function yamlChunks(text: string, from: number): Split {
  const chunks: Chunk[] = [];
  const badSeparators: number[] = [];
  let start = from;
  for (const { index, 0: line } of text.matchAll(/^---.*(?:\n|$)/gm)) {
    if (index < from) continue;
    chunks.push({ text: text.slice(start, index), offset: start });
    if (!/^---\s*(?:#.*)?$/.test(line.trimEnd())) badSeparators.push(index);
    start = index + line.length;
  }
  chunks.push({ text: text.slice(start), offset: start });
  return { chunks, badSeparators };
}

/** The objects at the beginning of the text that stand side by side, if that is how it begins. */
function jsonValues(text: string): readonly Chunk[] {
  const values: Chunk[] = [];
  let at = skipSpace(text, 0);
  while (text[at] === '{') {
    const end = endOfObject(text, at);
    if (end === undefined) break;
    values.push({ text: text.slice(at, end), offset: at });
    at = skipSpace(text, end);
  }
  // One object alone, or followed by something else, may be YAML in flow style: the YAML reader takes it as it stands.
  return values.length > 1 ? values : [];
}

function skipSpace(text: string, from: number): number {
  const space = /\s*/y;
  space.lastIndex = from;
  space.exec(text);
  return space.lastIndex;
}

/** The offset behind the brace that closes the one at `from`. Each character is looked at once, however hostile the text. */
function endOfObject(text: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '{') depth++;
    else if (character === '}') depth--;
    if (depth === 0) return at + 1;
  }
  return undefined;
}

/** The offset of the quote that closes the one at `from`; the length of the text if none does. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
