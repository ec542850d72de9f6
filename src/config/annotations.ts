/** Annotations that exempt their object from a rule: `exempt.portcullis.dev/<rule-id>: <reason>[ until YYYY-MM-DD]`. */
import { isCertainTypo, nearestWord } from '../cluster/near-miss.ts';
import type { ExemptionFact } from '../engine/exemption-fact.ts';
import type { Access } from '../kube/requester.ts';
import type { Labels } from '../kube/resources.ts';
import { endsWithin, isDate, isOver, noticeDays, renewal } from './dates.ts';
import type { ConfigurationFile } from './schema.ts';

export interface AnnotationSettings {
  readonly byAnnotation: ConfigurationFile['exemptions']['byAnnotation'];
  /** Ids of all rules, those that are off included. */
  readonly known: ReadonlySet<string>;
  /** Ids of rules from which no annotation exempts. */
  readonly notExemptable: ReadonlySet<string>;
}

/** For whom and when annotations are read. */
export interface AnnotationContext {
  readonly namespace: { readonly name: string };
  readonly annotations: Labels;
  readonly now: number;
  /** The rules that run for this write. */
  readonly ruleIds: readonly string[];
  /** By rule id, whether the writer may exempt from it, as far as that was asked. */
  readonly rights: ReadonlyMap<string, Access>;
}

const prefix = 'exempt.portcullis.dev/';
/** Whether an annotation exempts, or is meant to. */
export const isExemption = (key: string): boolean => key.startsWith(prefix);
export const annotationKey = (ruleId: string): string => `${prefix}${ruleId}`;

/**
 * Annotations of 256 KiB, which an API server takes (apimachinery pkg/api/validation/objectmeta.go), can name 9,000 rules that do
 * not exist. Nobody reads more of them than this, and for each a word that is near it is looked for.
 */
const mostUnknown = 10;

/** What each is worth, whoever has the right to it. One for a rule that does not run here is nobody's concern. */
export function annotationFacts(context: AnnotationContext, settings: AnnotationSettings): readonly ExemptionFact[] {
  const all = Object.entries(context.annotations).filter(([key]) => key.startsWith(prefix));
  if (all.length === 0) return [];
  const named = all.map(([key, value]) => ({ ruleId: key.slice(prefix.length), value, path: ['metadata', 'annotations', key] }));
  const running = new Set(context.ruleIds);
  const unknown = named.filter(({ ruleId }) => !settings.known.has(ruleId)).slice(0, mostUnknown);
  return [
    ...named.filter(({ ruleId }) => running.has(ruleId)).map((one) => factOf(one, context, settings)),
    ...unknown.map((one): ExemptionFact => ({ ...one, is: 'unknownRule', ...meantKey(one.ruleId, context, settings) })),
  ];
}

interface Named {
  readonly ruleId: string;
  readonly value: string;
  readonly path: readonly string[];
}

function factOf({ ruleId, value, path }: Named, { now }: AnnotationContext, settings: AnnotationSettings): ExemptionFact {
  const base = { ruleId, path };
  if (settings.byAnnotation === 'never') return { ...base, is: 'notAllowed', by: 'byAnnotation' };
  if (settings.notExemptable.has(ruleId)) return { ...base, is: 'notAllowed', by: 'exemptable' };
  const { reason, until } = parse(value);
  const [date = '', ...behind] = until?.split(' ') ?? [];
  if (isDate(date) && behind.length > 0)
    return { ...base, is: 'dateNotLast', corrected: [reason, ...behind, 'until', date].join(' ').trim() };
  if (reason === '') return { ...base, is: 'noReason', ...(until !== undefined && { until }) };
  if (until === undefined) return { ...base, is: 'effective', reason };
  const corrected = `${reason} until ${renewal(now)}`;
  if (!isDate(until)) return { ...base, is: 'noDate', given: until, corrected };
  if (isOver(until, now)) return { ...base, is: 'expired', until, corrected };
  if (endsWithin(until, noticeDays, now)) return { ...base, is: 'ending', reason, until, corrected };
  return { ...base, is: 'effective', reason, until };
}

/** The same, once it is known that the writer has no right to it, or that this could not be asked. */
export function asEntitled(fact: ExemptionFact, { rights, namespace }: AnnotationContext): ExemptionFact {
  const access = rights.get(fact.ruleId);
  const { ruleId, path } = fact;
  if (access === undefined || access === 'allowed' || (fact.is !== 'effective' && fact.is !== 'ending')) return fact;
  return { ruleId, path, is: 'notEntitled', access, namespace: namespace.name };
}

/** No rule's id is half as long; comparing more would cost. */
const longestId = 100;

function meantKey(ruleId: string, { annotations }: AnnotationContext, { known }: AnnotationSettings) {
  const meant = ruleId.length > longestId ? undefined : nearestWord(ruleId, known);
  if (meant === undefined || annotations[annotationKey(meant)] !== undefined) return { meant: undefined, isCertain: false };
  return { meant: annotationKey(meant), isCertain: isCertainTypo(ruleId, meant, known) };
}

/**
 * Whatever follows the last "until" has to be a date: "until tomorrow" was meant to end, and an exemption that nobody ends
 * is worse than one that asks to be written anew.
 */
function parse(value: string): { readonly reason: string; readonly until?: string } {
  const words = value.trim().split(/\s+/);
  const at = words.lastIndexOf('until');
  if (at === -1) return { reason: words.join(' ') };
  return { reason: words.slice(0, at).join(' '), until: words.slice(at + 1).join(' ') };
}
