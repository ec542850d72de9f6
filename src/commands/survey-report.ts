/** What a survey has found, as a report tells it. */
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Finding } from '../engine/finding.ts';
import type { Surveyed } from '../engine/survey.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { judgedKinds, type ObjectRef, refOf } from '../kube/resources.ts';
import type { BaselineFinding } from '../reports/baseline.ts';
import type { Report, ReportPlace } from '../reports/index.ts';
import type { ReportedFinding } from '../reports/report.ts';

/** Where a field of an object stands in a file; undefined for what was read from a cluster. */
export type PlaceOf = (object: ObjectRef, path: FieldPath) => ReportPlace | undefined;

/** Of a cluster: what a complete list of its kind does not hold. */
export const goneFrom =
  (snapshot: ClusterSnapshot) =>
  ({ subject: { kind, namespace, name } }: BaselineFinding): boolean => {
    const known = judgedKinds.find((one) => one === kind);
    return known !== undefined && snapshot.coverage(known, namespace) === 'complete' && snapshot.get(known, namespace, name) === undefined;
  };

/** What was found in one object: as it stands, or as a write that would be answered so. */
export interface Outcome extends Omit<Surveyed, 'findings' | 'reads' | 'entries'> {
  readonly findings: readonly ReportedFinding[];
}

export function surveyReport(
  surveyed: readonly Outcome[],
  placeOf: PlaceOf = () => undefined,
): Pick<Report, 'objects' | 'judged' | 'findings' | 'exempted' | 'skipped' | 'faults'> {
  const placed = (object: ObjectRef, path: FieldPath) => {
    const place = placeOf(object, path);
    return place === undefined ? {} : { place };
  };
  const withPlaces = <T extends { readonly finding: Finding }>(one: T) => {
    const { subject, path, related } = one.finding;
    return { ...one, ...placed(subject, path), relatedPlaces: related.map((ref) => placeOf(ref, [])) };
  };
  return {
    objects: surveyed.length,
    judged: surveyed.map(({ object, ran }) => ({ object: refOf(object), rules: ran, ...placed(refOf(object), []) })),
    findings: surveyed.flatMap(({ findings }) => findings.map(withPlaces)),
    exempted: surveyed.flatMap(({ exempted }) => exempted.map(withPlaces)),
    skipped: surveyed.flatMap(({ object, skipped }) => skipped.map((skip) => ({ skip, object: refOf(object) }))),
    faults: surveyed.flatMap(({ object, faults }) => faults.map((fault) => ({ fault, object: refOf(object) }))),
  };
}
