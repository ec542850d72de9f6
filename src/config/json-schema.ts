import { z } from 'zod';
import type { Rule } from '../engine/rule.ts';
import { isObject } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { configurationSchema } from './schema.ts';

/** What may be written in the file, defaults included, for editors, documentation and "did you mean". */
export function configurationJsonSchema(rules: readonly Rule[]): RawObject {
  const optionsOf = new Map<unknown, RawObject>(rules.map((rule) => [rule.meta.id, optionsJsonSchema(rule)]));
  return z.toJSONSchema(configurationSchema(rules.map(({ meta }) => meta.id)), {
    io: 'input',
    unrepresentable: 'any',
    // Every rule has a key `options`, checked by the rule itself: here it gets the rule's own schema.
    override: ({ jsonSchema, path }) => {
      const options = path.at(-1) === 'options' ? optionsOf.get(path.at(-3)) : undefined;
      if (options !== undefined) Object.assign(jsonSchema, options);
    },
  }) as RawObject;
}

/** The schema of one rule's options; an empty one for a rule whose options are not described by zod. */
export function optionsJsonSchema({ options }: Rule): RawObject {
  if (!isObject(options) || !(options instanceof z.ZodType)) return {};
  const { $schema, ...schema } = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' });
  return schema;
}
