/** Answers that may be uncertain, and how they are put together. */
import type { Doubt } from './flow.ts';

/** Certain, or every reason why not. */
export type Known = boolean | readonly Doubt[];

export function bothOf(a: Known, b: Known): Known {
  if (a === false || b === false) return false;
  if (a === true) return b;
  return b === true ? a : [...a, ...b];
}

/** True if one is; false if all are. A policy may have 20,000 rules that leave the same doubt: it is kept once. */
export function anyOf(answers: readonly Known[]): Known {
  if (answers.includes(true)) return true;
  const doubts = new Set(answers.flatMap((answer) => (typeof answer === 'boolean' ? [] : answer)));
  return doubts.size > 0 ? [...doubts] : false;
}
