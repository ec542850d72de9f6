import { expect, it } from 'vitest';
import { serviceNodePortPolicy } from '../../src/rules/service-node-port-policy.ts';
import { judge } from '../support/rule-case.ts';
import { readRuleTable } from '../support/rule-table.ts';

const refused = readRuleTable('test/rules/service-node-port-policy.yaml').invalid.filter(({ offline }) => offline === true);

it('has cases that the API server refuses', () => expect(refused.length).toBeGreaterThan(1));

// A write that reaches us has passed its allocator: what we hold against it would be our mistake about the cluster's range.
it.each(refused.map((one) => [one.name, one] as const))('leaves to the API server: %s', (_, one) =>
  expect(judge(serviceNodePortPolicy, { ...one, offline: false }).findings).toEqual([]),
);
