/**
 * Denials. For one object kubectl prints `details.causes` and nothing else, for several `message` and nothing else, and
 * both go raw to the terminal (kubectl pkg/cmd/util/helpers.go): so each says all, on one line, without escape characters.
 */
import type { Finding } from '../engine/finding.ts';
import type { Decision } from '../engine/review.ts';
import { display } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import type { Asked } from './request.ts';

const maxMessageBytes = 4096;
const maxCauses = 20;

/** The part of a metav1.Status that a denial fills. */
export interface Denial {
  readonly status: 'Failure';
  readonly code: 422;
  readonly reason: 'Invalid';
  readonly message: string;
  readonly details: { readonly name: string; readonly group: string; readonly kind: string; readonly causes: readonly Cause[] };
}

interface Cause {
  readonly reason: 'FieldValueInvalid';
  readonly field: string;
  readonly message: string;
}

/** `extra` are lines that stand beside the findings: what was not checked, notices of the configuration. */
export function denialOf(asked: Asked, decision: Decision, extra: readonly string[], docsBaseUrl: string): Denial {
  const told = [
    ...decision.denials.map((finding) => ({ finding, prefix: '' })),
    ...decision.warnings.map(({ finding }) => ({ finding, prefix: 'warning: ' })),
  ];
  const causes = told.slice(0, maxCauses).map(({ finding, prefix }) => causeOf(finding, prefix));
  const beside = extra.map((line) => besideCause(display(line, 240)));
  const left = told.slice(maxCauses).map(({ finding }) => finding.ruleId);
  return {
    status: 'Failure',
    code: 422,
    reason: 'Invalid',
    message: messageOf(decision.denials, causes, extra, docsBaseUrl),
    details: {
      name: display(asked.name, 253),
      group: asked.group,
      kind: asked.kind,
      causes: [...causes, ...(left.length === 0 ? [] : [moreCause(left)]), ...beside],
    },
  };
}

/** kubectl puts `<field>: ` before the text, so a cause without a field would begin with a colon. */
function causeOf({ path, what, why, fix, ruleId }: Finding, prefix: string): Cause {
  const text = `${sentence(`${display(what, 500)}; ${display(fix.text, 500)}`)} ${display(why, 600)}`;
  return {
    reason: 'FieldValueInvalid',
    field: display(formatPath(path), 512) || 'metadata.name',
    message: `${prefix}${text} [${ruleId}] portcullis`,
  };
}

const sentence = (text: string): string => (text === '' || /[.!?…]$/.test(text) ? text : `${text}.`);

const moreCause = (ruleIds: readonly string[]): Cause => ({
  reason: 'FieldValueInvalid',
  field: 'metadata.name',
  message: `+${ruleIds.length} more: ${display([...new Set(ruleIds)].join(', '), 500)} portcullis`,
});

/** What is no finding, such as an entry of the configuration that has expired: of one object, kubectl would print it nowhere else. */
const besideCause = (line: string): Cause => ({
  reason: 'FieldValueInvalid',
  field: 'metadata',
  message: line.startsWith('portcullis: ') ? line : `${line} portcullis`,
});

function messageOf(denials: readonly Finding[], causes: readonly Cause[], extra: readonly string[], docsBaseUrl: string): string {
  const first = denials[0]?.ruleId ?? '';
  const tail = ` Read on: ${docsBaseUrl === '' ? `portcullis explain ${first}` : `${display(docsBaseUrl.replace(/\/+$/, ''), 500)}/${first}`}`;
  const body = [
    ...causes.map(({ field, message }) => `${field}: ${message.slice(0, -' portcullis'.length)}`),
    ...extra.map((line) => display(line, 240)),
  ];
  return `${cutToBytes(body.join('; '), maxMessageBytes - bytesOf(tail))}${tail}`;
}

const encoder = new TextEncoder();
const bytesOf = (text: string): number => encoder.encode(text).length;

/** At most `max` bytes of UTF-8, ending with `…` if cut. */
function cutToBytes(text: string, max: number): string {
  if (text.length * 3 <= max || bytesOf(text) <= max) return text;
  let cut = '';
  let left = max - bytesOf('…');
  for (const rune of text) {
    left -= bytesOf(rune);
    if (left < 0) break;
    cut += rune;
  }
  return `${cut}…`;
}
