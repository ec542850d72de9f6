/** What a report is made of, whatever its form. */
import type { Fault, Skip } from '../engine/evaluate.ts';
import { type Finding, type Severity, severities } from '../engine/finding.ts';
import type { Mode } from '../engine/mode.ts';
import type { ObjectRef } from '../kube/resources.ts';

/** Line and column from 1. */
interface ReportPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface ReportedFinding {
  readonly finding: Finding;
  readonly mode: Exclude<Mode, 'off'>;
  /** Of the field at fault; undefined for what was read from a cluster. */
  readonly place?: ReportPlace;
  /** Against the baseline, where there is one. */
  readonly state?: 'introduced' | 'unchanged';
}

/** Something that the input made impossible to use. */
export interface ReportedError {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint: string;
}

export interface Report {
  /** How many objects were judged. */
  readonly objects: number;
  /** How many files were read; 0 where a cluster was. */
  readonly files: number;
  /** The cluster that was looked at, by the name of its context or of its snapshot; undefined for files alone. */
  readonly cluster?: string;
  /** When, in epoch milliseconds; undefined for files alone. */
  readonly observedAt?: number;
  readonly findings: readonly ReportedFinding[];
  readonly exempted: readonly { readonly finding: Finding; readonly reason: string }[];
  readonly skipped: readonly { readonly skip: Skip; readonly object: ObjectRef }[];
  readonly faults: readonly { readonly fault: Fault; readonly object: ObjectRef }[];
  readonly errors: readonly ReportedError[];
  /** What the configuration has to say: an exemption that has expired. */
  readonly notices: readonly string[];
  /** What the baseline had and is no more; undefined where no baseline was given. */
  readonly fixed?: readonly FixedFinding[];
}

/** Of a finding that a baseline tells of. */
export interface FixedFinding {
  readonly ruleId: string;
  readonly subject: ObjectRef;
  readonly path: string;
  readonly what: string;
  readonly severity: Severity;
  readonly fingerprint: string;
}

/** What a terminal can do with a piece of text. */
export type Paint = (style: 'bold' | 'dim' | 'red' | 'yellow' | 'cyan', text: string) => string;

export interface ReportOptions {
  readonly paint?: Paint;
}

/** How many findings there are of each severity, gravest first. */
export const bySeverity = (findings: readonly ReportedFinding[]): Readonly<Record<Severity, number>> =>
  Object.fromEntries(
    severities.map((severity) => [severity, findings.filter(({ finding }) => finding.severity === severity).length]),
  ) as Record<Severity, number>;

const reasons: Readonly<Record<Skip['reason'], string>> = {
  notGiven: 'is not among the files',
  unsynced: 'is not read yet',
  forbidden: 'may not be read',
  notServed: 'is not known to this cluster',
  unanswered: 'was not told in time by the API server',
  deadline: 'there was no time left',
};

/** Why a rule was not judged, as the end of a sentence: `Pod of namespace shop is not among the files`. */
export function skipText({ reason, missing, namespace }: Skip): string {
  if (missing === undefined) return reasons[reason];
  const where = namespace === '*' ? ' of all namespaces' : namespace ? ` of namespace ${namespace}` : '';
  return `${missing}${where} ${reasons[reason]}`;
}

/** A fault is a defect of ours: its text, never its stack. */
export const faultText = ({ cause }: Fault): string => (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause));
