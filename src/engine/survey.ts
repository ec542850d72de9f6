/** Every judged object of a snapshot, as it stands, with nobody writing: for `check` now, for audits later. */
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Found, Read } from '../cluster/view.ts';
import { eachOnce, type Wanted } from '../cluster/wanted.ts';
import { type Collection, type JudgedResource, judgedKinds, type ObjectRef } from '../kube/resources.ts';
import { type EvaluateOptions, evaluate, type Fault, type Skip } from './evaluate.ts';
import type { Finding } from './finding.ts';
import type { Mode } from './mode.ts';
import { exemptionsOf, type Settings } from './review.ts';
import type { ConfiguredRule, Message } from './rule.ts';

/** Settings bound to one object, and the rules that judge it. */
interface SurveySettings extends Settings {
  readonly rules: readonly ConfiguredRule[];
  /** What the settings have to say themselves: an entry that has expired. */
  readonly notices: readonly string[];
  /** Entries of the configuration that exempt the object, by their path, and the rules from which they do. */
  readonly entries: readonly { readonly path: string; readonly ruleIds: readonly string[] }[];
}

export interface SurveyOptions extends Omit<EvaluateOptions, 'exemptions' | 'isSurvey'> {
  readonly bind: (object: JudgedResource) => SurveySettings;
  /** Reads what is never listed (Secrets), by `formatRef`. */
  readonly readByName?: (refs: readonly ObjectRef[]) => Promise<ReadonlyMap<string, Found>>;
  /** Leaves objects out; they are still there for the others. */
  readonly judges?: (object: JudgedResource) => boolean;
}

/** What was found in one object. */
export interface Surveyed {
  readonly object: JudgedResource;
  /** Ids of the rules that judge it, also of those that did not come to an end. */
  readonly ran: readonly string[];
  /** Gravest first. */
  readonly findings: readonly { readonly finding: Finding; readonly mode: Exclude<Mode, 'off'> }[];
  readonly exempted: readonly { readonly finding: Finding; readonly reason: string }[];
  readonly skipped: readonly Skip[];
  readonly faults: readonly Fault[];
  readonly notices: readonly string[];
  /** Paths of the entries of the configuration that exempt from something here, or may: from a rule that is not done with the object. */
  readonly entries: readonly string[];
  /** What the rules looked up, whether or not they found it; the same may stand there more than once. */
  readonly reads: readonly Read[];
}

/** Lazy: nothing is evaluated before it is asked for. The same snapshot and options give the same, in the same order. */
export async function* survey(snapshot: ClusterSnapshot, options: SurveyOptions): AsyncGenerator<Surveyed, void, undefined> {
  const { judges = () => true } = options;
  for (const kind of judgedKinds)
    for (const object of snapshot.listAll(kind)) if (judges(object)) yield await surveyOne(object, snapshot, options);
}

/** The same of one object, which is in the snapshot. */
export async function surveyOne(
  object: JudgedResource,
  snapshot: ClusterSnapshot,
  { bind, readByName, ...evaluation }: Omit<SurveyOptions, 'judges'>,
): Promise<Surveyed> {
  const settings = bind(object);
  const refs = refsToRead(object, settings.rules, snapshot);
  const fetched = refs.length > 0 && readByName !== undefined ? await readByName(refs) : undefined;
  const cluster = fetched === undefined ? snapshot : snapshot.knowing({ fetched });
  const subject = { object, operation: 'WRITE', before: undefined } as const;
  const exemptions = exemptionsOf(settings, true);
  const { findings, skipped, faults, clean, readsOf } = evaluate(subject, cluster, settings.rules, {
    ...evaluation,
    isSurvey: true,
    exemptions,
  });
  const reads = [...refs.map(readOf), ...settings.rules.flatMap(({ meta }) => readsOf(meta.id))];
  const ran = settings.rules.filter(({ meta }) => meta.kinds.includes(object.kind)).map(({ meta }) => meta.id);
  const entries = settings.entries.filter(({ ruleIds }) => !ruleIds.every((id) => clean.has(id))).map(({ path }) => path);
  return { object, ran, ...sorted(findings, settings), skipped, faults, notices: settings.notices, entries, reads };
}

const readOf = ({ kind, namespace, name }: ObjectRef): Read => ({ collection: kind as Collection, namespace, name });

/** Each once, whichever rules ask for it. */
function refsToRead(object: JudgedResource, rules: readonly ConfiguredRule[], snapshot: ClusterSnapshot): readonly Wanted[] {
  const concerned = rules.filter(({ meta }) => meta.kinds.includes(object.kind));
  return eachOnce(concerned.flatMap((rule) => rule.fetches(object, snapshot)));
}

function sorted(all: readonly Finding[], settings: SurveySettings): Pick<Surveyed, 'findings' | 'exempted'> {
  const byId = new Map(settings.rules.map((rule) => [rule.meta.id, rule]));
  const findings: Surveyed['findings'][number][] = [];
  const exempted: Surveyed['exempted'][number][] = [];
  for (const finding of all) {
    const message = byId.get(finding.ruleId)?.messages[finding.messageId] as Message<unknown>;
    const mode = settings.modeOf(finding, message);
    if (mode === 'off') continue;
    const reason = settings.exemptionOf(finding, false);
    if (reason === undefined) findings.push({ finding, mode });
    else exempted.push({ finding, reason });
  }
  return { findings, exempted };
}
