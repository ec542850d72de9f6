import type { Rule } from '../engine/rule.ts';

/** Every rule, in the order in which documentation lists them: one line a rule, one file a rule. */
export const rules: readonly Rule[] = [];
