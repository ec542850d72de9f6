/** What the rules for policies say of other namespaces, and to whom (docs/privacy.md). */
import { describe, expect, it } from 'vitest';
import { rules } from '../../src/rules/index.ts';
import { judge } from '../support/rule-case.ts';
import { readRuleTable } from '../support/rule-table.ts';

const speakingOfOthers = rules.filter(
  ({ meta, messages }) => meta.kinds.includes('NetworkPolicy') && Object.values(messages).some(({ facts }) => facts === 'foreign'),
);

describe.each(speakingOfOthers.map((rule) => [rule.meta.id, rule] as const))('%s', (id, rule) => {
  const { invalid } = readRuleTable(`test/rules/${id}.yaml`);

  it('tells who may list nothing there only what his own namespace shows', () => {
    const told = (privacy: 'open' | 'tenant') =>
      invalid.flatMap((one) => judge(rule, { ...one, privacy }).findings.map(({ facts, messageId, path }) => ({ facts, messageId, path })));
    const open = told('open');
    expect(open.filter(({ facts }) => facts === 'foreign')).not.toEqual([]);
    expect(told('tenant')).toEqual(open.filter(({ facts }) => facts !== 'foreign'));
  });
});
