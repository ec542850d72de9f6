/** The line that every report for people begins or ends with. */
import { severities } from '../engine/finding.ts';
import { display, shorten } from '../kube/display.ts';
import { formatRef, type ObjectRef } from '../kube/resources.ts';
import { bySeverity, type Report, type ReportedFinding } from './report.ts';

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export const isNote = ({ mode }: ReportedFinding): boolean => mode === 'audit';

/** Known from the baseline: shown in short, and failing nothing. */
export const isKnown = ({ state }: ReportedFinding): boolean => state === 'unchanged';

/** `Service shop/web`, safe to print, long names shortened. */
export const nameOf = (ref: ObjectRef): string =>
  display(formatRef({ ...ref, name: shorten(ref.name), namespace: shorten(ref.namespace) }));

export const verdictOf = ({ mode, softened }: ReportedFinding): string =>
  mode === 'deny' ? 'denied on apply' : mode === 'warn' ? `warned on apply${whySoftened(softened)}` : 'noted in audits';

function whySoftened(softened: ReportedFinding['softened']): string {
  if (softened === 'ratcheted') return ', not denied: it is not new';
  return softened === 'owned' ? ', not denied: a controller keeps the object' : '';
}

/** `2 findings (1 high, 1 medium), 1 note in 5 objects of 3 files; 1 introduced, 0 fixed, 1 unchanged; 1 error in the input`. */
export function summaryLine(report: Report): string {
  const { findings, errors, skipped, faults, exempted } = report;
  const notes = findings.filter(isNote);
  const failing = findings.filter((one) => !isNote(one));
  const counts = Object.entries(bySeverity(failing)).filter(([, count]) => count > 0);
  const grave = counts.length === 0 ? '' : ` (${counts.map(([severity, count]) => `${count} ${severity}`).join(', ')})`;
  const beside = notes.length === 0 ? '' : `, ${counted(notes.length, 'note')}`;
  return [
    `${failing.length === 0 ? 'No findings' : counted(failing.length, 'finding')}${grave}${beside} in ${whereIn(report)}`,
    ...comparison(report),
    ...errorsText(errors),
    ...(skipped.length === 0 ? [] : [`${counted(skipped.length, 'check')} not made`]),
    ...(exempted.length === 0 ? [] : [`${exempted.length} exempt`]),
    ...(faults.length === 0 ? [] : [`${counted(faults.length, 'rule')} failed`]),
  ].join('; ');
}

/** What may not be read is no error in what was given. */
export const errorsTitle = (errors: readonly { readonly gap?: true | undefined }[]): string =>
  errors.every(({ gap }) => gap === true) ? 'Not judged' : 'Cannot be used';

function errorsText(errors: Report['errors']): readonly string[] {
  const gaps = errors.filter(({ gap }) => gap === true).length;
  const wrong = errors.length - gaps;
  return [
    ...(wrong === 0 ? [] : [`${counted(wrong, 'error')} in the input`]),
    ...(gaps === 0 ? [] : [`not complete: ${counted(gaps, 'part')} not judged`]),
  ];
}

function whereIn({ objects, files, cluster }: Report): string {
  const ofFiles = files > 0 || cluster === undefined ? ` of ${counted(files, 'file')}` : '';
  const ofCluster = cluster === undefined ? '' : files > 0 ? `, against cluster ${display(cluster)}` : ` of cluster ${display(cluster)}`;
  return `${counted(objects, 'object')}${ofFiles}${ofCluster}`;
}

/** `Service shop/web`, or `12 objects`. */
export const objectsText = (objects: readonly ObjectRef[]): string => {
  const [only, ...others] = objects;
  return only !== undefined && others.length === 0 ? nameOf(only) : counted(objects.length, 'object');
};

/** With a baseline: `3 introduced, 2 fixed, 10 unchanged`, and how many nobody has looked at. */
function comparison({ findings, fixed, notCompared = 0 }: Report): readonly string[] {
  if (fixed === undefined) return [];
  const known = findings.filter(isKnown).length;
  const left = notCompared === 0 ? '' : ` (${notCompared} of the baseline not looked at)`;
  return [`${findings.length - known} introduced, ${fixed.length} fixed, ${known} unchanged${left}`];
}

/** `Cluster prod, 2026-11-21 15:20:31 UTC`; empty for files alone. */
export function heading({ cluster, observedAt }: Report): string {
  const time = observedAt === undefined ? '' : new Date(observedAt).toISOString().slice(0, 19).replace('T', ' ');
  const parts = [...(cluster === undefined ? [] : [`Cluster ${display(cluster)}`]), ...(time === '' ? [] : [`${time} UTC`])];
  return parts.join(', ');
}

/** What to repair first: introduced before known, notes last, by severity, then as they were found. */
export const gravestFirst = (findings: readonly ReportedFinding[]): readonly ReportedFinding[] =>
  findings.toSorted(
    (a, b) =>
      Number(isKnown(a)) - Number(isKnown(b)) ||
      Number(isNote(a)) - Number(isNote(b)) ||
      severities.indexOf(a.finding.severity) - severities.indexOf(b.finding.severity),
  );
