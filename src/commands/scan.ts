/** All rules on all objects of a cluster, once: what `audit` reports, and what other commands build on. */
import { lackingIn, type Reaches } from '../cluster/reach.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Found } from '../cluster/view.ts';
import type { Wanted } from '../cluster/wanted.ts';
import { asStored } from '../config/as-stored.ts';
import type { Configuration } from '../config/settings.ts';
import type { Skip } from '../engine/evaluate.ts';
import { rulesThatWait } from '../engine/rule.ts';
import { type Surveyed, type SurveyOptions, surveyOne } from '../engine/survey.ts';
import { display } from '../kube/display.ts';
import { listed } from '../kube/listed.ts';
import { formatRef, judgedKinds } from '../kube/resources.ts';
import type { Report, ReportedError } from '../reports/report.ts';
import { type ClusterState, type ClusterStateOptions, liveState } from './cluster-state.ts';
import { snapshotState } from './snapshot-state.ts';
import { surveyReport } from './survey-report.ts';
import type { Terminal } from './terminal.ts';

export interface ScanOptions extends ClusterStateOptions {
  /** A file of `portcullis snapshot` in place of a cluster. */
  readonly snapshot?: string;
}

export interface Scan {
  readonly report: Report;
  readonly snapshot: ClusterSnapshot;
  readonly configuration: Configuration;
  /** As in the report, by object; without what is too new to tell. */
  readonly surveyed: readonly Surveyed[];
}

/** Rejects with an OperatorError where nothing can be judged: no cluster, no configuration, no snapshot. */
export async function scanCluster(options: ScanOptions, terminal: Terminal): Promise<Scan> {
  const state = await stateFor(options, terminal);
  try {
    return await scanState(state, options, terminal);
  } finally {
    terminal.status?.('');
    await state.close();
  }
}

/** To be closed. Rejects with an OperatorError. */
export const stateFor = ({ snapshot, ...options }: ScanOptions, terminal: Terminal): Promise<ClusterState> =>
  snapshot === undefined ? liveState(options, terminal) : snapshotState({ ...options, snapshot }, terminal);

/** The same of a state that is there, with its configuration. */
export async function scanState(state: ClusterState, { namespace: only = [], signal }: ScanOptions, terminal: Terminal): Promise<Scan> {
  const { snapshot, configuration, name } = state;
  const objects = judgedKinds
    .flatMap((kind) => snapshot.listAll(kind))
    .filter(({ metadata }) => only.length === 0 || only.includes(metadata.namespace));
  const options = surveyOptions(state);
  const surveyed: Surveyed[] = [];
  for (let at = 0; at < objects.length; at += sliceSize) {
    signal?.throwIfAborted();
    terminal.status?.(`judging ${display(name)}: ${at} of ${objects.length} objects`);
    surveyed.push(...(await Promise.all(objects.slice(at, at + sliceSize).map((object) => surveyOne(object, snapshot, options)))));
    await new Promise(setImmediate); // Ctrl-C is heard in between
  }
  const settled = surveyed.map((one) => withoutTooNew(naming(one, state), configuration, snapshot.observedAt));
  const errors = [...absent(state, only), ...unlisted(state, only)];
  // Of a part of a cluster nobody knows what the rest needs.
  const needed = only.length > 0 || errors.length > 0 ? undefined : new Set(surveyed.flatMap(({ entries }) => entries));
  const report = {
    ...surveyReport(settled),
    cluster: name,
    observedAt: snapshot.observedAt,
    files: 0,
    errors,
    notices: [
      ...new Set([
        ...[state.notice, state.stale].flatMap((one) => one ?? []),
        ...surveyed.flatMap((one) => one.notices),
        ...configuration.entriesToReview(snapshot.observedAt, needed).map(({ text }) => text),
      ]),
    ],
  };
  return { report, snapshot, configuration, surveyed: settled };
}

/** Has a role for audits, ready to be applied. */
export const rightsPage = 'docs/audit.md (What you may not read)';
/** So many objects have their Secrets read side by side. */
const sliceSize = 20;

