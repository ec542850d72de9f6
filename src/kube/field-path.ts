/** Where in an object: held as keys and indices, printed as the API server prints it. */

export type FieldPath = readonly (string | number)[];

/** `spec.ports[0].targetPort`, and `metadata.annotations[example.com/x]` for a key that is no plain word. */
export const formatPath = (path: FieldPath): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[A-Za-z_][\w-]*$/.test(part)) return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');

/** The value at a path, or undefined where the path leads nowhere. Own properties only. */
export function valueAt(object: unknown, path: FieldPath): unknown {
  let value = object;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/** The path without positions in lists: equal for the same field of any list entry. */
export const withoutIndices = (path: FieldPath): readonly string[] => path.filter((part) => typeof part === 'string');
