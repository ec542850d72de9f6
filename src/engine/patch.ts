/** Applying a fix to an object, without touching the original. */
import type { FieldPath } from '../kube/field-path.ts';
import type { PatchOperation } from './finding.ts';

/** RFC 6902 for the operations that fixes use; `-` as the last part of an added path appends to a list, made if need be. */
export const applyPatch = <T>(object: T, patch: readonly PatchOperation[]): T =>
  patch.reduce((patched, operation) => edited(patched, operation.path, operation) as T, object);

type Container = readonly unknown[] | Readonly<Record<string, unknown>>;

function edited(value: unknown, [part, ...rest]: FieldPath, operation: PatchOperation): unknown {
  if (part === undefined) return operation.op === 'remove' ? undefined : operation.value;
  const container = (value ?? (part === '-' || typeof part === 'number' ? [] : {})) as Container;
  if (Array.isArray(container)) return editedList(container, part, rest, operation);
  const record = container as Readonly<Record<string, unknown>>;
  const copy: Record<string, unknown> = Object.assign(Object.create(null), record);
  if (rest.length === 0 && operation.op === 'remove') delete copy[part];
  else copy[part] = edited(record[part], rest, operation);
  return copy;
}

function editedList(list: readonly unknown[], part: string | number, rest: FieldPath, operation: PatchOperation): unknown {
  const at = part === '-' ? list.length : Number(part);
  if (rest.length > 0) return list.with(at, edited(list[at], rest, operation));
  if (operation.op === 'remove') return list.toSpliced(at, 1);
  return list.toSpliced(at, operation.op === 'add' ? 0 : 1, operation.value);
}

/** RFC 6901: `/spec/ports/0/targetPort`. */
export const jsonPointer = (path: FieldPath): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
