/**
 * An annotation that exempts an object from a rule says why, and until when. One without effect looks as if it had some:
 * it names no rule, gives no reason, ends on no date or has ended, or whoever wrote it had no right to it. One whose rule
 * finds nothing any more would excuse the next defect of its kind, which nobody has looked at.
 */
import { z } from 'zod';
import type { ExemptionFact } from '../engine/exemption-fact.ts';
import { type Explanation, editTowards, type Fix, type PatchOperation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { quoted } from '../kube/display.ts';

export const exemptionInvalid = defineRule({
  id: 'exemption-invalid',
  kinds: ['Service', 'Ingress', 'NetworkPolicy'],
  orderClass: 'self-contained',
  summary: 'An annotation that exempts from a rule has effect, and something to exempt from',
  reads: [],
  judgesExemptions: true,
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    malformed: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      text: (fact: Malformed): Explanation => ({ ...explainMalformed(fact), why: withoutEffect }),
    },
    expired: {
      severity: 'low',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      text: (fact: Fact<'expired'>): Explanation => ({
        what: `it ended on ${fact.until}, so it has no effect`,
        why: withoutEffect,
        // With a new end it may be of no use.
        fixes: [rewritten(fact, 'remove it, or write'), ...removed(fact, 'remove it')],
      }),
    },
    /** By the configuration, or, where that asks for a right to it, by who writes. */
    notPermitted: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      text: (fact: Fact<'notAllowed' | 'notEntitled'>): Explanation => ({
        ...(fact.is === 'notAllowed' ? explainNotAllowed(fact) : explainNotEntitled(fact)),
        why: withoutEffect,
      }),
    },
    /** Like the next one said of objects as they stand, never of a write: an exemption may come before what it is for. */
    unused: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'self',
      text: (fact: ExemptionFact): Explanation => ({
        what: `${fact.ruleId} finds nothing in this object`,
        why: 'It would excuse the next defect of this kind, which nobody has looked at.',
        fixes: removed(fact, 'remove it'),
      }),
    },
    endsSoon: {
      severity: 'info',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'self',
      text: (fact: Fact<'ending'>): Explanation => ({
        what: `it ends on ${fact.until}`,
        why: 'What it excuses is denied or warned of from the next day on.',
        fixes: [rewritten(fact, 'repair what it excuses, or write'), { text: 'repair what it excuses' }],
      }),
    },
  },

  *check({ object, operation, exemptions, finding }) {
    if (exemptions === undefined) return;
    const { factsOf, clean, isSurvey } = exemptions;
    for (const fact of factsOf(object).filter((one) => operation === 'WRITE' || mattersToRemoval(one))) {
      const { path } = fact;
      if (fact.is !== 'effective' && fact.is !== 'ending') yield finding(saying[fact.is], path, fact);
      else if (isSurvey && clean.has(fact.ruleId)) yield finding('unused', path, fact);
      else if (isSurvey && fact.is === 'ending') yield finding('endsSoon', path, fact);
    }
  },
});

const saying = {
  unknownRule: 'malformed',
  noReason: 'malformed',
  noDate: 'malformed',
  dateNotLast: 'malformed',
  expired: 'expired',
  notAllowed: 'notPermitted',
  notEntitled: 'notPermitted',
} as const;

/** Who removes an object need not repair it, and should know why nothing excuses the removal. */
const mattersToRemoval = ({ is }: ExemptionFact): boolean => is === 'expired' || is === 'notEntitled';

type Fact<Is extends ExemptionFact['is']> = ExemptionFact & { readonly is: Is };
type Malformed = Fact<'unknownRule' | 'noReason' | 'noDate' | 'dateNotLast'>;
type Fixes = readonly [...Fix[], Fix];

const withoutEffect = 'The object is judged as if the annotation were not there.';

function explainMalformed(fact: Malformed): Omit<Explanation, 'why'> {
  const useless = (what: string, fixes: Fixes) => ({ what: `${what}, so it has no effect`, fixes });
  if (fact.is === 'unknownRule') return useless('no rule has this id', [...renamed(fact), ...removed(fact, 'remove it')]);
  if (fact.is === 'noReason') {
    const what = fact.until === undefined ? 'it gives no reason' : 'no reason stands before "until"';
    return useless(what, [{ text: 'write why, as "<reason> until YYYY-MM-DD"' }]);
  }
  const what = fact.is === 'noDate' ? `${quoted(fact.given)} is not a date` : 'its date does not stand last';
  return useless(what, [rewritten(fact, 'write'), ...removed(fact, 'remove it')]);
}

function renamed({ path, value, meant, isCertain }: Fact<'unknownRule'>): readonly Fix[] {
  if (meant === undefined) return [];
  const under = path.slice(0, -1);
  const operations: readonly PatchOperation[] = [
    { op: 'remove', path },
    { op: 'add', path: [...under, meant], value },
  ];
  return [{ text: `did you mean ${meant}?`, ...editTowards(isCertain, operations) }];
}

const explainNotAllowed = (fact: Fact<'notAllowed'>): Omit<Explanation, 'why'> => {
  const key = fact.by === 'byAnnotation' ? 'exemptions.byAnnotation is never' : `rules.${fact.ruleId}.exemptable is false`;
  return {
    what: `${key} in the configuration, so it has no effect`,
    fixes: removed(fact, 'remove it, or ask for an entry in exemptions.list'),
  };
};

function explainNotEntitled({ ruleId, access, namespace }: Fact<'notEntitled'>): Omit<Explanation, 'why'> {
  if (access === 'unknown')
    return { what: 'whether you may use it could not be asked, so it has no effect', fixes: [{ text: 'try again' }] };
  return {
    what: `you may not use exemptions.portcullis.dev/${ruleId} in ${namespace}, so it has no effect`,
    fixes: [{ text: 'ask for that right, or leave it out' }],
  };
}

const removed = ({ path }: ExemptionFact, text: string): Fixes => [{ text, patch: [{ op: 'remove', path }] }, { text }];

/** For how long something is excused is for a person to say: a new date is only proposed. */
const rewritten = (fact: Fact<'ending' | 'expired' | 'noDate' | 'dateNotLast'>, instruction: string): Fix => ({
  text: `${instruction} ${quoted(fact.corrected)}`,
  ...editTowards(fact.is === 'dateNotLast', [{ op: 'replace', path: fact.path, value: fact.corrected }]),
});
