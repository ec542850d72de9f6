/** Who is exempt from what, why, and until when: by an entry of the configuration, or by an annotation where that may. */
import type { ExemptionFact } from '../engine/exemption-fact.ts';
import type { Labels } from '../kube/resources.ts';
import { type AnnotationContext, type AnnotationSettings, annotationFacts, annotationKey, asEntitled } from './annotations.ts';
import { isOver } from './dates.ts';
import { type EntryContext, endedLine, entryPath, entryTest } from './exemption-entries.ts';
import type { ExemptionEntry } from './schema.ts';

/** Whom exemptions are looked up for. */
export interface ExemptionContext extends AnnotationContext, EntryContext {
  readonly namespace: EntryContext['namespace'];
  /** Those that the object had before this write. */
  readonly annotationsBefore: Labels;
}

export interface Exemption {
  readonly reason: string;
  /** Of findings that were there before this write, and of no others. */
  readonly ofOldOnly: boolean;
}

/** An annotation that has effect only if its writer has the right to it. */
export interface Claim {
  readonly ruleId: string;
  /** This write brings it. One that was there before needs the right for new findings only. */
  readonly isWritten: boolean;
}

/** An entry of the configuration that exempts this object, and the rules from which it does. */
export interface MatchingEntry {
  readonly path: string;
  readonly ruleIds: readonly string[];
}

/** Exemptions by rule id, and what to tell of entries that have no effect. */
export interface Exemptions {
  readonly byRule: ReadonlyMap<string, Exemption>;
  readonly claims: readonly Claim[];
  readonly entries: readonly MatchingEntry[];
  readonly notices: readonly string[];
  /** What annotations are worth, if the object had these. */
  readonly factsOf: (annotations: Labels) => readonly ExemptionFact[];
}

export interface ExemptionSettings extends AnnotationSettings {
  readonly list: readonly ExemptionEntry[];
}

/** Prepares the look-up, so that one write costs no more than the entries and annotations there are. */
export function exemptionFinder(settings: ExemptionSettings): (context: ExemptionContext) => Exemptions {
  const entries = settings.list.map((entry, index) => ({ entry, path: entryPath(index), matches: entryTest(entry) }));
  return (context) => {
    const matching = entries.filter(({ matches }) => matches(context));
    const byEntry = matching.map(({ entry, path }) => fromEntry(entry, path, context));
    const factsOf = (annotations: Labels): readonly ExemptionFact[] =>
      annotationFacts({ ...context, annotations }, settings).map((fact) => asEntitled(fact, context));
    const byAnnotation = annotationFacts(context, settings).map((fact) => fromAnnotation(fact, context, settings));
    const found = [...byEntry, ...byAnnotation].filter((one) => one !== undefined);
    // The first that speaks for a rule is the one that is quoted.
    const byRule = new Map(found.flatMap(({ exempts }) => exempts).toReversed());
    return {
      byRule,
      // Nobody needs a right to what the configuration exempts.
      claims: found.flatMap(({ claim }) => claim ?? []).filter(({ ruleId }) => byRule.get(ruleId)?.ofOldOnly !== false),
      entries: found.flatMap(({ entry }) => entry ?? []),
      notices: found.flatMap(({ notice }) => notice ?? []),
      factsOf,
    };
  };
}

/** What one entry or annotation comes to: exemptions, or a notice why there are none. */
interface Outcome {
  readonly exempts: readonly (readonly [ruleId: string, exemption: Exemption])[];
  readonly claim?: Claim;
  readonly entry?: MatchingEntry;
  readonly notice?: string;
}

function fromEntry(entry: ExemptionEntry, path: string, { now, ruleIds }: ExemptionContext): Outcome | undefined {
  const { rules, reason, until } = entry;
  const concerned = rules.includes('*') ? ruleIds : ruleIds.filter((id) => rules.includes(id));
  if (concerned.length === 0) return undefined;
  if (until !== undefined && isOver(until, now)) return { exempts: [], notice: endedLine(entry, path, now) };
  const said = `${reason} (configuration${until === undefined ? '' : `, until ${until}`})`;
  return { exempts: concerned.map((id) => [id, { reason: said, ofOldOnly: false }]), entry: { path, ruleIds: concerned } };
}

/**
 * Where annotations have to be permitted, they are claims. In files nobody writes whose right could be asked for: what stands
 * there counts, and is asked for when it is applied.
 */
function fromAnnotation(fact: ExemptionFact, context: ExemptionContext, settings: ExemptionSettings): Outcome | undefined {
  if (fact.is !== 'effective' && fact.is !== 'ending') return undefined;
  const { ruleId, reason: given, until } = fact;
  const { annotations, annotationsBefore, username, rights } = context;
  const reason = `${given} (annotation${until === undefined ? '' : `, until ${until}`})`;
  if (settings.byAnnotation === 'always' || username === undefined || rights.get(ruleId) === 'allowed')
    return { exempts: [[ruleId, { reason, ofOldOnly: false }]] };
  const key = annotationKey(ruleId);
  const claim = { ruleId, isWritten: annotationsBefore[key] !== annotations[key] };
  return { exempts: claim.isWritten ? [] : [[ruleId, { reason, ofOldOnly: true }]], claim };
}
