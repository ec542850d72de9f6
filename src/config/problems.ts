/** What is wrong with a configuration, in lines that a tired person can act on. */
import type { z } from 'zod';
import { nearestWord } from '../cluster/near-miss.ts';
import { modes } from '../engine/mode.ts';
import { type FieldPath, formatPath, valueAt } from '../kube/field-path.ts';
import { isObject, objectAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';

type Issue = z.core.$ZodIssue;

/** The whole file, and the JSON schema that knows which keys would be right in it. */
export interface Context {
  readonly raw: unknown;
  readonly schema: RawObject;
}

/** One line for each problem: path, what stands there, what would be right, and the word that was probably meant. */
export const problemsOf = (issues: readonly Issue[], under: FieldPath, { raw, schema }: Context): readonly string[] =>
  issues.flatMap((issue) => {
    const path = [...under, ...issue.path.filter((part) => typeof part !== 'symbol')];
    if (issue.code === 'unrecognized_keys')
      return issue.keys.filter((key) => key !== '__proto__').map((key) => unknownKey(key, path, keysAt(schema, path)));
    const value = valueAt(raw, path);
    return [`${path.length === 0 ? '' : `${formatPath(path)}: `}${sentence(issue, value)}${modeMeant(path, value)}`];
  });

function unknownKey(key: string, path: FieldPath, known: readonly string[]): string {
  const full = formatPath([...path, key]);
  const meant = didYouMean(key, known);
  if (path.length === 1 && path[0] === 'rules') return `${full}: no rule has this id${meant || '; "portcullis rules" lists them'}`;
  return `${full}: unknown key${meant || (known.length === 0 ? '' : `; known are ${known.join(', ')}`)}`;
}

/** `rules: {some-rule: off}`, as one would write it who has not seen another. A bare off is false in YAML. */
function modeMeant(path: FieldPath, value: unknown): string {
  const mode = value === false ? 'off' : value;
  const isMode = path.length === 2 && path[0] === 'rules' && modes.some((one) => one === mode);
  return isMode ? `; did you mean {mode: ${mode}}?` : '';
}

function sentence(issue: Issue, value: unknown): string {
  if (value === undefined) return `missing; ${expectation(issue)}`;
  if (issue.code === 'invalid_type')
    return `expected ${nameOf(issue.expected)}, found ${typeof value === 'boolean' ? value : typeName(value)}`;
  if (issue.code === 'invalid_value') {
    const wanted = issue.values.map(String);
    return `${show(value)} is not ${wanted.length === 1 ? '' : 'one of '}${wanted.join(', ')}${didYouMean(value, wanted)}`;
  }
  if (issue.message.startsWith('is ')) return `${show(value)} ${issue.message}`;
  return `${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`;
}

const expectation = (issue: Issue): string => {
  if (issue.code === 'invalid_value') return `expected ${issue.values.map(String).join(' or ')}`;
  return issue.code === 'invalid_type' ? `expected ${nameOf(issue.expected)}` : issue.message;
};

/** Words of a file are short; a long one is no slip, and comparing it would cost. */
const longestWord = 100;

export function didYouMean(word: unknown, candidates: readonly string[]): string {
  const meant = typeof word === 'string' && word.length <= longestWord ? nearestWord(word, candidates) : undefined;
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

const typeNames: ReadonlyMap<string, string> = new Map([
  ['object', 'a mapping'],
  ['record', 'a mapping'],
  ['array', 'a list'],
  ['string', 'a string'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
]);
const nameOf = (type: string): string => typeNames.get(type) ?? type;

function typeName(value: unknown): string {
  if (value === null) return 'nothing';
  return nameOf(Array.isArray(value) ? 'array' : typeof value);
}

function show(value: unknown): string {
  const text = typeof value === 'object' && value !== null ? typeName(value) : JSON.stringify(value);
  return text.length > longestWord ? `${text.slice(0, longestWord)}…` : text;
}

/** The keys that the schema knows at a path; of alternatives, those of each. */
function keysAt(schema: RawObject, path: FieldPath): readonly string[] {
  const alternatives = [schema['anyOf'], schema['oneOf'], schema['allOf']].filter(Array.isArray).flat().filter(isObject);
  const [part, ...rest] = path;
  if (part === undefined) return [schema, ...alternatives].flatMap((one) => Object.keys(objectAt(one, 'properties')));
  return [schema, ...alternatives].flatMap((one) => {
    const next = typeof part === 'number' ? objectAt(one, 'items') : objectAt(objectAt(one, 'properties'), part);
    return keysAt(next === one ? {} : next, rest);
  });
}
