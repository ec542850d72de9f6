import type { FieldPath } from '../kube/field-path.ts';
import type { Collection, ObjectRef, RawObject } from '../kube/resources.ts';

/** PolicyReport's scale, gravest first. */
export const severities = ['critical', 'high', 'medium', 'low', 'info'] as const;
export type Severity = (typeof severities)[number];

/** RFC 6902, the operations that fixes need. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: FieldPath; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: FieldPath };

/** A way to repair the defect. */
export interface Fix {
  /** One line, an instruction that names real objects and literal values. */
  readonly text: string;
  /** The same as an edit of the object judged, which `check --fix` makes: computed, never guessed. */
  readonly patch?: readonly PatchOperation[];
  /** In its place where the text asks "did you mean …?" and may be wrong: the engine tries it, and hands it to nobody. */
  readonly guess?: readonly PatchOperation[];
  /** The same as an object to apply beside it. */
  readonly manifest?: RawObject;
}

/** An edit towards what was meant, where that is certain; else a guess, of which the text alone is told. */
export const editTowards = (isCertain: boolean, operations: readonly PatchOperation[]): Pick<Fix, 'patch' | 'guess'> =>
  isCertain ? { patch: operations } : { guess: operations };

/** What a rule's message says, before the engine has tried its fixes. */
export interface Explanation {
  /** What is wrong: a fact about this object, with the numbers. One sentence without a full stop. */
  readonly what: string;
  /** The consequence: one sentence with a full stop. */
  readonly why: string;
  /**
   * Best first. The engine runs the rule again on each fix that carries an edit and keeps the first that holds; the
   * last one carries none and is what remains to be said.
   */
  readonly fixes: readonly [...Fix[], Fix];
}

/** Whose facts a text and a verdict rest on (reliability.md B3). */
export type Facts = 'self' | 'namespace' | 'foreign' | 'secret' | 'public';

export interface Finding {
  readonly ruleId: string;
  readonly messageId: string;
  readonly severity: Severity;
  readonly facts: Facts;
  readonly subject: ObjectRef;
  /** The field at fault; of a missing field, where it would stand. */
  readonly path: FieldPath;
  readonly what: string;
  readonly why: string;
  readonly fix: Omit<Fix, 'guess'>;
  readonly related: readonly ObjectRef[];
  /** Equal for the same defect in two evaluations, whatever the position in a list: rule, message, object, field, value. */
  readonly fingerprint: string;
  /** What this finding consists of, for the ratchet: an update that adds none of these has introduced nothing. */
  readonly defects: readonly string[];
  /** What may not be read and would have made it another finding, or none. */
  readonly lacks?: readonly Collection[];
}
