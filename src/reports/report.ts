/** What a report is made of, whatever its form. */
import type { Fault, Skip } from '../engine/evaluate.ts';
import { type Finding, type Severity, severities } from '../engine/finding.ts';
import type { Mode } from '../engine/mode.ts';
import type { Warning } from '../engine/review.ts';
import type { ObjectRef } from '../kube/resources.ts';
import type { Picture } from '../picture/picture.ts';

/** Line and column from 1. */
export interface ReportPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface ReportedFinding {
  readonly finding: Finding;
  readonly mode: Exclude<Mode, 'off'>;
  /** Of the field at fault; undefined for what was read from a cluster. */
  readonly place?: ReportPlace;
  /** Where the related objects begin, in their order; undefined for one that stands in no file. */
  readonly relatedPlaces?: readonly (ReportPlace | undefined)[];
  /** Why the write would not be denied, though the mode of the finding is deny; `check --against` alone knows of writes. */
  readonly softened?: Warning['softened'];
  /** Against the baseline, where there is one. */
  readonly state?: 'introduced' | 'unchanged';
}

export interface ExemptedFinding {
  readonly finding: Finding;
  readonly reason: string;
  readonly place?: ReportPlace;
  readonly relatedPlaces?: readonly (ReportPlace | undefined)[];
}

/** Something that the input made impossible to use. */
export interface ReportedError {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint: string;
  /** Nothing is wrong with what was given: a part of it could not be looked at. */
  readonly gap?: true;
}

/** An object, where it begins, and the ids of the rules that judge it, also of those that did not come to an end. */
export interface JudgedObject {
  readonly object: ObjectRef;
  readonly rules: readonly string[];
  readonly place?: ReportPlace;
}

export interface Report {
  /** How many objects were judged. */
  readonly objects: number;
  /** Which, and by which rules: for formats that list what is well, and for a baseline. */
  readonly judged: readonly JudgedObject[];
  /** How many files were read; 0 where a cluster was. */
  readonly files: number;
  /** The cluster that was looked at, by the name of its context or of its snapshot; undefined for files alone. */
  readonly cluster?: string;
  /** When, in epoch milliseconds; undefined for files alone. */
  readonly observedAt?: number;
  readonly findings: readonly ReportedFinding[];
  readonly exempted: readonly ExemptedFinding[];
  readonly skipped: readonly { readonly skip: Skip; readonly object: ObjectRef }[];
  readonly faults: readonly { readonly fault: Fault; readonly object: ObjectRef }[];
  readonly errors: readonly ReportedError[];
  /** What the configuration has to say: an exemption that has expired. */
  readonly notices: readonly string[];
  /** What the baseline had and is no more; undefined where no baseline was given. */
  readonly fixed?: readonly FixedFinding[];
  /** How many findings the baseline has that were not looked at now, so that nobody knows whether they are fixed. */
  readonly notCompared?: number;
}

/** Of a finding that a baseline tells of. */
export interface FixedFinding {
  readonly ruleId: string;
  readonly subject: ObjectRef;
  readonly path: string;
  readonly what: string;
  readonly severity: Severity;
  readonly fingerprint: string;
  /** The file that held the object; undefined for what was read from a cluster. */
  readonly file?: string;
}

/** What a terminal can do with a piece of text. */
export type Paint = (style: 'bold' | 'dim' | 'red' | 'yellow' | 'cyan', text: string) => string;

/** For whom a report is written; docs/output-formats.md. */
export const reportFormats = ['text', 'json', 'markdown', 'sarif', 'junit', 'github', 'gitlab', 'html', 'dot', 'mermaid'] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** A rule as formats describe it that tell of rules by themselves. */
export interface RuleText {
  readonly id: string;
  readonly summary: string;
  readonly kinds: readonly string[];
  /** Of its messages. */
  readonly severities: readonly Severity[];
  /** Its page, as Markdown; undefined if it has none. */
  readonly page: () => string | undefined;
}

/** Who may talk to whom, laid out: one drawing, or one for each namespace where one would be too large to read. */
export interface DrawnPicture {
  readonly picture: Picture;
  /** The title is the namespace, or '' for the one that holds everything; SVG as Graphviz writes it. */
  readonly drawings: readonly { readonly title: string; readonly svg: string; readonly omitted: readonly string[] }[];
  /** What no drawing shows, in sentences. */
  readonly omitted: readonly string[];
}

export interface ReportOptions {
  readonly paint?: Paint;
  /** The directory that names of files are told from, where they are absolute. */
  readonly root?: string;
  /** The most that Markdown may be, in bytes of UTF-8; whatever is over it is left out, and said. */
  readonly maxBytes?: number;
  /** Where the rules' pages are published, without a slash at its end; empty if nowhere. */
  readonly docsBaseUrl?: string;
  /** Every rule there is. */
  readonly rules?: readonly RuleText[];
  /** For the HTML page. */
  readonly picture?: DrawnPicture;
  /** Of Portcullis. */
  readonly version?: string;
}

/** How many findings there are of each severity, gravest first. */
export const bySeverity = (findings: readonly ReportedFinding[]): Readonly<Record<Severity, number>> =>
  Object.fromEntries(
    severities.map((severity) => [severity, findings.filter(({ finding }) => finding.severity === severity).length]),
  ) as Record<Severity, number>;

/** A fault is a defect of ours: its text, never its stack. */
export const faultText = ({ cause }: Fault): string => (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause));
