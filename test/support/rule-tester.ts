/** Runs a rule against its table of valid and invalid cases, and holds the table and the rule to the rules of rules. */
import { describe, expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { type Evaluation, evaluate } from '../../src/engine/evaluate.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { Mode } from '../../src/engine/mode.ts';
import { type Decision, review, type Settings, type Write } from '../../src/engine/review.ts';
import type { ConfiguredRule, Message, Rule, Subject } from '../../src/engine/rule.ts';
import { formatPath, valueAt } from '../../src/kube/field-path.ts';
import { normalize } from '../../src/kube/normalize.ts';
import { type Collection, formatRef, isJudged, type JudgedResource, type RawObject, type Resource } from '../../src/kube/resources.ts';
import type { RuleCase, RuleTable } from './rule-table.ts';

export function testRule(rule: Rule, table: RuleTable): void {
  const cases = [...table.valid, ...table.invalid];

  describe(rule.meta.id, () => {
    it('is the rule that the table names', () => expect(table.rule).toBe(rule.meta.id));
    it('accepts more than it reports', () => expect(table.valid.length).toBeGreaterThan(table.invalid.length));
    it('has no two cases alike', () => expect(alike(cases)).toEqual([]));
    it('shows a case on its page', () => expect(table.invalid.filter(({ docs }) => docs)).not.toEqual([]));
    it('reads what its meta declares', () => {
      const read = new Set(cases.flatMap((one) => readsOf(rule, one)));
      expect([...read].sort()).toEqual([...rule.meta.reads].sort());
    });
    it('has a case for each message', () => {
      const reported = new Set(table.invalid.flatMap(({ findings }) => findings.map(({ message }) => message)));
      expect([...reported].sort()).toEqual(Object.keys(rule.messages).sort());
    });

    it.each(table.valid.map((one) => [one.name, one] as const))('accepts: %s', (_, one) => {
      const { findings, skipped, faults } = judge(rule, one);
      expect(faults).toEqual([]);
      expect(findings.map(brief)).toEqual([]);
      expect(skipped.length > 0).toBe(one.unknown.length > 0 || one.secretsUnknown);
    });

    it.each(table.invalid.map((one) => [one.name, one] as const))('reports: %s', (_, one) => {
      const { findings, skipped, faults } = judge(rule, one);
      expect(faults).toEqual([]);
      expect(skipped).toEqual([]);
      expect(findings.map(brief)).toEqual(one.findings);
      for (const finding of findings) holdToForm(finding, one);
      const verdict = verdictOf(decide(rule, one));
      if (one.verdict !== undefined) expect(verdict).toBe(one.verdict);
      expect(findings.map(rendered).join('\n\n')).toMatchSnapshot();
    });
  });
}

/** Cases that differ in name only. */
function alike(cases: readonly RuleCase[]): readonly string[] {
  const byContent = Map.groupBy(cases, ({ name, docs, findings, verdict, ...content }) => JSON.stringify(content));
  return [...byContent.values()].filter((same) => same.length > 1).map((same) => same.map(({ name }) => name).join(' = '));
}

/** Evaluates the case on frozen objects, twice. */
export function judge(rule: Rule, one: RuleCase): Evaluation {
  const configured = configure(rule, one);
  const { subject, cluster } = worldOf(configured, one);
  const options = { tellsOfOthers: one.privacy === 'open', offline: one.offline === true };
  const first = evaluate(subject, cluster, [configured], options);
  expect(evaluate(subject, cluster, [configured], options), 'a rule answers the same twice').toEqual(first);
  return first;
}

const readsOf = (rule: Rule, one: RuleCase): readonly Collection[] =>
  (judge(rule, one).reads.get(rule.meta.id) ?? []).map(({ collection }) => collection);

/** The decision on the case as a write, by the profile alone. */
export function decide(rule: Rule, one: RuleCase): Decision {
  const configured = configure(rule, one);
  const { cluster, write } = worldOf(configured, one);
  return review(write, cluster, [configured], {
    settings: byProfile(one.profile),
    tellsOfOthers: one.privacy === 'open',
    offline: one.offline === true,
  });
}

export const byProfile = (profile: RuleCase['profile']): Settings => ({
  modeOf: (_, message: Message<unknown>) => (profile === 'observe' ? 'audit' : message.modes[profile]),
  exemptionOf: () => undefined,
});

/** What becomes of the gravest finding; off where there is none. */
export function verdictOf({ denials, warnings, audited }: Decision): Mode {
  if (denials.length > 0) return 'deny';
  if (warnings.length > 0) return 'warn';
  return audited.length > 0 ? 'audit' : 'off';
}

const configure = (rule: Rule, one: RuleCase): ConfiguredRule => rule.configure(one.options, { expectedSecrets: one.expectedSecrets });

interface World {
  readonly subject: Subject;
  readonly cluster: ClusterSnapshot;
  readonly write: Write;
}

function worldOf(rule: ConfiguredRule, one: RuleCase): World {
  const after = judgedOf(one.object);
  const before = one.before && judgedOf(one.before);
  const held = one.cluster.flatMap((raw) => normalize(raw) ?? []).map(deepFrozen);
  const base = snapshotOf(held, one);
  const cluster = base.knowing({ fetched: fetchedFor(rule, after, base, one) });
  if (one.operation === 'DELETE') {
    const subject = { object: after, operation: 'DELETE', before: cluster.with([after]) } as const;
    return { subject, cluster: cluster.without([after]), write: { operation: 'DELETE', before: after, dryRun: false } };
  }
  const earlier = before === undefined ? cluster.without([after]) : cluster.with([before]);
  const write: Write =
    before === undefined ? { operation: 'CREATE', after, dryRun: false } : { operation: 'UPDATE', before, after, dryRun: false };
  return { subject: { object: after, operation: 'WRITE', before: earlier }, cluster: cluster.with([after]), write };
}

/** A view that knows everything, but for what the case says it does not. */
const snapshotOf = (objects: readonly Resource[], { unknown }: RuleCase): ClusterSnapshot =>
  ClusterSnapshot.empty({
    observedAt: Date.UTC(2026, 10, 21),
    coverage: (collection) => (unknown.some((one) => one === collection) ? 'unsynced' : 'complete'),
  }).with(objects);

/** What a read by name would bring: what the case's cluster holds, and nothing else. */
function fetchedFor(rule: ConfiguredRule, object: JudgedResource, held: ClusterSnapshot, { secretsUnknown }: RuleCase) {
  const refs = rule.fetches(object, held);
  return new Map(
    refs.map((ref) => {
      const found = ref.kind === 'Secret' ? held.get('Secret', ref.namespace, ref.name) : undefined;
      return [formatRef(ref), secretsUnknown ? 'unknown' : (found ?? 'absent')] as const;
    }),
  );
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

/** One line, as a warning prints it (ecosystem.md B1). */
export const warningLine = ({ path, what, fix, ruleId }: Finding): string => `${formatPath(path)}: ${what}; ${fix.text} [${ruleId}]`;

function rendered(finding: Finding): string {
  const { why, fix, severity, facts } = finding;
  const edit = fix.patch === undefined ? [] : [`  patch: ${JSON.stringify(fix.patch)}`];
  const beside = fix.manifest === undefined ? [] : [`  manifest: ${JSON.stringify(fix.manifest)}`];
  return [warningLine(finding), `  why: ${why}`, ...edit, ...beside, `  ${severity}, ${facts}`].join('\n');
}

/** At most so many runes survive in a warning (apiserver pkg/endpoints/filters/warning.go). */
const warningRunes = 240;

function holdToForm(finding: Finding, one: RuleCase): void {
  const { what, why, fix, path } = finding;
  expect(`${what} ${why} ${fix.text}`).not.toMatch(/undefined|\[object|NaN|[\p{Cc}\p{Cf}]/u);
  expect(what).not.toMatch(/\.$/);
  expect(why).toMatch(/^[A-Z].*\.$/);
  expect(Array.from(warningLine(finding)).length, warningLine(finding)).toBeLessThanOrEqual(warningRunes);
  expect(existsOrIsOneMissingField(one.object, path), `${formatPath(path)} is no field`).toBe(true);
}

export const existsOrIsOneMissingField = (object: unknown, path: Finding['path']): boolean =>
  valueAt(object, path) !== undefined || typeof valueAt(object, path.slice(0, -1)) === 'object';
