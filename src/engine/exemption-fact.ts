/** An annotation that exempts its object from a rule, as the rule about exemptions reads it. */
import type { FieldPath } from '../kube/field-path.ts';

interface Base {
  /** As it is written, which need not be the id of a rule. */
  readonly ruleId: string;
  readonly path: FieldPath;
}

/** Dates are days, as `2027-03-31`; `corrected` is the value that the annotation should have. */
export type ExemptionFact = Base &
  (
    | { readonly is: 'effective'; readonly reason: string; readonly until?: string }
    /** Still in effect, but not for long. */
    | { readonly is: 'ending'; readonly reason: string; readonly until: string; readonly corrected: string }
    | { readonly is: 'expired'; readonly until: string; readonly corrected: string }
    /** `meant`: the key of the annotation that was probably meant, unless that stands there already; `isCertain`: beyond doubt. */
    | { readonly is: 'unknownRule'; readonly value: string; readonly meant: string | undefined; readonly isCertain: boolean }
    /** `until`: what stands behind a word "until" that nothing stands before. */
    | { readonly is: 'noReason'; readonly until?: string }
    /** A date is there, and words behind it. */
    | { readonly is: 'dateNotLast'; readonly corrected: string }
    | { readonly is: 'noDate'; readonly given: string; readonly corrected: string }
    | { readonly is: 'notAllowed'; readonly by: 'byAnnotation' | 'exemptable' }
    /** Where annotations have to be permitted: the writer has no right to it, or that could not be asked. */
    | { readonly is: 'notEntitled'; readonly access: 'denied' | 'unknown'; readonly namespace: string }
  );
