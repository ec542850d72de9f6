/** Runs a rule on a case of its table, without a test around it: tests and documentation need both. */
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { annotationFacts } from '../../src/config/annotations.ts';
import type { ConfigurationFile } from '../../src/config/schema.ts';
import { type Evaluation, evaluate } from '../../src/engine/evaluate.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { Mode } from '../../src/engine/mode.ts';
import { type Decision, review, type Settings, type Write } from '../../src/engine/review.ts';
import type { ConfiguredRule, Message, Rule, Subject } from '../../src/engine/rule.ts';
import { isJudged } from '../../src/kube/collections.ts';
import { formatPath } from '../../src/kube/field-path.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { formatRef, type JudgedResource, type ObjectRef, type RawObject, type Resource, refOf } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { withContent } from '../../src/sources/secret-content.ts';
import type { RuleCase } from './rule-table.ts';

/** When it is for every case, in epoch milliseconds. */
const today = Date.UTC(2026, 10, 21);

/** What the rule finds, on frozen objects. */
export function judge(rule: Rule, one: RuleCase): Evaluation {
  const configured = configure(rule, one);
  const { subject, cluster } = worldOf(configured, one);
  const exemptions = { factsOf: factsOf(rule, one), isSurvey: one.survey };
  const options = { tellsOfOthers: one.privacy === 'open', offline: one.offline === true, isSurvey: one.survey, exemptions };
  return ofOne(rule, evaluate(subject, cluster, [...besideIt(one), configured], options));
}

const ofOne = (rule: Rule, { findings, ...rest }: Evaluation): Evaluation => ({
  ...rest,
  findings: findings.filter(({ ruleId }) => ruleId === rule.meta.id),
});

const besideIt = ({ beside }: RuleCase): readonly ConfiguredRule[] =>
  rules.filter(({ meta }) => beside.includes(meta.id)).map((rule) => rule.configure());

/** What annotations are worth where these rules run, and no other. */
export function factsFor(
  ruleIds: readonly string[],
  byAnnotation: ConfigurationFile['exemptions']['byAnnotation'],
): NonNullable<Settings['factsOf']> {
  const settings = { byAnnotation, known: new Set(rules.map(({ meta }) => meta.id)), notExemptable: new Set<string>() };
  return ({ metadata: { namespace, annotations } }) =>
    annotationFacts({ namespace: { name: namespace }, annotations, now: today, ruleIds, rights: new Map() }, settings);
}

const factsOf = ({ meta }: Rule, { exemptions = {}, beside }: RuleCase): NonNullable<Settings['factsOf']> =>
  factsFor([meta.id, ...beside], (exemptions as Partial<ConfigurationFile['exemptions']>).byAnnotation ?? 'never');

/** The decision on the case as a write, by the profile alone. */
export function decide(rule: Rule, one: RuleCase): Decision {
  const configured = configure(rule, one);
  const { cluster, write } = worldOf(configured, one);
  // What is to be removed still stands when the review begins.
  const held = write.operation === 'DELETE' ? cluster.with([write.before]) : cluster;
  return review(write, held, [configured], {
    settings: { ...byProfile(one.profile, one.operation), factsOf: factsOf(rule, one) },
    tellsOfOthers: one.privacy === 'open',
    offline: one.offline === true,
  });
}

/** A removal is never denied by a profile. */
export const byProfile = (profile: RuleCase['profile'], operation?: 'DELETE'): Settings => ({
  modeOf: (_, message: Message<unknown>) => {
    const mode = profile === 'observe' ? 'audit' : message.modes[profile];
    return mode === 'deny' && operation === 'DELETE' ? 'warn' : mode;
  },
  exemptionOf: () => undefined,
});

/** What becomes of the gravest finding; off where there is none. */
export function verdictOf({ denials, warnings, audited }: Decision): Mode {
  if (denials.length > 0) return 'deny';
  if (warnings.length > 0) return 'warn';
  return audited.length > 0 ? 'audit' : 'off';
}

const configure = (rule: Rule, one: RuleCase): ConfiguredRule =>
  rule.configure(one.options, { expectedSecrets: one.expectedSecrets, resolver: one.resolver });

interface World {
  readonly subject: Subject;
  readonly cluster: ClusterSnapshot;
  readonly write: Write;
}

function worldOf(rule: ConfiguredRule, one: RuleCase): World {
  const after = judgedOf(one.object);
  const before = one.before && judgedOf(one.before);
  const held = one.cluster.flatMap((raw) => withContent(normalize(raw), raw, one.offline === true) ?? []).map(deepFrozen);
  const base = snapshotOf(
    held.filter(({ kind }) => kind !== 'Secret' || one.offline === true), // of a cluster never listed, only read by name
    one,
  );
  const cluster = base.knowing({ fetched: fetchedFor(rule.fetches(after, base), held, one) });
  if (one.operation === 'DELETE') {
    const subject = { object: after, operation: 'DELETE', before: () => cluster.with([after]) } as const;
    return { subject, cluster: cluster.without([after]), write: { operation: 'DELETE', before: after, dryRun: false } };
  }
  const earlier = before === undefined ? cluster.without([after]) : cluster.with([before]);
  const write: Write =
    before === undefined ? { operation: 'CREATE', after, dryRun: false } : { operation: 'UPDATE', before, after, dryRun: false };
  return { subject: { object: after, operation: 'WRITE', before: () => earlier }, cluster: cluster.with([after]), write };
}

/** A view that knows everything, but for what the case says it does not. */
const snapshotOf = (objects: readonly Resource[], { unknown }: RuleCase): ClusterSnapshot =>
  ClusterSnapshot.empty({
    observedAt: today,
    coverage: (collection) => (unknown.some((one) => one === collection) ? 'unsynced' : 'complete'),
  }).with(objects);

/** What reads by name bring: what the case's cluster holds, and nothing else. */
function fetchedFor(refs: readonly ObjectRef[], held: readonly Resource[], { secretsUnknown }: RuleCase) {
  const byName = new Map(held.map((resource) => [formatRef(refOf(resource)), resource]));
  return new Map(refs.map((ref) => [formatRef(ref), secretsUnknown ? 'unknown' : (byName.get(formatRef(ref)) ?? 'absent')] as const));
}

export function judgedOf(raw: RawObject): JudgedResource {
  const resource = normalize(raw);
  if (resource === undefined || !isJudged(resource)) throw new Error(`no rule judges a ${raw['kind']}`);
  return deepFrozen(resource);
}

/** A rule that changes what it judges fails on it. */
export function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) deepFrozen(part);
  return Object.freeze(value);
}

export const brief = ({ messageId, path, related }: Finding) => ({
  message: messageId,
  path: formatPath(path),
  related: related.map(formatRef),
});
