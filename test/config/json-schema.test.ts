import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { configurationJsonSchema } from '../../src/config/json-schema.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import type { Rule } from '../../src/engine/rule.ts';
import { OperatorError } from '../../src/errors.ts';
import { sampleRules } from './sample-rules.ts';

const [first, second, ...others] = sampleRules as [Rule, Rule, ...Rule[]];
const options = z.strictObject({ colours: z.array(z.strictObject({ name: z.string() })).default([]) });
const rules: readonly Rule[] = [
  first,
  { ...second, options, configure: (given = {}, shared) => second.configure({ ...(options.parse(given) && {}) }, shared) },
  ...others,
];
const accepts = new Ajv2020({ strict: false, validateFormats: false }).compile(configurationJsonSchema(rules));
const isGood = (file: unknown): boolean => {
  try {
    return parseConfiguration(file, rules).rules.length > 0;
  } catch (error) {
    if (error instanceof OperatorError) return false;
    throw error;
  }
};

it.each([
  [{}, true],
  [{ profile: 'strict', rules: { 'service-is-odd': { options: { ports: [80] } } } }, true],
  [{ rules: { 'resolver-is-cut': { options: { colours: [{ name: 'red' }] } } } }, true],
  [{ rules: { 'resolver-is-cut': { options: { ports: [80] } } } }, false],
  [{ rules: { 'service-is-odd': { options: { colours: [] } } } }, false],
  [{ rules: { 'service-is-od': {} } }, false],
  [{ exemptions: { list: [{ rules: ['service-is-odd'], reason: 'moving' }] } }, true],
  [{ exemptions: { list: [{ rules: ['service-is-odd'] }] } }, false],
  [{ secrets: { level: 'full' }, workloads: [{ apiVersion: 'a.io/v1', kind: 'Rollout', resource: 'rollouts' }] }, true],
])('an editor says of %j what the configuration says: %s', (part, good) => {
  const file = { apiVersion: 'portcullis.dev/v1', ...part };
  expect([accepts(file), isGood(file)]).toEqual([good, good]);
});

it('corrects keys by the options of the rule that they stand under', () => {
  const wrong = { apiVersion: 'portcullis.dev/v1', rules: { 'resolver-is-cut': { options: { colours: [{ nam: 'red' }] } } } };
  expect(() => parseConfiguration(wrong, rules)).toThrow('rules.resolver-is-cut.options.colours[0].nam: unknown key; did you mean "name"?');
});
