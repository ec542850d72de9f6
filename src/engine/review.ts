/** A write → a decision: ratchet, modes, exemptions, dry-runs. */
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Read } from '../cluster/view.ts';
import { isClusterWide } from '../kube/collections.ts';
import type { JudgedResource } from '../kube/resources.ts';
import { type EvaluateOptions, type Evaluation, evaluate, type Fault, type Skip } from './evaluate.ts';
import type { ExemptionFact } from './exemption-fact.ts';
import type { Finding } from './finding.ts';
import type { Mode } from './mode.ts';
import { type ConfiguredRule, type Message, type OrderClass, waitsForOthers } from './rule.ts';
import { partOf } from './turns.ts';

/** Something that the API server is asked to persist. */
export type Write =
  | { readonly operation: 'CREATE'; readonly after: JudgedResource; readonly dryRun: boolean }
  | { readonly operation: 'UPDATE'; readonly before: JudgedResource; readonly after: JudgedResource; readonly dryRun: boolean }
  | { readonly operation: 'DELETE'; readonly before: JudgedResource; readonly dryRun: boolean };

/** Bound to one write: its namespace's labels, its object's annotations, its user. */
export interface Settings {
  modeOf(finding: Pick<Finding, 'ruleId'>, message: Message<unknown>): Mode;
  /** Why this finding is let through, or undefined if it is not exempt. `isNew`: the object did not have it before this write. */
  exemptionOf(finding: Finding, isNew: boolean): string | undefined;
  /** What an object's annotations that exempt are worth; left out where nothing is told of them. */
  factsOf?(object: JudgedResource): readonly ExemptionFact[];
}

export const exemptionsOf = ({ factsOf }: Settings, isSurvey: boolean): EvaluateOptions['exemptions'] => factsOf && { factsOf, isSurvey };

export interface Decision {
  readonly allowed: boolean;
  readonly denials: readonly Finding[];
  readonly warnings: readonly Warning[];
  readonly audited: readonly Finding[];
  readonly exempted: readonly { readonly finding: Finding; readonly reason: string }[];
  readonly skipped: readonly Skip[];
  readonly faults: readonly Fault[];
  /** By denying rule, what must be read live before its denials stand; rules that looked nothing up are not in it. */
  readonly toConfirm: ReadonlyMap<string, readonly Read[]>;
}

/** Why a finding that its mode would deny is a warning, where that is so. */
export interface Warning {
  readonly finding: Finding;
  readonly softened?: 'ratcheted' | 'dry-run' | 'unconfirmed' | 'owned';
}

export interface ReviewOptions extends Omit<EvaluateOptions, 'exemptions' | 'mayDeny'> {
  readonly settings: Settings;
}

/**
 * Decides one write. A defect that the object had before this write never denies it: otherwise nobody could repair,
 * label or scale an object that was already wrong when a rule was switched on.
 */
export function review(
  write: Write,
  cluster: ClusterSnapshot,
  rules: readonly ConfiguredRule[],
  { settings, ...given }: ReviewOptions,
): Decision {
  const mayDeny = ({ meta, messages }: ConfiguredRule): boolean =>
    Object.values(messages).some((message) => settings.modeOf({ ruleId: meta.id }, message) === 'deny');
  const options = { ...given, mayDeny, exemptions: exemptionsOf(settings, false) };
  // What cannot be judged as it was before denies nothing: that look must have its time.
  const share = write.operation === 'UPDATE' ? partOf(given, 0.5) : {};
  const now = afterWrite(write, cluster, rules, { ...options, ...share });
  const earlier = write.operation === 'UPDATE' && now.findings.length > 0 ? earlierDefects(write, cluster, rules, now, options) : undefined;
  const byId = new Map(rules.map((rule) => [rule.meta.id, rule]));

  const decided: Decided = { denials: [], warnings: [], audited: [], exempted: [] };
  for (const finding of now.findings) {
    const rule = byId.get(finding.ruleId) as ConfiguredRule;
    const message = rule.messages[finding.messageId] as Message<unknown>;
    const mode = settings.modeOf(finding, message);
    const reason = mode === 'off' ? undefined : settings.exemptionOf(finding, !earlier?.covers(finding));
    if (reason !== undefined) decided.exempted.push({ finding, reason });
    else if (mode === 'deny') file(finding, softening(), decided);
    else if (mode === 'warn') decided.warnings.push({ finding });
    else if (mode === 'audit') decided.audited.push(finding);

    function softening(): Warning['softened'] {
      if (earlier?.covers(finding)) return 'ratcheted';
      if (isOwned(write) && waitsForOthers(rule.meta.orderClass)) return 'owned';
      return write.dryRun && softensOnDryRun(rule.meta.orderClass, message) ? 'dry-run' : undefined;
    }
  }
  const denying = [...new Set(decided.denials.map(({ ruleId }) => byId.get(ruleId) as ConfiguredRule))];
  const looks = denying.map((rule) => [rule.meta.id, readsToConfirm(rule, now, cluster)] as const);
  const toConfirm = new Map(looks.filter(([, reads]) => reads.length > 0));
  return { ...decided, allowed: decided.denials.length === 0, skipped: now.skipped, faults: now.faults, toConfirm };
}

