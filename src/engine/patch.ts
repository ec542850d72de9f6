/** Applying a fix to an object, without touching the original. */
import type { FieldPath } from '../kube/field-path.ts';
import { isObject } from '../kube/read.ts';
import type { PatchOperation } from './finding.ts';

/**
 * RFC 6902 for the operations that fixes use; `-` as the last part of an added path appends to a list, made if need be.
 * Each list and each record is copied once, however many operations are about it: one fix may be about 12,000 paths.
 */
export function applyPatch<T>(object: T, patch: readonly PatchOperation[]): T {
  const copies = new WeakSet<object>();
  return patch.reduce((patched, operation) => edited(patched, operation.path, operation, copies) as T, object);
}

/** The value with the edit in it: a copy, or itself where it is one already. */
function edited(value: unknown, [part, ...rest]: FieldPath, operation: PatchOperation, copies: WeakSet<object>): unknown {
  if (part === undefined) return operation.op === 'remove' ? undefined : operation.value;
  const container = value ?? (part === '-' || typeof part === 'number' ? [] : {});
  if (Array.isArray(container))
    return editedList(
      own(container, () => [...container], copies),
      part,
      rest,
      operation,
      copies,
    );
  const record = own(container as Record<string, unknown>, () => Object.assign(Object.create(null), container), copies);
  if (rest.length === 0 && operation.op === 'remove') delete record[part];
  else record[part] = edited(record[part], rest, operation, copies);
  return record;
}

function editedList(
  list: unknown[],
  part: string | number,
  rest: FieldPath,
  operation: PatchOperation,
  copies: WeakSet<object>,
): unknown[] {
  const at = part === '-' ? list.length : Number(part);
  if (rest.length > 0) list[at] = edited(list[at], rest, operation, copies);
  else if (operation.op === 'remove') list.splice(at, 1);
  else list.splice(at, operation.op === 'add' ? 0 : 1, operation.value);
  return list;
}

function own<C extends object>(container: C, copyOf: () => C, copies: WeakSet<object>): C {
  const copy = copies.has(container) ? container : copyOf();
  copies.add(copy);
  return copy;
}

/** RFC 6901: `/spec/ports/0/targetPort`. */
export const jsonPointer = (path: FieldPath): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** Rules hold selectors and blocks in full; people leave out of them what is empty, which means the same. */
export const asWritten = (patch: readonly PatchOperation[]): readonly PatchOperation[] =>
  patch.map((operation) => (operation.op === 'remove' ? operation : { ...operation, value: withoutEmptyParts(operation.value) }));

function withoutEmptyParts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyParts);
  if (!isObject(value)) return value;
  const isEmptyPart = ([key, part]: readonly [string, unknown]): boolean =>
    (key === 'matchLabels' || key === 'matchExpressions' || key === 'except') &&
    typeof part === 'object' &&
    part !== null &&
    Object.keys(part).length === 0;
  const kept = Object.entries(value).filter((entry) => !isEmptyPart(entry));
  return Object.fromEntries(kept.map(([key, part]) => [key, withoutEmptyParts(part)]));
}
