import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BaselineFinding, comparedWith } from '../../src/reports/baseline.ts';
import type { Report } from '../../src/reports/report.ts';
import { emptyReport, finding, reported, subject } from './sample.ts';

const ruleId = 'service-selector-matches-no-pods';
const was = (fingerprint: string, more: Partial<BaselineFinding> = {}): BaselineFinding => ({
  ...{ ruleId, subject, path: 'spec.selector', what: 'x', severity: 'high', fingerprint },
  ...more,
});
const now = (...fingerprints: readonly string[]): Report => ({
  ...emptyReport,
  findings: fingerprints.map((fingerprint) => reported({ fingerprint })),
});
const there = (): boolean => false;
const states = (report: Report) => report.findings.map(({ finding: { fingerprint }, state }) => `${fingerprint} ${state}`);

describe('a report beside a baseline', () => {
  it('tells what is new, what was there, what is fixed', () => {
    const compared = comparedWith(now('a', 'b'), [was('b'), was('c')], there);
    expect(states(compared)).toEqual(['a introduced', 'b unchanged']);
    expect([compared.fixed?.map(({ fingerprint }) => fingerprint), compared.notCompared]).toEqual([['c'], 0]);
  });
  it('counts findings that are alike', () => {
    const compared = comparedWith(now('a', 'a', 'a'), [was('a'), was('a')], there);
    expect(states(compared)).toEqual(['a unchanged', 'a unchanged', 'a introduced']);
    expect(comparedWith(now('a'), [was('a'), was('a')], there).fixed?.length).toBe(1);
  });
  it('takes what is exempt now for neither new nor fixed', () => {
    const exempted = [{ finding: finding({ fingerprint: 'a' }), reason: 'known' }];
    const compared = comparedWith({ ...emptyReport, exempted }, [was('a')], there);
    expect([compared.fixed, compared.notCompared]).toEqual([[], 0]);
  });

  const none: [readonly BaselineFinding[], number] = [[], 1];
  const result = ({ fixed, notCompared }: Report) => [fixed, notCompared];
  it.each<[string, Report, BaselineFinding]>([
    ['a rule that does not run any more', now(), was('a', { ruleId: 'off' })],
    ['a rule that was skipped', { ...now(), skipped: [{ skip: { ruleId, reason: 'deadline' }, object: subject }] }, was('a')],
    ['a rule that failed', { ...now(), faults: [{ fault: { ruleId, cause: 'x' }, object: subject }] }, was('a')],
    ['an object that was not judged', now(), was('a', { subject: { ...subject, name: 'other' } })],
  ])('does not know whether it is fixed: %s', (_, report, earlier) => {
    expect(result(comparedWith(report, [earlier], there))).toEqual(none);
  });
  it('takes for fixed what is gone for certain, whatever its rule', () => {
    const earlier = was('a', { subject: { ...subject, name: 'other' }, ruleId: 'off' });
    expect(result(comparedWith(now(), [earlier], () => true))).toEqual([[earlier], 0]);
  });
  it('does not ask whether an object is gone that was judged', () => {
    const asked: string[] = [];
    comparedWith(now(), [was('a')], ({ fingerprint }) => asked.push(fingerprint) > 0);
    expect(asked).toEqual([]);
  });

  it('loses no finding and makes none up', () => {
    const prints = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 });
    fc.assert(
      fc.property(prints, prints, (before, after) => {
        const compared = comparedWith(
          now(...after),
          before.map((one) => was(one)),
          there,
        );
        const count = (list: readonly string[], one: string) => list.filter((other) => other === one).length;
        for (const one of ['a', 'b', 'c']) {
          const [then, today] = [count(before, one), count(after, one)];
          expect(count(states(compared), `${one} unchanged`)).toBe(Math.min(then, today));
          expect(count(states(compared), `${one} introduced`)).toBe(Math.max(0, today - then));
          expect(
            count(
              (compared.fixed ?? []).map(({ fingerprint }) => fingerprint),
              one,
            ),
          ).toBe(Math.max(0, then - today));
        }
      }),
    );
  });
});
