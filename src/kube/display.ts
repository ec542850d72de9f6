/** Text that other people wrote, on its way to a terminal, a log or a message of the API server. */

/**
 * What must never reach a terminal or a header as it is: control characters (escape sequences, line breaks: the API
 * server drops a warning that holds one), format characters (bidi overrides that make text read as what it is not, zero
 * width), line and paragraph separators, private use, and halves of surrogate pairs.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * The text on one line, safe to print: white space becomes a space, everything else that does not print becomes `?`.
 * Longer than `maxRunes` (Unicode code points), it ends with `…`, which counts.
 */
export function display(text: string, maxRunes = Number.POSITIVE_INFINITY): string {
  // A text far over the limit is cut before it is read: a code point is at most two code units.
  const bounded = text.length > maxRunes * 2 + 2 ? text.slice(0, maxRunes * 2 + 2) : text;
  const safe = bounded.replaceAll(unsafe, (one) => (/\s/.test(one) ? ' ' : '?'));
  if (safe.length <= maxRunes) return safe;
  const runes = Array.from(safe);
  return runes.length <= maxRunes ? safe : `${runes.slice(0, Math.max(0, maxRunes - 1)).join('')}…`;
}

/** A long name cut in its middle, since names of one family differ at both ends: `payments-prod…-web`. Also safe to print. */
export function shorten(name: string, maxRunes = 40): string {
  const runes = Array.from(display(name));
  if (runes.length <= maxRunes) return runes.join('');
  const head = Math.ceil((maxRunes - 1) / 2);
  return `${runes.slice(0, head).join('')}…${runes.slice(runes.length - (maxRunes - 1 - head)).join('')}`;
}

/** A text that somebody wrote, quoted in one of ours: in double quotes, with what does not print as escapes, and short. */
export function quoted(text: string, maxRunes = 60): string {
  const runes = Array.from(text.slice(0, maxRunes * 2 + 2));
  return printableJson(JSON.stringify(runes.length > maxRunes ? `${runes.slice(0, maxRunes).join('')}…` : text));
}

/** Beside what JSON.stringify escapes: control characters of Unicode's second block, and all else of `unsafe`. */
const unsafeInJson = /[\u007f-\u009f\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu;

/** JSON text, safe to print: what a terminal acts on, or what reads as something else than it is, as escapes. Nothing is lost. */
export const printableJson = (json: string): string => json.replaceAll(unsafeInJson, escaped);

const escaped = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
