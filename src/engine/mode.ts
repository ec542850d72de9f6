/** What becomes of a finding: ValidatingAdmissionPolicy's actions, and off. Strictest first. */
export const modes = ['deny', 'warn', 'audit', 'off'] as const;
export type Mode = (typeof modes)[number];

/** Least strict first. */
export const profiles = ['observe', 'guided', 'strict'] as const;
export type Profile = (typeof profiles)[number];