interface Decided {
  readonly denials: Finding[];
  readonly warnings: Warning[];
  readonly audited: Finding[];
  readonly exempted: { finding: Finding; reason: string }[];
}

/** A finding that its mode denies: a denial, or a warning where something softens it. */
function file(finding: Finding, softened: Warning['softened'], { denials, warnings }: Decided): void {
  if (softened === undefined) denials.push(finding);
  else warnings.push({ finding, softened });
}

function afterWrite(write: Write, cluster: ClusterSnapshot, rules: readonly ConfiguredRule[], options: EvaluateOptions): Evaluation {
  // Most rules never ask for it. The view of the watch may lag behind the object that is removed or replaced.
  let made: ClusterSnapshot | undefined;
  const before = (): ClusterSnapshot => {
    made ??= write.operation === 'CREATE' ? cluster.without([write.after]) : cluster.with([write.before]);
    return made;
  };
  if (write.operation === 'DELETE')
    return evaluate({ object: write.before, operation: 'DELETE', before }, cluster.without([write.before]), rules, options);
  return evaluate({ object: write.after, operation: 'WRITE', before }, cluster.with([write.after]), rules, options);
}

/** What was wrong with the object before. A rule that could not be judged then denies nothing now. */
function earlierDefects(
  { before }: Write & { operation: 'UPDATE' },
  cluster: ClusterSnapshot,
  rules: readonly ConfiguredRule[],
  now: Evaluation,
  options: EvaluateOptions,
) {
  const found = new Set(now.findings.map(({ ruleId }) => ruleId));
  const concerned = rules.filter(({ meta }) => found.has(meta.id));
  const judged = (object: JudgedResource, by: readonly ConfiguredRule[]): Covers =>
    coverOf(evaluate({ object, operation: 'WRITE', before: undefined }, cluster.with([object]), by, options));
  const asItWas = judged(before, concerned);
  const made = new Map<string, Covers>();
  const otherwise = (finding: Finding): boolean => {
    const rule = concerned.find(({ meta }) => meta.id === finding.ruleId);
    const object = rule?.otherwise?.(before);
    if (rule === undefined || object === undefined) return false;
    const covers = made.get(finding.ruleId) ?? judged(object, [rule]);
    made.set(finding.ruleId, covers);
    return covers(finding);
  };
  return { covers: (finding: Finding): boolean => asItWas(finding) || otherwise(finding) };
}

/** Whether all that a finding consists of was there. */
type Covers = (finding: Finding) => boolean;

function coverOf({ skipped, faults, findings }: Evaluation): Covers {
  const unjudged = new Set([...skipped, ...faults].map(({ ruleId }) => ruleId));
  const defects = new Set(findings.flatMap((finding) => finding.defects));
  return (finding) => unjudged.has(finding.ruleId) || finding.defects.every((defect) => defects.has(defect));
}

/**
 * Made by a controller, which brings the rest in its own order and cannot read a denial: refused a Service, an operator
 * would never come to make the Pods that it waits for (rules.md D.3, 26).
 */
const isOwned = (write: Write): boolean => write.operation !== 'DELETE' && write.after.metadata.owner !== undefined;

/** Flux dry-runs a whole stage before it applies anything: what stands in the same stage is missing (rules.md B). */
const softensOnDryRun = (
  orderClass: OrderClass,
  { deniesDryRun = orderClass === 'self-contained' || orderClass === 'exclusive' }: Message<unknown>,
): boolean => !deniesDryRun;

/** Older than this, a collection on which denials need not be confirmed has to be read all the same (reliability.md D5), in milliseconds. */
const stale = 10_000;

function readsToConfirm({ meta }: ConfiguredRule, { readsOf }: Evaluation, cluster: ClusterSnapshot): readonly Read[] {
  const reads = readsOf(meta.id);
  // What was looked for everywhere, and found, was then looked up by its name: that it is there is what is confirmed.
  const found = new Set(reads.filter(({ name }) => name !== undefined).map(({ collection }) => collection));
  const isSearch = ({ collection, namespace }: Read): boolean => namespace === '*' && !isClusterWide(collection) && found.has(collection);
  const rests = ({ collection }: Read): boolean => (meta.confirms?.includes(collection) ?? true) || cluster.staleMs(collection) > stale;
  return reads.filter((read) => rests(read) && !isSearch(read));
}

/**
 * The decision after the live look. `second` is the review of the rules to confirm on what was just read: what it denies
 * stands, what it does not is refuted. Undefined: the look failed, and what rests on the cluster's state only warns.
 */
export function afterLiveLook(first: Decision, second: Decision | undefined): Decision {
  const sure = first.denials.filter(({ ruleId }) => !first.toConfirm.has(ruleId));
  const unsure = first.denials.filter(({ ruleId }) => first.toConfirm.has(ruleId));
  const denials = [...sure, ...(second?.denials ?? [])];
  const unconfirmed = second === undefined ? unsure.map((finding): Warning => ({ finding, softened: 'unconfirmed' })) : [];
  return { ...first, allowed: denials.length === 0, denials, warnings: [...unconfirmed, ...first.warnings], toConfirm: new Map() };
}
