/** Who is exempt from what, why, and until when: by an entry of the configuration, or by an annotation where that may. */
import { matchesAnyGlob } from '../kube/glob.ts';
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
  readonly username: string | undefined;
  readonly now: number;
  /** The rules that run for this write. */
  readonly ruleIds: readonly string[];
}

/** Reasons by rule id, and what to tell of exemptions that have no effect. */
export interface Exemptions {
  readonly reasons: ReadonlyMap<string, string>;
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
    return {
      // The first that speaks for a rule is the one that is quoted.
      reasons: new Map(found.flatMap(({ reasons }) => reasons).toReversed()),
      notices: found.flatMap(({ notice }) => notice ?? []),
    };
  };
}

/** What one entry or annotation comes to: reasons, or a notice why there is none. */
interface Outcome {
  readonly reasons: readonly (readonly [ruleId: string, reason: string])[];
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
      reasons: [],
      notice: `${path} of the configuration (${quote(reason)}) ended on ${until}; renew it with until: ${renewal(now)}, or remove it`,
    };
  const said = `${reason} (configuration${until === undefined ? '' : `, until ${until}`})`;
  return { reasons: concerned.map((id) => [id, said]) };
}

function fromAnnotation(
  ruleId: string,
  value: string,
  { now, ruleIds }: ExemptionContext,
  settings: ExemptionSettings,
): Outcome | undefined {
  const ignored = (why: string): Outcome => ({ reasons: [], notice: `annotation ${annotationPrefix}${ruleId} has no effect: ${why}` });
  if (!settings.known.has(ruleId)) return ignored(`no rule has this id${corrected(ruleId, settings.known)}`);
  if (!ruleIds.includes(ruleId)) return undefined;
  if (settings.byAnnotation !== 'always')
    return ignored(`exemptions.byAnnotation is ${settings.byAnnotation}; ask for an entry in exemptions.list`);
  if (settings.notExemptable.has(ruleId)) return ignored(`rules.${ruleId}.exemptable is false; ask for an entry in exemptions.list`);

  const { reason, until } = parseAnnotation(value);
  const line = (text: string): string => `write ${annotationPrefix}${ruleId}: ${quote(`${text} until ${renewal(now)}`)}`;
  if (reason === '') return ignored(`it gives no reason; ${line('<reason>')}`);
  if (until !== undefined && !isDate(until)) return ignored(`${quote(until)} is not a date; ${line(reason)}`);
  if (until !== undefined && isOver(until, now)) return ignored(`it ended on ${until}; remove it, or ${line(reason)}`);
  return { reasons: [[ruleId, `${reason} (annotation${until === undefined ? '' : `, until ${until}`})`]] };
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
