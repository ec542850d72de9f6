/** Reading fields of parsed objects of unknown shape: what has another type than expected reads as absent. */
import type { RawObject } from './resources.ts';

export const isObject = (value: unknown): value is RawObject => typeof value === 'object' && value !== null && !Array.isArray(value);

const nothing: RawObject = Object.freeze({});
const none: readonly never[] = Object.freeze([]);

/** The own property as an object; an empty one if it is absent or something else. */
export function objectAt(from: RawObject, key: string): RawObject {
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  return isObject(value) ? value : nothing;
}

export function stringAt(from: RawObject, key: string): string | undefined {
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}

export function numberAt(from: RawObject, key: string): number | undefined {
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  return typeof value === 'number' ? value : undefined;
}

export const booleanAt = (from: RawObject, key: string): boolean => Object.hasOwn(from, key) && from[key] === true;

/** The entries of a list that are objects, each in its place: another entry reads as an empty object, so that indices hold. */
export function objectsAt(from: RawObject, key: string): readonly RawObject[] {
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  if (!Array.isArray(value) || value.length === 0) return none;
  // Almost always the list itself will do.
  return value.every(isObject) ? value : value.map((entry) => (isObject(entry) ? entry : nothing));
}

export function stringsAt(from: RawObject, key: string): readonly string[] {
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  return Array.isArray(value) && value.length > 0 ? value.filter((entry) => typeof entry === 'string') : none;
}

/** The entries of a list of strings, each in its place; null reads as empty, as Go's decoder takes it. */
export function textsAt(from: RawObject, key: string): readonly string[] {
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  if (!Array.isArray(value) || value.length === 0) return none;
  return value.flatMap((entry) => (entry === null ? '' : typeof entry === 'string' ? entry : []));
}

/** An optional property for a spread: `...given('name', value)` adds nothing if the value is undefined. */
export const given = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
