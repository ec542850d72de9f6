/**
 * Whatever a rule cannot see, it denies nothing for it: each case of each table again, without one of its collections.
 * The worlds of the properties seldom hold the very object that excuses a defect; the cases that are accepted do.
 */
import { describe, expect, it } from 'vitest';
import type { Evaluation } from '../../src/engine/evaluate.ts';
import type { Message, Rule } from '../../src/engine/rule.ts';
import { collectionOf } from '../../src/kube/collections.ts';
import { formatPath } from '../../src/kube/field-path.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Collection, RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { judge } from '../support/rule-case.ts';
import { type RuleCase, readRuleTable } from '../support/rule-table.ts';

const profiles = ['guided', 'strict'] as const;

/** Where it denies, and in which profile. */
const denials = ({ messages }: Rule, { findings }: Evaluation): readonly string[] =>
  findings.flatMap(({ messageId, path }) =>
    profiles
      .filter((profile) => (messages[messageId] as Message<unknown>).modes[profile] === 'deny')
      .map((profile) => `${formatPath(path)} in ${profile}`),
  );

const collectionIn = (raw: RawObject): readonly Collection[] => {
  const resource = normalize(raw);
  return resource === undefined ? [] : [collectionOf(resource)];
};

const without = (one: RuleCase, collection: Collection): RuleCase => ({
  ...one,
  cluster: one.cluster.filter((raw) => !collectionIn(raw).includes(collection)),
  unknown: [...one.unknown, collection],
  secretsUnknown: one.secretsUnknown || collection === 'Secret',
});

describe.each(rules.map((rule): [string, Rule] => [rule.meta.id, rule]))('%s', (id, rule) => {
  const { valid, invalid } = readRuleTable(`test/rules/${id}.yaml`);
  const cases = [...valid, ...invalid].flatMap((one) =>
    [...new Set(one.cluster.flatMap(collectionIn))].map((collection) => ({ name: one.name, one, collection })),
  );

  it('denies nothing more while it sees less', () => {
    for (const { name, one, collection } of cases) {
      const whole = denials(rule, judge(rule, one));
      const partial = denials(rule, judge(rule, without(one, collection)));
      expect(
        partial.filter((denial) => !whole.includes(denial)),
        `${name}, without ${collection}`,
      ).toEqual([]);
    }
  });
});