/** Nobody writes, and whoever runs the command may read what it reads: nothing is kept from him. */
function surveyOptions({ snapshot, configuration, readByName }: ClusterState): SurveyOptions {
  return {
    bind: asStored(configuration, snapshot, { now: snapshot.observedAt }),
    readByName: onceEach(readByName),
    tellsOfOthers: true,
  };
}

/** Many Ingresses name one Secret. */
function onceEach(readByName: ClusterState['readByName']): ClusterState['readByName'] {
  const asked = new Map<string, Promise<Found>>();
  const ask = async (ref: Wanted): Promise<Found> => (await readByName([ref])).get(formatRef(ref)) ?? 'unknown';
  return async (refs) => {
    const answers = refs.map(async (ref) => {
      const { content }: Wanted = ref;
      const key = `${formatRef(ref)}${content ? ' content' : ''}`;
      const answer = asked.get(key) ?? ask(ref);
      asked.set(key, answer);
      return [formatRef(ref), await answer] as const;
    });
    return new Map(await Promise.all(answers));
  };
}

/** What a later object can repair is not told before the grace is over, as the continuous audit does it. */
function withoutTooNew(one: Surveyed, { rules, graceMs }: Configuration, now: number): Surveyed {
  const { changedMs = 0 } = one.object.metadata;
  if (now - changedMs >= graceMs) return one;
  const waiting = rulesThatWait(rules);
  const tooNew = new Set(one.findings.map(({ finding }) => finding.ruleId).filter((id) => waiting.has(id)));
  const skips = [...tooNew].map((ruleId): Skip => ({ ruleId, reason: 'tooNew', untilMs: changedMs + graceMs }));
  const findings = one.findings.filter(({ finding }) => !tooNew.has(finding.ruleId));
  return { ...one, findings, skipped: [...one.skipped, ...skips] };
}

const naming = (one: Surveyed, { reaches }: ClusterState): Surveyed =>
  one.skipped.length === 0 ? one : { ...one, skipped: one.skipped.map((skip) => withParts(skip, reaches)) };

/** Of the kinds that make Pods, some may be read and others not. */
export function withParts(skip: Skip, reaches: Reaches): Skip {
  const { missing, namespace } = skip;
  const reach = missing === undefined ? undefined : reaches.get(missing);
  const resources = reach === undefined || namespace === undefined ? [] : lackingIn(reach, namespace);
  return resources.length === 0 ? skip : { ...skip, resources };
}

/** Kinds of which nothing was judged because they may not be listed: without them, a clean report would say nothing. */
function unlisted({ snapshot, name }: ClusterState, only: readonly string[]): readonly ReportedError[] {
  const places = only.length === 0 ? ['*'] : only;
  return judgedKinds.flatMap((kind) => {
    const unknown = places.filter((namespace) => snapshot.coverage(kind, namespace) !== 'complete');
    if (unknown.length === 0) return [];
    const where = only.length === 0 ? 'all namespaces' : `${unknown.length === 1 ? 'namespace' : 'namespaces'} ${listed(unknown)}`;
    const hint =
      only.length === 0
        ? `Name the namespaces that you may read with -n, or ask for the rights of ${rightsPage}.`
        : `Ask for the rights of ${rightsPage}.`;
    const seen = only.length > 0 ? [] : [...new Set(snapshot.listAll(kind).map(({ metadata }) => metadata.namespace))];
    const judged = seen.length === 0 ? 'none was judged' : `only those of ${listed(seen)} were judged`;
    return [{ file: name, message: `${kind} of ${where} may not be listed, so ${judged}`, hint, gap: true as const }];
  });
}

/** A namespace that was mistyped holds nothing that is wrong. */
function absent({ snapshot, name }: ClusterState, only: readonly string[]): readonly ReportedError[] {
  if (snapshot.coverage('Namespace', '') !== 'complete') return [];
  const isThere = (namespace: string): boolean =>
    snapshot.get('Namespace', '', namespace) !== undefined || judgedKinds.some((kind) => snapshot.list(kind, namespace).length > 0);
  return only
    .filter((namespace) => !isThere(namespace))
    .map((namespace) => ({
      file: name,
      message: `there is no namespace ${namespace}`,
      hint: 'Check the names given with -n.',
      gap: true as const,
    }));
}
