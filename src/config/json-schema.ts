import { z } from 'zod';
import type { Rule } from '../engine/rule.ts';
import { objectAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { configurationSchema } from './schema.ts';

/** What may be written in the file, defaults included, for editors, documentation and "did you mean". */
export function configurationJsonSchema(rules: readonly Rule[]): RawObject {
  const schema = jsonSchemaOf(configurationSchema(rules.map(({ meta }) => meta.id)));
  const options = new Map(rules.map((rule) => [rule.meta.id, optionsJsonSchema(rule)]));
  return at(schema, ['properties', 'rules', 'properties'], (settings) =>
    Object.fromEntries(
      Object.entries(settings).map(([id, one]) => [
        id,
        at(one as RawObject, ['properties', 'options'], (any) => ({ ...any, ...options.get(id) })),
      ]),
    ),
  );
}

/** The schema of one rule's options; an empty one for a rule whose options are not described by zod. */
export function optionsJsonSchema({ options }: Rule): RawObject {
  if (!(options instanceof z.ZodType)) return {};
  const { $schema: _, ...schema } = jsonSchemaOf(options);
  return schema;
}

const jsonSchemaOf = (schema: z.ZodType): RawObject => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as RawObject;

/** A copy with what stands at the path replaced. */
function at(object: RawObject, [key, ...rest]: readonly string[], change: (found: RawObject) => RawObject): RawObject {
  return key === undefined ? change(object) : { ...object, [key]: at(objectAt(object, key), rest, change) };
}
