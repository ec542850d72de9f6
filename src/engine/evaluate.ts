/** One object, one cluster, all rules: findings, and what could not be judged. */
import { type Audience, Elsewhere, everybody } from '../cluster/elsewhere.ts';
import { type Lack, NotKnown, OutOfTime, RecordingView } from '../cluster/recording.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Read } from '../cluster/view.ts';
import type { Collection } from '../kube/resources.ts';
import { Explaining } from './explain.ts';
import { type Finding, severities } from './finding.ts';
import { type ConfiguredRule, type Draft, type ExemptionContext, judges, type Subject } from './rule.ts';
import { type Timing, turns } from './turns.ts';

export interface Evaluation {
  /** Gravest first. */
  readonly findings: readonly Finding[];
  readonly skipped: readonly Skip[];
  readonly faults: readonly Fault[];
  /** Ids of the rules that came to their end, have found nothing, and would find nothing in a removal. */
  readonly clean: ReadonlySet<string>;
  /** What a rule looked up. */
  readonly readsOf: (ruleId: string) => readonly Read[];
}

/** A rule that could not be judged, or not to its end. */
export interface Skip {
  readonly ruleId: string;
  /** `tooNew`: what the object lacks may still be on its way; only audits wait for it. */
  readonly reason: Lack | 'deadline' | 'tooMany' | 'tooNew';
  /** What the view lacks; undefined if time was lacking. */
  readonly missing?: Collection;
  readonly namespace?: string;
  /** Where a part of the collection is missing: which, as `statefulsets.apps`. */
  readonly resources?: readonly string[];
  /** Of what is too new: when it is not any more, in epoch milliseconds. */
  readonly untilMs?: number;
}

/** A rule that threw. A fault never denies; it is logged, counted and shown in reports. */
export interface Fault {
  readonly ruleId: string;
  readonly cause: unknown;
}

export interface EvaluateOptions extends Timing {
  /** Texts may tell everything of namespaces other than the object's. */
  readonly tellsOfOthers?: boolean;
  /** Otherwise, what this reader may list there; nothing, if left out. */
  readonly audience?: Audience;
  /** The objects come from files: no API server has validated them. */
  readonly offline?: boolean;
  /** The object stands as it is, and nobody writes. */
  readonly isSurvey?: boolean;
  /** For the rule about exemptions. */
  readonly exemptions?: Pick<ExemptionContext, 'factsOf' | 'isSurvey'> | undefined;
}

/** With one message of one rule. Nobody reads more, and whoever may write an object may give it 10,000 ports that lead nowhere. */
const mostFindings = 250;

/** What came of a rule. */
interface Outcome {
  readonly drafts: readonly Draft[];
  readonly view: RecordingView;
  readonly skips: readonly Skip[];
  readonly faults: readonly Fault[];
}

/** What every run of a rule in one evaluation has in common. */
interface Run {
  readonly subject: Subject;
  readonly options: EvaluateOptions;
  /** Ids of those that have run before and found nothing. */
  readonly clean: ReadonlySet<string>;
}

/** First all rules detect, then is told what they have found: an explanation may cost more than what it explains. */
export function evaluate(
  subject: Subject,
  cluster: ClusterSnapshot,
  rules: readonly ConfiguredRule[],
  options: EvaluateOptions = {},
): Evaluation {
  const concerned = rules.filter(({ meta }) => judges(meta, subject.object.kind, subject.operation));
  const clean = new Set<string>();
  const the: Run = { subject, options, clean };
  const outcomes = new Map<ConfiguredRule, Outcome>();
  for (const { rule, outOfTime } of turns(concerned, options, (one) => isCut(outcomes.get(one)))) {
    const outcome = detect(rule, the, new RecordingView(cluster, outOfTime, true), outOfTime);
    const before = outcomes.get(rule);
    // One that began anew and had less time the second time.
    if (before !== undefined && isCut(outcome) && outcome.drafts.length < before.drafts.length) continue;
    outcomes.set(rule, outcome);
    if (isClean(rule, outcome)) clean.add(rule.meta.id);
  }
  return told(concerned, outcomes, the, cluster);
}

const isCut = (outcome: Outcome | undefined): boolean => outcome?.skips.some(({ reason }) => reason === 'deadline') === true;

/** What a removal or a change would break, a look at what stands does not show. */
const isClean = ({ meta }: ConfiguredRule, { drafts, skips, faults }: Outcome): boolean =>
  drafts.length + skips.length + faults.length === 0 && meta.judgesDelete !== true && meta.orderClass !== 'destructive';

