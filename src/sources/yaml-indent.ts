/**
 * Flow collections and quoted texts that stand less indented than what holds them: `selector: {`, a line for each label, and
 * a `}` right below `selector`. YAML 1.2 forbids it, and js-yaml with it; go-yaml, and so kubectl, does not look at the
 * indentation there. Spaces at the beginning of such a line mean nothing: they are put there, and taken off the offsets again.
 */
import { type Event, type ParserOptions, parseEvents, YAMLException } from 'js-yaml';

/** More than any indentation that people write: a line that needs more is refused. */
const margin = ' '.repeat(256);

/** The text is read again for each such line: so much of it in all, in UTF-16 units, and the rest is refused. */
const mostReadAgain = 20_000_000;

/** What js-yaml could not read, and at which offset of the text. */
export class UnreadableYaml extends Error {
  readonly offset: number;

  constructor(reason: string, offset: number) {
    super(reason);
    this.name = 'UnreadableYaml';
    this.offset = offset;
  }
}

/** js-yaml's events of the text, with offsets in it. Throws an `UnreadableYaml`. */
export function eventsOfIndented(text: string, options: ParserOptions): readonly Event[] {
  /** Where lines begin that need a margin, in the order of the text. */
  const places: number[] = [];
  let first: UnreadableYaml | undefined;
  for (;;) {
    const read = attempt(text, places, options);
    if (!(read instanceof UnreadableYaml)) return read;
    first ??= read;
    // What is never closed should have been at the first of these lines.
    if (read.message.startsWith('unexpected end of the stream')) throw first;
    const line = lineToIndent(text, read, places);
    if (line === undefined) throw read;
    places.push(line);
  }
}

function attempt(text: string, places: readonly number[], options: ParserOptions): readonly Event[] | UnreadableYaml {
  try {
    const events = parseEvents(padded(text, places), options);
    return places.length === 0 ? events : events.map((event) => moved(event, places));
  } catch (error) {
    return unreadableAt(error, places);
  }
}

function lineToIndent(text: string, { message, offset }: UnreadableYaml, places: readonly number[]): number | undefined {
  if (message !== 'deficient indentation' || !mayReadAgain(text, places)) return undefined;
  const line = text.lastIndexOf('\n', offset - 1) + 1;
  return line <= (places.at(-1) ?? 0) || endsDocument.test(text.slice(line, line + 3)) ? undefined : line;
}

/** js-yaml says: catch everything, not only its own exception. */
function unreadableAt(error: unknown, places: readonly number[]): UnreadableYaml {
  if (error instanceof YAMLException) return new UnreadableYaml(error.reason, originOf(error.mark?.position ?? 0, places));
  return new UnreadableYaml(error instanceof Error ? error.message : String(error), 0);
}

const endsDocument = /^(---|\.\.\.)$/;

const mayReadAgain = (text: string, places: readonly number[]): boolean =>
  (places.length + 1) * (text.length + places.length * margin.length) <= mostReadAgain;

function padded(text: string, places: readonly number[]): string {
  const parts = places.map((place, index) => text.slice(places[index - 1] ?? 0, place) + margin);
  return parts.join('') + text.slice(places.at(-1) ?? 0);
}

/** The offset without the margins before it; one within a margin is that of its line. */
function originOf(offset: number, places: readonly number[]): number {
  const before = places.findLastIndex((place, index) => place + index * margin.length <= offset);
  return before === -1 ? offset : Math.max(places[before] as number, offset - (before + 1) * margin.length);
}

const offsets = ['start', 'valueStart', 'valueEnd', 'anchorStart', 'anchorEnd', 'tagStart', 'tagEnd'];

/** Absent offsets are -1. */
function moved(event: Event, places: readonly number[]): Event {
  const pairs = Object.entries(event).filter(([name, value]) => offsets.includes(name) && value >= 0);
  return { ...event, ...Object.fromEntries(pairs.map(([name, value]) => [name, originOf(value as number, places)])) };
}
