/** One object, one cluster, all rules: findings, and what could not be judged. */
import { NotKnown, RecordingView } from '../cluster/recording.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Coverage, Read } from '../cluster/view.ts';
import { normalize } from '../kube/normalize.ts';
import type { Collection } from '../kube/resources.ts';
import { type Finding, severities } from './finding.ts';
import { applyPatch } from './patch.ts';
import type { ConfiguredRule, Draft, Subject } from './rule.ts';

export interface Evaluation {
  /** Gravest first. */
  readonly findings: readonly Finding[];
  readonly skipped: readonly Skip[];
  readonly faults: readonly Fault[];
  /** What each rule looked up, by rule id. */
  readonly reads: ReadonlyMap<string, readonly Read[]>;
}

/** A rule that could not be judged, or not to its end. */
export interface Skip {
  readonly ruleId: string;
  readonly reason: Exclude<Coverage, 'complete'> | 'deadline';
  /** What the view lacks; undefined if time was lacking. */
  readonly missing?: Collection;
  readonly namespace?: string;
}

/** A rule that threw. A fault never denies; it is logged, counted and shown in reports. */
export interface Fault {
  readonly ruleId: string;
  readonly cause: unknown;
}

export interface EvaluateOptions {
  /** Asked before each rule: true once there is no time left. */
  readonly outOfTime?: () => boolean;
  /** Whether texts may tell of namespaces other than the object's. */
  readonly tellsOfOthers?: boolean;
}

const never = (): boolean => false;

export function evaluate(
  subject: Subject,
  cluster: ClusterSnapshot,
  rules: readonly ConfiguredRule[],
  options: EvaluateOptions = {},
): Evaluation {
  const { outOfTime = never, tellsOfOthers = false } = options;
  const findings: Finding[] = [];
  const skipped: Skip[] = [];
  const faults: Fault[] = [];
  const reads = new Map<string, readonly Read[]>();
  for (const rule of rules) {
    const ruleId = rule.meta.id;
    if (!rule.meta.kinds.includes(subject.object.kind) || (subject.operation === 'DELETE' && !rule.meta.judgesDelete)) continue;
    if (outOfTime()) {
      skipped.push({ ruleId, reason: 'deadline' });
      continue;
    }
    const view = new RecordingView(cluster);
    try {
      for (const draft of run(rule, subject, view, tellsOfOthers)) findings.push(settled(draft, rule, subject, cluster, tellsOfOthers));
    } catch (cause) {
      if (cause instanceof NotKnown)
        skipped.push({ ruleId, reason: cause.coverage, missing: cause.collection, namespace: cause.namespace });
      else faults.push({ ruleId, cause });
    }
    reads.set(ruleId, view.reads);
  }
  findings.sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  return { findings, skipped, faults, reads };
}

const run = (rule: ConfiguredRule, subject: Subject, view: RecordingView, tellsOfOthers: boolean): Iterable<Draft> =>
  rule.check(subject, view, { known: view.known, elsewhere: tellsOfOthers ? view.known : undefined });

/** Keeps the first fix that, tried on the object or beside it, makes the rule content with this field. */
function settled(draft: Draft, rule: ConfiguredRule, subject: Subject, cluster: ClusterSnapshot, tellsOfOthers: boolean): Finding {
  const { fixes, ...finding } = draft;
  const holds = fixes.find(
    (fix) => (fix.patch === undefined && fix.manifest === undefined) || repairs(fix, draft, rule, subject, cluster, tellsOfOthers),
  );
  return { ...finding, fix: holds ?? (fixes.at(-1) as (typeof fixes)[number]) };
}

function repairs(
  { patch = [], manifest }: Draft['fixes'][number],
  draft: Draft,
  rule: ConfiguredRule,
  subject: Subject,
  cluster: ClusterSnapshot,
  tellsOfOthers: boolean,
): boolean {
  const object = applyPatch(subject.object, patch);
  const beside = manifest && normalize(manifest);
  const world = cluster.with([...(subject.operation === 'DELETE' ? [] : [object]), ...(beside === undefined ? [] : [beside])]);
  try {
    const remaining = [...run(rule, { ...subject, object }, new RecordingView(world), tellsOfOthers)];
    return !remaining.some((other) => other.messageId === draft.messageId && JSON.stringify(other.path) === JSON.stringify(draft.path));
  } catch {
    return false;
  }
}