function detect(rule: ConfiguredRule, the: Run, view: RecordingView, outOfTime: () => boolean): Outcome {
  const ruleId = rule.meta.id;
  const drafts: Draft[] = [];
  const skips: Skip[] = [];
  const faults: Fault[] = [];
  try {
    if (outOfTime()) throw new OutOfTime();
    if (!collect(standing(run(rule, the, view), view), drafts, outOfTime)) skips.push({ ruleId, reason: 'tooMany' });
  } catch (cause) {
    file(ruleId, cause, skips, faults);
  }
  return { drafts, view, skips, faults };
}

/** False if there are more than anybody reads: of each message, since a mild one must not hide a grave one. */
function collect(all: Iterable<Draft>, drafts: Draft[], outOfTime: () => boolean): boolean {
  const counts = new Map<string, number>();
  let isWhole = true;
  for (const draft of all) {
    // Also of a rule that takes no steps.
    if (drafts.length > 0 && outOfTime()) throw new OutOfTime();
    const count = (counts.get(draft.messageId) ?? 0) + 1;
    counts.set(draft.messageId, count);
    if (count <= mostFindings) drafts.push(draft);
    else isWhole = false;
  }
  return isWhole;
}

/** Those that were found first are told first; of rules that refuse fixes are tried before all others. */
function told(
  concerned: readonly ConfiguredRule[],
  outcomes: ReadonlyMap<ConfiguredRule, Outcome>,
  the: Run,
  cluster: ClusterSnapshot,
): Evaluation {
  const outOfTime = (): boolean => (the.options.timeLeft?.() ?? 1) <= 0;
  const byId = new Map(concerned.map((rule) => [rule.meta.id, rule]));
  const explaining = new Explaining({
    subject: the.subject,
    cluster,
    outOfTime,
    rerun: (ruleId, object, world, isOver) =>
      run(byId.get(ruleId) as ConfiguredRule, { ...the, subject: { ...the.subject, object } }, new RecordingView(world, isOver, true)),
  });
  const explained = new Map(
    Array.from(outcomes, ([rule, outcome]) => [
      rule,
      explain(rule, outcome, explaining, () => the.options.mayDeny?.(rule) !== true && outOfTime()),
    ]),
  );
  const inOrder = concerned.flatMap((rule) => explained.get(rule) ?? []);
  const findings = inOrder
    .flatMap((one) => one.findings)
    .toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  const viewOf = (ruleId: string): RecordingView | undefined => outcomes.get(byId.get(ruleId) as ConfiguredRule)?.view;
  return {
    findings,
    skipped: inOrder.flatMap((one) => one.skips),
    faults: inOrder.flatMap((one) => one.faults),
    clean: the.clean,
    readsOf: (ruleId) => viewOf(ruleId)?.reads ?? [],
  };
}

/** Where no time is left, only what may refuse is told to its end. A text that fails takes those after it with it, as a check does. */
function explain(rule: ConfiguredRule, { drafts, skips, faults }: Outcome, explaining: Explaining, isOver: () => boolean) {
  const findings: Finding[] = [];
  const late: { skips: Skip[]; faults: Fault[] } = { skips: [], faults: [] };
  try {
    for (const draft of drafts) {
      if (findings.length > 0 && isOver()) throw new OutOfTime();
      findings.push(explaining.finding(draft));
    }
  } catch (cause) {
    file(rule.meta.id, cause, late.skips, late.faults);
  }
  return { findings, skips: skips.length > 0 ? skips : late.skips, faults: [...faults, ...late.faults] };
}

/** Without those that rest on what may be there all the same; they make a skip of the rule once the others are told. */
function* standing(drafts: Iterable<Draft>, view: RecordingView): Iterable<Draft> {
  let doubted = false;
  for (const draft of drafts)
    if (view.doubt === undefined || draft.isEvident) yield draft;
    else doubted = true;
  if (doubted) throw view.doubt;
}

function file(ruleId: string, cause: unknown, skipped: Skip[], faults: Fault[]): void {
  const skip = skipFor(ruleId, cause);
  if (skip === undefined) faults.push({ ruleId, cause });
  else skipped.push(skip);
}

function skipFor(ruleId: string, cause: unknown): Skip | undefined {
  if (cause instanceof OutOfTime) return { ruleId, reason: 'deadline' };
  if (!(cause instanceof NotKnown)) return undefined;
  return { ruleId, reason: cause.coverage, missing: cause.collection, namespace: cause.namespace };
}

function run(rule: ConfiguredRule, { subject, options, clean }: Run, view: RecordingView): Iterable<Draft> {
  const { tellsOfOthers = false, offline = false, isSurvey = false, exemptions } = options;
  const audience = tellsOfOthers ? everybody : options.audience;
  const elsewhere = audience && new Elsewhere(view.known, subject.object.metadata.namespace, audience);
  return rule.check(subject, view, { known: view.known, elsewhere, offline, isSurvey, exemptions: exemptions && { ...exemptions, clean } });
}
