/** The keys of a JSON schema as rows of a table. */
import { isObject, objectAt, stringAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';

export interface Key {
  /** `rules.<rule-id>.overrides[].mode`. */
  readonly path: string;
  readonly values: string;
  readonly default: string;
  readonly meaning: string;
}

/** Every key below a schema, in the order of the file. `comments` stand in for descriptions that the schema lacks. */
export function keysOf(schema: RawObject, prefix = '', comments: ReadonlyMap<string, string> = new Map()): readonly Key[] {
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  return Object.entries(objectAt(schema, 'properties')).flatMap(([name, value]) => {
    if (!isObject(value)) return [];
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const meaning = stringAt(value, 'description') ?? comments.get(name) ?? '';
    const row = { path, values: valuesOf(value), default: defaultOf(value, required.has(name)), meaning };
    const below = value['type'] === 'array' ? keysOf(objectAt(value, 'items'), `${path}[]`, comments) : keysOf(value, path, comments);
    return [row, ...below];
  });
}

function valuesOf(schema: RawObject): string {
  if (schema['const'] !== undefined) return code(schema['const']);
  if (Array.isArray(schema['enum'])) return schema['enum'].map(code).join(' ');
  const alternatives = schema['anyOf'];
  if (Array.isArray(alternatives)) return [...new Set(alternatives.filter(isObject).map(valuesOf))].join(' or ');
  switch (schema['type']) {
    case 'array':
      return `list of ${plural(valuesOf(objectAt(schema, 'items')))}`;
    case 'object':
      return 'mapping';
    case 'boolean':
      return '`true` `false`';
    case 'integer':
      return 'whole number';
    default:
      return typeof schema['type'] === 'string' ? schema['type'] : 'any';
  }
}

const plural = (values: string): string => values.replaceAll(/\b(string|mapping|number|integer|list)\b/g, (word) => `${word}s`);

function defaultOf(schema: RawObject, isRequired: boolean): string {
  if (isRequired) return 'required';
  const value = schema['default'];
  return value === undefined || (isObject(value) && Object.keys(value).length === 0) ? '' : code(value);
}

const code = (value: unknown): string => `\`${typeof value === 'string' && value !== '' ? value : JSON.stringify(value)}\``;
