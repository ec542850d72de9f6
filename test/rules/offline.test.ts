import { describe, expect, it } from 'vitest';
import { networkPolicyLegacyNamespaceLabel } from '../../src/rules/network-policy-legacy-namespace-label.ts';
import { networkPolicyPeerMatchesNothing } from '../../src/rules/network-policy-peer-matches-nothing.ts';
import { serviceNodePortPolicy } from '../../src/rules/service-node-port-policy.ts';
import { judge } from '../support/rule-case.ts';
import { type RuleCase, readRuleTable } from '../support/rule-table.ts';

const refused = readRuleTable('test/rules/service-node-port-policy.yaml').invalid.filter(({ offline }) => offline === true);

it('has cases that the API server refuses', () => expect(refused.length).toBeGreaterThan(1));

// A write that reaches us has passed its allocator: what we hold against it would be our mistake about the cluster's range.
it.each(refused.map((one) => [one.name, one] as const))('leaves to the API server: %s', (_, one) =>
  expect(judge(serviceNodePortPolicy, { ...one, offline: false }).findings).toEqual([]),
);

// Most charts allow DNS so, and hardly any set of files holds namespaces.
describe('an entry for all namespaces', () => {
  const { valid } = readRuleTable('test/rules/network-policy-peer-matches-nothing.yaml');
  const dns = valid.find(({ name }) => name === 'recipe: allow DNS to all namespaces') as RuleCase;

  it.each([networkPolicyPeerMatchesNothing, networkPolicyLegacyNamespaceLabel].map((rule) => [rule.meta.id, rule] as const))(
    'is judged by %s without knowing them',
    (_, rule) => expect(judge(rule, { ...dns, unknown: ['Namespace'] })).toMatchObject({ findings: [], skipped: [], faults: [] }),
  );
});
