/** Runs a rule against its table of valid and invalid cases, and holds the table and the rule to the rules of rules. */
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Evaluation } from '../../src/engine/evaluate.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { Rule } from '../../src/engine/rule.ts';
import { formatPath, valueAt } from '../../src/kube/field-path.ts';
import { type Collection, formatRef } from '../../src/kube/resources.ts';
import { brief, decide, judge, verdictOf } from './rule-case.ts';
import { byAdmission, byFiles } from './rule-drivers.ts';
import { canBeFiles, canBeWritten, type RuleCase, type RuleTable } from './rule-table.ts';

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
      const { findings, skipped, faults } = judgeTwice(rule, one);
      expect(faults).toEqual([]);
      expect(findings.map(brief)).toEqual([]);
      expect(skipped.length > 0).toBe(one.unknown.length > 0 || one.secretsUnknown);
    });

    it.each(table.invalid.map((one) => [one.name, one] as const))('reports: %s', (_, one) => {
      const { findings, skipped, faults } = judgeTwice(rule, one);
      expect(faults).toEqual([]);
      expect(skipped).toEqual([]);
      expect(findings.map(brief)).toEqual(one.findings);
      for (const finding of findings) holdToForm(finding, one);
      const verdict = verdictOf(decide(rule, one));
      if (one.verdict !== undefined) expect(verdict).toBe(one.verdict);
      expect(findings.map(rendered).join('\n\n')).toMatchSnapshot();
    });

    describe('through check, as files', () => {
      it.each(cases.filter(canBeFiles).map((one) => [one.name, one] as const))('%s', async (_, one) => {
        const { findings, exitCode, skipped, errors } = await byFiles(rule.meta.id, one);
        expect({ skipped, errors }).toEqual({ skipped: [], errors: [] });
        expect(findings.map(({ message, path, related }) => ({ message, path, related: related.map(formatRef) }))).toEqual(one.findings);
        for (const { file, line, column } of findings) {
          expect(basename(file)).toBe('object.yaml');
          expect(Math.min(line, column)).toBeGreaterThanOrEqual(1);
        }
        const modes = findings.map(({ mode }) => mode);
        if (one.findings.length > 0) expect(exitCode).toBe(modes.includes('deny') || modes.includes('warn') ? 1 : 0);
      });
    });

    describe('through the webhook, as a write', () => {
      it.each(cases.filter(canBeWritten).map((one) => [one.name, one] as const))('%s', async (_, one) => {
        const handled = await byAdmission(rule.meta.id, one);
        if (handled.outcome !== 'judged') return expect.unreachable(`it was ${handled.outcome}`);
        const { decision, answer } = handled;
        const { denials, warnings, audited, skipped, faults } = decision;
        expect({ skipped, faults }).toEqual({ skipped: [], faults: [] });
        const reported = [...denials, ...warnings.map(({ finding }) => finding), ...audited].map(brief);
        expect(inOrder(reported)).toEqual(inOrder(one.findings));
        expect(verdictOf(decision)).toBe(verdictOf(decide(rule, one)));
        expect(answer.response.allowed).toBe(denials.length === 0);
        const said = JSON.stringify([answer.response.status, answer.response.warnings]);
        expect(said.includes(rule.meta.id)).toBe(denials.length + warnings.length > 0);
      });
    });
  });
}

const inOrder = <T>(list: readonly T[]): readonly T[] => [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

/** Cases that differ in name only. */
function alike(cases: readonly RuleCase[]): readonly string[] {
  const byContent = Map.groupBy(cases, ({ name, docs, findings, verdict, ...content }) => JSON.stringify(content));
  return [...byContent.values()].filter((same) => same.length > 1).map((same) => same.map(({ name }) => name).join(' = '));
}

function judgeTwice(rule: Rule, one: RuleCase): Evaluation {
  const first = judge(rule, one);
  const whole = ({ readsOf, ...evaluation }: Evaluation) => ({ ...evaluation, reads: readsOf(rule.meta.id) });
  expect(whole(judge(rule, one)), 'a rule answers the same twice').toEqual(whole(first));
  return first;
}

function readsOf(rule: Rule, one: RuleCase): readonly Collection[] {
  const reads = judge(rule, one).readsOf(rule.meta.id);
  return reads.map(({ collection }) => collection);
}

/** One line, as a warning prints it (ecosystem.md B1). */
const warningLine = ({ path, what, fix, ruleId }: Finding): string => `${formatPath(path)}: ${what}; ${fix.text} [${ruleId}]`;

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
  // Evidence is cut first; path, fix and id must stand whole (ecosystem.md B1).
  expect(Array.from(warningLine({ ...finding, what: '' })).length, warningLine(finding)).toBeLessThanOrEqual(warningRunes);
  expect(existsOrIsOneMissingField(one.object, path), `${formatPath(path)} is no field`).toBe(true);
}

export const existsOrIsOneMissingField = (object: unknown, path: Finding['path']): boolean =>
  valueAt(object, path) !== undefined || typeof valueAt(object, path.slice(0, -1)) === 'object';
