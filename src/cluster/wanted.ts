/** What rules want to be read by name. */
import { formatRef, type ObjectRef } from '../kube/resources.ts';

/** One object, and whether the rule needs to know what is in it: of a Secret, that it is there is otherwise all that is read. */
export interface Wanted extends ObjectRef {
  readonly content?: true;
}

/** Each object once, with its content if one of those who ask needs that. */
export function eachOnce(refs: readonly Wanted[]): readonly Wanted[] {
  const once = new Map<string, Wanted>();
  for (const ref of refs) {
    const key = formatRef(ref);
    if (!once.has(key) || ref.content) once.set(key, ref);
  }
  return [...once.values()];
}
