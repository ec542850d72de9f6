/** One object, one cluster, all rules: findings, and what could not be judged. */
import { type Audience, Elsewhere, everybody } from '../cluster/elsewhere.ts';
import { type Lack, NotKnown, OutOfTime, RecordingView } from '../cluster/recording.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Read } from '../cluster/view.ts';
import { normalize } from '../kube/normalize.ts';
import type { Collection } from '../kube/resources.ts';
import { type Finding, severities } from './finding.ts';
import { applyPatch, asWritten } from './patch.ts';
import { type ConfiguredRule, type Draft, type ExemptionContext, judges, type Subject } from './rule.ts';

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

export interface EvaluateOptions {
  /** Asked before each rule and while it runs: true once there is no time left. */
  readonly outOfTime?: () => boolean;
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

/** Of one rule in one object. Nobody reads more, and whoever may write an object may give it 10,000 ports that lead nowhere. */
const mostFindings = 250;

/** Trying a fix runs the rule again: with so many defects in one object, nobody reads more of them. */
const maxTried = 20;

/** What those runs may find, all together: each finding costs an explanation. */
const mostRetried = 2_000;

/** What every run of a rule in one evaluation has in common. */
interface Run {
  readonly rule: ConfiguredRule;
  readonly subject: Subject;
  readonly options: EvaluateOptions;
  /** Those that have run before it. */
  readonly clean: ReadonlySet<string>;
  /** Of the whole evaluation. */
  readonly trials: Trials;
}

/** What may still be found while fixes are tried. */
interface Trials {
  left: number;
}

const never = (): boolean => false;

export function evaluate(
  subject: Subject,
  cluster: ClusterSnapshot,
  rules: readonly ConfiguredRule[],
  options: EvaluateOptions = {},
): Evaluation {
  const { outOfTime = never } = options;
  const findings: Finding[] = [];
  const skipped: Skip[] = [];
  const faults: Fault[] = [];
  const views = new Map<string, RecordingView>();
  const clean = new Set<string>();
  const trials: Trials = { left: mostRetried };
  for (const rule of inOrder(rules).filter(({ meta }) => judges(meta, subject.object.kind, subject.operation))) {
    const ruleId = rule.meta.id;
    const before = findings.length;
    if (outOfTime()) {
      skipped.push({ ruleId, reason: 'deadline' });
      continue;
    }
    const view = new RecordingView(cluster, outOfTime);
    try {
      const isWhole = collect(run({ rule, subject, options, clean, trials }, view), findings, (draft) => {
        // A clock costs less than an explanation.
        if (findings.length > before && outOfTime()) throw new OutOfTime();
        return settled(draft, { rule, subject, options, clean, trials }, findings.length < maxTried ? cluster : undefined);
      });
      if (!isWhole) skipped.push({ ruleId, reason: 'tooMany' });
      // What a removal or a change would break, a look at what stands does not show.
      if (findings.length === before && rule.meta.judgesDelete !== true && rule.meta.orderClass !== 'destructive') clean.add(ruleId);
    } catch (cause) {
      file(ruleId, cause, skipped, faults);
    }
    views.set(ruleId, view);
  }
  findings.sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  return { findings, skipped, faults, clean, readsOf: (ruleId) => views.get(ruleId)?.reads ?? [] };
}

/** False if there are more than anybody reads. */
function collect(drafts: Iterable<Draft>, findings: Finding[], settle: (draft: Draft) => Finding): boolean {
  let count = 0;
  for (const draft of drafts) {
    if (++count > mostFindings) return false;
    findings.push(settle(draft));
  }
  return true;
}

/** What judges the exemptions from rules comes after the rules. */
const inOrder = (rules: readonly ConfiguredRule[]): readonly ConfiguredRule[] => [
  ...rules.filter(({ meta }) => meta.judgesExemptions !== true),
  ...rules.filter(({ meta }) => meta.judgesExemptions === true),
];

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

function run({ rule, subject, options, clean }: Run, view: RecordingView): Iterable<Draft> {
  const { tellsOfOthers = false, offline = false, isSurvey = false, exemptions } = options;
  const audience = tellsOfOthers ? everybody : options.audience;
  const elsewhere = audience && new Elsewhere(view.known, subject.object.metadata.namespace, audience);
  return rule.check(subject, view, { known: view.known, elsewhere, offline, isSurvey, exemptions: exemptions && { ...exemptions, clean } });
}

/** Keeps the first fix that, tried on the object or beside it, makes the rule content with this field; without a cluster, none is tried. */
function settled(draft: Draft, the: Run, cluster: ClusterSnapshot | undefined): Finding {
  const { fixes, ...finding } = draft;
  const holds = fixes.find(
    (fix) => (fix.patch === undefined && fix.manifest === undefined) || (cluster !== undefined && repairs(fix, draft, the, cluster)),
  );
  const fix = holds ?? (fixes.at(-1) as (typeof fixes)[number]);
  return { ...finding, fix: fix.patch === undefined ? fix : { ...fix, patch: asWritten(fix.patch) } };
}

function repairs({ patch = [], manifest }: Draft['fixes'][number], draft: Draft, the: Run, cluster: ClusterSnapshot): boolean {
  const { subject, trials } = the;
  if (trials.left <= 0) return false;
  const object = applyPatch(subject.object, patch);
  const beside = manifest && normalize(manifest);
  const world = cluster.with([...(subject.operation === 'DELETE' ? [] : [object]), ...(beside === undefined ? [] : [beside])]);
  try {
    const path = JSON.stringify(draft.path);
    for (const other of run({ ...the, subject: { ...subject, object } }, new RecordingView(world, the.options.outOfTime)))
      if (--trials.left <= 0 || the.options.outOfTime?.() || JSON.stringify(other.path) === path) return false;
    return true;
  } catch {
    return false;
  }
}
