/** Who is exempt from what, why, and until when: by an entry of the configuration, or by an annotation where that may. */
import { matchesAnyGlob } from '../kube/glob.ts';
import type { Access } from '../kube/requester.ts';
import type { Labels } from '../kube/resources.ts';
import { daysAfter, isDate, isOver } from './dates.ts';
import { type NamespaceFacts, namespaceTest } from './namespaces.ts';
import { didYouMean } from './problems.ts';
import type { ConfigurationFile, ExemptionEntry } from './schema.ts';

const annotationPrefix = 'exempt.portcullis.dev/';

/** Whom exemptions are looked up for. */
export interface ExemptionContext {
  readonly namespace: NamespaceFacts;
  readonly name: string;
  readonly annotations: Labels;
  /** Those that the object had before this write. */
  readonly annotationsBefore: Labels;
  readonly username: string | undefined;
  readonly now: number;
  /** The rules that run for this write. */
  readonly ruleIds: readonly string[];
  /** By rule id, whether the writer may exempt from it, as far as that was asked. */
  readonly rights: ReadonlyMap<string, Access>;
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

/** Exemptions by rule id, and what to tell of those that have no effect. */
export interface Exemptions {
  readonly byRule: ReadonlyMap<string, Exemption>;
  readonly claims: readonly Claim[];
  readonly notices: readonly string[];
}

export interface ExemptionSettings {
  readonly byAnnotation: ConfigurationFile['exemptions']['byAnnotation'];
  readonly list: readonly ExemptionEntry[];
  /** Ids of all rules, those that are off included. */
  readonly known: ReadonlySet<string>;
  /** Ids of rules from which no annotation exempts. */
  readonly notExemptable: ReadonlySet<string>;
}

/** Prepares the look-up, so that one write costs no more than the entries and annotations there are. */
export function exemptionFinder(settings: ExemptionSettings): (context: ExemptionContext) => Exemptions {
  const entries = settings.list.map((entry, index) => ({ entry, path: `exemptions.list[${index}]`, matches: entryTest(entry) }));
  return (context) => {
    const matching = entries.filter(({ matches }) => matches(context));
    const byEntry = matching.map(({ entry, path }) => fromEntry(entry, path, context));
    const byAnnotation = Object.entries(context.annotations)
      .filter(([key]) => key.startsWith(annotationPrefix))
      .map(([key, value]) => fromAnnotation(key.slice(annotationPrefix.length), value, context, settings));
    const found = [...byEntry, ...byAnnotation].filter((one) => one !== undefined);
    // The first that speaks for a rule is the one that is quoted.
    const byRule = new Map(found.flatMap(({ exempts }) => exempts).toReversed());
    // Nobody needs a right to what the configuration exempts.
    const claims = found.flatMap(({ claim }) => claim ?? []).filter(({ ruleId }) => byRule.get(ruleId)?.ofOldOnly !== false);
    return {
      byRule,
      claims,
      notices: [...found.flatMap(({ notice }) => notice ?? []), ...refusals(claims, context)],
    };
  };
}

/** What one entry or annotation comes to: exemptions, or a notice why there are none. */
interface Outcome {
  readonly exempts: readonly (readonly [ruleId: string, exemption: Exemption])[];
  readonly claim?: Claim;
  readonly notice?: string;
}

function entryTest(entry: ExemptionEntry): (context: ExemptionContext) => boolean {
  const { names, users } = entry;
  const inNamespace = namespaceTest(entry);
  return ({ namespace, name, username }) =>
    inNamespace(namespace) &&
    (names === undefined || matchesAnyGlob(names, name)) &&
    (users === undefined || (username !== undefined && users.includes(username)));
}

function fromEntry({ rules, reason, until }: ExemptionEntry, path: string, { now, ruleIds }: ExemptionContext): Outcome | undefined {
  const concerned = rules.includes('*') ? ruleIds : ruleIds.filter((id) => rules.includes(id));
  if (concerned.length === 0) return undefined;
  if (until !== undefined && isOver(until, now))
    return {
      exempts: [],
      notice: `${path} of the configuration (${quote(reason)}) ended on ${until}; renew it with until: ${renewal(now)}, or remove it`,
    };
  const said = `${reason} (configuration${until === undefined ? '' : `, until ${until}`})`;
  return { exempts: concerned.map((id) => [id, { reason: said, ofOldOnly: false }]) };
}

function fromAnnotation(ruleId: string, value: string, context: ExemptionContext, settings: ExemptionSettings): Outcome | undefined {
  const { now, ruleIds } = context;
  const ignored = (why: string): Outcome => ({ exempts: [], notice: noEffect(ruleId, why) });
  if (!settings.known.has(ruleId)) return ignored(`no rule has this id${corrected(ruleId, settings.known)}`);
  if (!ruleIds.includes(ruleId)) return undefined;
  if (settings.byAnnotation === 'never') return ignored('exemptions.byAnnotation is never; ask for an entry in exemptions.list');
  if (settings.notExemptable.has(ruleId)) return ignored(`rules.${ruleId}.exemptable is false; ask for an entry in exemptions.list`);

  const { reason, until } = parseAnnotation(value);
  const line = (text: string): string => `write ${annotationPrefix}${ruleId}: ${quote(`${text} until ${renewal(now)}`)}`;
  if (reason === '') return ignored(`it gives no reason; ${line('<reason>')}`);
  if (until !== undefined && !isDate(until)) return ignored(`${quote(until)} is not a date; ${line(reason)}`);
  if (until !== undefined && isOver(until, now)) return ignored(`it ended on ${until}; remove it, or ${line(reason)}`);
  const said = `${reason} (annotation${until === undefined ? '' : `, until ${until}`})`;
  return settings.byAnnotation === 'always' ? { exempts: [[ruleId, { reason: said, ofOldOnly: false }]] } : claimed(ruleId, said, context);
}

const noEffect = (ruleId: string, why: string, more = 0): string =>
  `annotation ${annotationPrefix}${ruleId}${more === 0 ? '' : ` (and ${more} more)`} has no effect: ${why}`;

/**
 * Where annotations have to be permitted. In files nobody writes whose right could be asked for: what stands there counts,
 * and is asked for when it is applied.
 */
function claimed(ruleId: string, reason: string, { annotations, annotationsBefore, username, rights }: ExemptionContext): Outcome {
  if (username === undefined || rights.get(ruleId) === 'allowed') return { exempts: [[ruleId, { reason, ofOldOnly: false }]] };
  const key = `${annotationPrefix}${ruleId}`;
  const claim = { ruleId, isWritten: annotationsBefore[key] !== annotations[key] };
  return { exempts: claim.isWritten ? [] : [[ruleId, { reason, ofOldOnly: true }]], claim };
}

/** One line for all annotations that the writer has no right to, and one for those of which that is not known. */
function refusals(claims: readonly Claim[], { namespace, rights }: ExemptionContext): readonly string[] {
  const line = (access: Access, why: (ruleId: string) => string): readonly string[] => {
    const [first, ...others] = claims.filter(({ ruleId }) => rights.get(ruleId) === access).map(({ ruleId }) => ruleId);
    return first === undefined ? [] : [noEffect(first, why(first), others.length)];
  };
  return [
    ...line('denied', (id) => `you may not use exemptions.portcullis.dev/${id} in ${namespace.name}; ask for that right`),
    ...line('unknown', () => 'whether you may use it could not be asked; try again'),
  ];
}

function corrected(word: string, known: ReadonlySet<string>): string {
  return didYouMean(word, [...known]) || '; remove it';
}

/**
 * `<reason>[ until YYYY-MM-DD]`. Whatever follows the last "until" has to be a date: "until tomorrow" was meant to end,
 * and an exemption that nobody ends is worse than one that asks to be written anew.
 */
function parseAnnotation(value: string): { readonly reason: string; readonly until?: string } {
  const words = value.trim().split(/\s+/);
  const at = words.lastIndexOf('until');
  if (at === -1) return { reason: words.join(' ') };
  return { reason: words.slice(0, at).join(' '), until: words.slice(at + 1).join(' ') };
}

/** What a corrected line proposes: a season from now. */
const renewal = (now: number): string => daysAfter(now, 90);

const longestQuote = 60;

/** In double quotes, on one line, and short: the text is its writer's, and may be anything. */
function quote(text: string): string {
  const runes = Array.from(text);
  return JSON.stringify(runes.length > longestQuote ? `${runes.slice(0, longestQuote).join('')}…` : text);
}
