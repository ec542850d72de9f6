/** Manifest files as writes to a cluster that a snapshot tells of: what the webhook would answer them. */

import { namespaceLabelsIn } from '../cluster/namespace-choice.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import { severities } from '../engine/finding.ts';
import { type Decision, review, type Write } from '../engine/review.ts';
import type { ConfiguredRule } from '../engine/rule.ts';
import { isJudged } from '../kube/collections.ts';
import { keepAllocated } from '../kube/keep-allocated.ts';
import { listed } from '../kube/listed.ts';
import { formatRef, type JudgedResource, type ObjectRef, type Resource, refOf } from '../kube/resources.ts';
import type { ReportedError, ReportedFinding } from '../reports/report.ts';
import { counted } from '../reports/summary.ts';
import type { Manifest } from '../sources/manifests.ts';
import type { ClusterState } from './cluster-state.ts';
import { rightsPage, withParts } from './scan.ts';
import type { Outcome } from './survey-report.ts';

export interface JudgedWrites {
  /** In the order of the files. */
  readonly outcomes: readonly Outcome[];
  /** The cluster after all of them. */
  readonly snapshot: ClusterSnapshot;
}

/**
 * All files are laid over the snapshot first, so that a Service finds the Deployment beside it, whichever is applied
 * first. Then each object is reviewed: as an update of what the snapshot holds, whose defects are not held against it, or
 * as new. Nobody's rights are asked for, and nothing is looked at live. `now`: epoch milliseconds.
 */
export async function judgedAgainst(state: ClusterState, manifests: readonly Manifest[], now: number): Promise<JudgedWrites> {
  const completed = manifests.map((one) =>
    one.resource === undefined ? one : { ...one, resource: asStored(one.resource, state.snapshot) },
  );
  const given = completed.flatMap(({ resource }) => resource ?? []);
  const snapshot = state.snapshot.with(given.filter(({ kind }) => kind !== 'Secret'));
  const objects = [...byRef(completed).values()].flatMap(({ resource, rejected }) =>
    resource && isJudged(resource) && !rejected ? resource : [],
  );
  const secrets = new Map(given.filter(({ kind }) => kind === 'Secret').map((one) => [formatRef(refOf(one)), one]));
  const outcomes: Outcome[] = [];
  for (const object of objects) outcomes.push(await judgedWrite(object, { state, snapshot, secrets, now }));
  return { outcomes, snapshot };
}

/**
 * What checks would have needed, and the snapshot does not know: whoever took it was not allowed to list it. Secrets that the
 * configuration keeps from us are no such lack.
 */
export function blindSpots(state: ClusterState, outcomes: readonly Outcome[], file: string): readonly ReportedError[] {
  const { level } = state.configuration.secrets;
  const lacks = outcomes
    .flatMap(({ skipped }) => skipped)
    .filter(({ reason, missing }) => (reason === 'forbidden' || reason === 'unsynced') && !(missing === 'Secret' && level === 'off'))
    .map((skip) => ({ ...skip, namespace: skip.namespace ?? '*' }));
  return [...Map.groupBy(lacks, ({ missing }) => missing)].map(([missing, group]) => {
    const namespaces = [...new Set(group.map(({ namespace }) => namespace))].sort();
    const where = namespaces.includes('*') ? 'all namespaces' : `namespace ${listed(namespaces)}`;
    const parts = [...new Set(group.flatMap(({ resources = [] }) => resources))];
    const what = parts.length > 0 ? listed(parts, parts.length) : `${missing}`;
    const message = `${what} of ${where} could not be read when the snapshot was taken, so ${counted(group.length, 'check')} could not be made`;
    return { file, message, hint: `Take it anew with the rights of ${rightsPage}.`, gap: true };
  });
}

/** As the API server shows it to a webhook: with what it has allocated before. */
function asStored(resource: Resource, held: ClusterSnapshot): Resource {
  if (!isJudged(resource) || resource.kind !== 'Service') return resource;
  const before = held.get('Service', resource.metadata.namespace, resource.metadata.name);
  return before === undefined ? resource : keepAllocated(resource, before);
}

/** By `formatRef`; of several of one name, the last. */
export const byRef = (manifests: readonly Manifest[]): ReadonlyMap<string, Manifest> =>
  new Map(manifests.flatMap((one) => (one.resource === undefined ? [] : [[formatRef(refOf(one.resource)), one] as const])));

interface World {
  readonly state: ClusterState;
  readonly snapshot: ClusterSnapshot;
  /** Those of the files. */
  readonly secrets: ReadonlyMap<string, Resource>;
  readonly now: number;
}

async function judgedWrite(object: JudgedResource, { state, snapshot, secrets, now }: World): Promise<Outcome> {
  const before = state.snapshot.get(object.kind, object.metadata.namespace, object.metadata.name);
  const write: Write =
    before === undefined
      ? { operation: 'CREATE', after: object, dryRun: false }
      : { operation: 'UPDATE', before, after: object, dryRun: false };
  const namespaceLabels = namespaceLabelsIn(snapshot, object.metadata.namespace);
  const { operation } = write;
  const settings = state.configuration.bind({ object, operation, namespaceLabels, now, offline: true, ...(before && { before }) });
  const refs = settings.rules.flatMap((rule) => rule.fetches(object, snapshot));
  const fetched = new Map([...(await state.readByName(refs)), ...among(refs, secrets)]);
  const decision = review(write, snapshot.knowing({ fetched }), settings.rules, { settings, tellsOfOthers: true, offline: true });
  return {
    object,
    ran: settings.rules.filter(({ meta }) => meta.kinds.includes(object.kind)).map(({ meta }: ConfiguredRule) => meta.id),
    findings: findingsOf(decision),
    exempted: decision.exempted,
    skipped: decision.skipped.map((skip) => withParts(skip, state.reaches)),
    faults: decision.faults,
    notices: settings.notices,
  };
}

const among = (refs: readonly ObjectRef[], secrets: World['secrets']) =>
  refs.flatMap((ref) => {
    const secret = secrets.get(formatRef(ref));
    return secret === undefined ? [] : [[formatRef(ref), secret] as const];
  });

/** Gravest first. */
function findingsOf({ denials, warnings, audited }: Decision): readonly ReportedFinding[] {
  const findings: readonly ReportedFinding[] = [
    ...denials.map((finding) => ({ finding, mode: 'deny' as const })),
    ...warnings.map(({ finding, softened }) => ({ finding, mode: 'warn' as const, ...(softened && { softened }) })),
    ...audited.map((finding) => ({ finding, mode: 'audit' as const })),
  ];
  return findings.toSorted((a, b) => severities.indexOf(a.finding.severity) - severities.indexOf(b.finding.severity));
}
