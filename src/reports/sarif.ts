/** SARIF 2.1.0 (OASIS), as code scanning and editors read it. */
import type { Severity } from '../engine/finding.ts';
import { display } from '../kube/display.ts';
import { formatPath } from '../kube/field-path.ts';
import { formatRef, type ObjectRef } from '../kube/resources.ts';
import { fingerprints } from './fingerprint.ts';
import { writtenJson } from './json.ts';
import type { ExemptedFinding, FixedFinding, Report, ReportedFinding, ReportOptions, ReportPlace, RuleText } from './report.ts';
import { invocationOf } from './sarif-invocation.ts';
import { fileLocation, ofObject, placeLocation, plainText } from './sarif-location.ts';
import { ruleDescriptor } from './sarif-rules.ts';
import { gravestFirst } from './summary.ts';

/** GitHub keeps so many results of a run (docs.github.com, "Results exceed limit"): better that we choose them. */
const maxResults = 5_000;

const levelOf = { deny: 'error', warn: 'warning', audit: 'note' } as const;
const rankOf: Readonly<Record<Severity, number>> = { critical: 95, high: 80, medium: 55, low: 30, info: 5 };

export function sarifReport(report: Report, options: ReportOptions): string {
  const { docsBaseUrl = '', version, root } = options;
  const rules = rulesOf(report, options);
  const indexOf = new Map(rules.map(({ id }, index) => [id, index]));
  const context: Context = { root, indexOf: (ruleId) => indexOf.get(ruleId) ?? -1, unique: fingerprints() };
  const all = [
    ...gravestFirst(report.findings).map((one) => findingResult(one, context)),
    ...report.exempted.map((one) => exemptedResult(one, context)),
    ...(report.fixed ?? []).map((one) => fixedResult(one, context)),
  ];
  const run = {
    tool: {
      driver: {
        name: 'Portcullis',
        ...(version === undefined ? {} : { version }),
        rules: rules.map((rule) => ruleDescriptor(rule, docsBaseUrl)),
      },
    },
    columnKind: 'utf16CodeUnits',
    originalUriBaseIds: { '%SRCROOT%': { description: { text: 'The directory in which the command ran.' } } },
    invocations: [invocationOf(report, { root, indexOf: context.indexOf, leftOut: Math.max(0, all.length - maxResults) })],
    results: all.slice(0, maxResults),
  };
  return writtenJson({
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [run],
  });
}

interface Context {
  readonly root: string | undefined;
  readonly indexOf: (ruleId: string) => number;
  readonly unique: ReturnType<typeof fingerprints>;
}

/** Another object, and where it begins. */
interface Related {
  readonly ref: ObjectRef;
  readonly at: ReportPlace | undefined;
}

/** Every rule that there is, and any that a baseline or a test knows beside them. */
function rulesOf({ findings, exempted, skipped, faults, fixed = [] }: Report, { rules = [] }: ReportOptions): readonly RuleText[] {
  const told = [
    ...findings.map(({ finding }) => finding),
    ...exempted.map(({ finding }) => finding),
    ...skipped.map(({ skip }) => skip),
    ...faults.map(({ fault }) => fault),
    ...fixed,
  ];
  const known = new Set(rules.map(({ id }) => id));
  const others = new Set(told.map(({ ruleId }) => ruleId).filter((id) => !known.has(id)));
  return [...rules, ...Array.from(others, (id) => ({ id, summary: id, kinds: [], severities: [], page: () => undefined }))];
}

function findingResult(one: ReportedFinding, context: Context) {
  const { mode, state } = one;
  const baselineState = state === undefined ? {} : { baselineState: state === 'introduced' ? 'new' : 'unchanged' };
  return { ...resultOf(one, context), level: levelOf[mode], ...baselineState };
}

const exemptedResult = (one: ExemptedFinding, context: Context) => ({
  ...resultOf(one, context),
  level: 'warning',
  suppressions: [{ kind: 'external', status: 'accepted', justification: display(one.reason) }],
});

function resultOf({ finding, place, relatedPlaces = [] }: ReportedFinding | ExemptedFinding, context: Context) {
  const { ruleId, severity, subject, path, what, why, fix, related, fingerprint, messageId } = finding;
  const others = related.map((ref, at) => ({ ref, at: relatedPlaces[at] }));
  // What has no place is no location to those who show files.
  const locatable = place === undefined ? others : others.filter(({ at }) => at !== undefined);
  return {
    ...aboutRule(ruleId, context),
    kind: 'fail',
    rank: rankOf[severity],
    message: { text: plainText(`${formatRef(subject)}: ${what}. ${why} Fix: ${fix.text}`) },
    locations: [{ ...physical(place, context), logicalLocations: [ofObject(subject, formatPath(path))] }],
    ...(locatable.length === 0 ? {} : { relatedLocations: locatable.map((other, index) => relatedLocation(other, index, context)) }),
    partialFingerprints: partial(fingerprint, context),
    properties: {
      severity,
      message: messageId,
      path: display(formatPath(path)),
      fix: display(fix.text),
      related: related.map((ref) => display(formatRef(ref))),
    },
  };
}

const physical = (place: ReportPlace | undefined, { root }: Context) => (place === undefined ? {} : placeLocation(place, root));

const aboutRule = (ruleId: string, { indexOf }: Context) => ({ ruleId, ruleIndex: indexOf(ruleId) });

const relatedLocation = ({ ref, at }: Related, index: number, context: Context) => ({
  id: index + 1,
  message: { text: plainText(formatRef(ref)) },
  ...physical(at, context),
  logicalLocations: [ofObject(ref)],
});

/** `primaryLocationLineHash` is what GitHub goes by; without it, it would take the text of the line, and lose what moves. */
function partial(fingerprint: string, { unique }: Context) {
  const { hash, nth } = unique(fingerprint);
  return { primaryLocationLineHash: `${hash}:${nth}`, 'portcullis/v1': hash };
}

/** Of the baseline, and no more. A `pass`, so that nobody counts it who does not know of baselines. */
function fixedResult({ ruleId, subject, path, what, severity, fingerprint, file }: FixedFinding, context: Context) {
  const inFile = file === undefined ? {} : fileLocation(file, context.root);
  return {
    ...aboutRule(ruleId, context),
    kind: 'pass',
    level: 'none',
    baselineState: 'absent',
    message: { text: plainText(`Fixed: ${formatRef(subject)}: ${what}`) },
    locations: [{ ...inFile, logicalLocations: [ofObject(subject, path)] }],
    partialFingerprints: partial(fingerprint, context),
    properties: { severity, path: display(path) },
  };
}
