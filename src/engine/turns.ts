/**
 * Which rule runs when, and how long. Whoever may write an object may make it so large that time runs out: what refuses it
 * must not be what is left undone then, nor may one costly rule use up the time of all others.
 */
import type { ConfiguredRule } from './rule.ts';

export interface Timing {
  /** How many milliseconds are left. */
  readonly timeLeft?: () => number;
  /** The same for rules that can refuse, which need it where the process is slow: the same, if left out. */
  readonly timeToRefuse?: () => number;
  /** The rule can refuse this write. */
  readonly mayDeny?: (rule: ConfiguredRule) => boolean;
}

/** A rule's turn. */
export interface Turn {
  readonly rule: ConfiguredRule;
  readonly outOfTime: () => boolean;
}

const forever = (): number => Number.POSITIVE_INFINITY;

/** Rules that can refuse come first, what judges the exemptions from rules after them all. Those for which time was too short get what the others left. */
export function* turns(
  rules: readonly ConfiguredRule[],
  { timeLeft = forever, timeToRefuse = timeLeft, mayDeny = () => false }: Timing,
  wasCut: (rule: ConfiguredRule) => boolean,
): Generator<Turn> {
  const ordinary = rules.filter(({ meta }) => meta.judgesExemptions !== true);
  const groups = [
    [ordinary.filter(mayDeny), timeToRefuse],
    [ordinary.filter((rule) => !mayDeny(rule)), timeLeft],
    [rules.filter((rule) => !ordinary.includes(rule)), timeLeft],
  ] as const;
  for (const [group, left] of groups) {
    yield* inTurn(group, left);
    if (left() > 0) yield* inTurn(group.filter(wasCut), left);
  }
}

/** Each has an equal share of what is left; most need next to nothing of theirs. */
function* inTurn(rules: readonly ConfiguredRule[], timeLeft: () => number): Generator<Turn> {
  for (const [index, rule] of rules.entries()) {
    const left = timeLeft();
    const rest = left - left / (rules.length - index);
    yield { rule, outOfTime: () => isOver(timeLeft(), rest) };
  }
}

/** Without end there is no rest either (NaN). */
const isOver = (left: number, rest: number): boolean => left <= 0 || left < rest;

/** Of what is left for what refuses, a part: for what comes first of two. */
export function partOf({ timeLeft = forever, timeToRefuse = timeLeft }: Timing, share: number): Timing {
  const left = timeToRefuse();
  if (left === Number.POSITIVE_INFINITY) return { timeLeft, timeToRefuse };
  const within = (): number => timeToRefuse() - left * (1 - share);
  return { timeLeft: () => Math.min(timeLeft(), within()), timeToRefuse: within };
}
