/** `portcullis simulate`: what a stricter profile would deny in a cluster, and what may be raised without that. */
import { dump } from 'js-yaml';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import { profileLabel } from '../config/modes.ts';
import type { NamespaceFacts } from '../config/namespaces.ts';
import { asIf, type Raise, raiseOf, type Target, withRaise } from '../config/raise.ts';
import type { ConfigurationFile } from '../config/schema.ts';
import { parseConfiguration } from '../config/settings.ts';
import type { Finding } from '../engine/finding.ts';
import { labelsOf, noLabels } from '../kube/labels.ts';
import { formatRef } from '../kube/resources.ts';
import type { Report } from '../reports/report.ts';
import { type Simulation, simulationFormats } from '../reports/simulation.ts';
import { rules } from '../rules/index.ts';
import type { ClusterState } from './cluster-state.ts';
import { interruptible } from './interrupt.ts';
import { type EarlierAudit, readAudits } from './read-audits.ts';
import { type Scan, type ScanOptions, scanState, stateFor } from './scan.ts';
import { cellsOf } from './simulated-cells.ts';
import type { Terminal } from './terminal.ts';

export interface SimulateOptions extends Omit<ScanOptions, 'profile' | 'signal'> {
  readonly profile: Target;
  /** Files of `audit -o json`. */
  readonly audits?: readonly string[];
  readonly output: keyof typeof simulationFormats;
}

/**
 * Prints, and returns the exit code: 0 nothing would be denied, 1 something would, 2 something could not be judged; 130
 * after Ctrl-C. Rejects with an OperatorError where nothing can be judged.
 */
export const simulate = ({ profile, audits: files = [], output, ...scan }: SimulateOptions, terminal: Terminal): Promise<number> =>
  interruptible(async (signal) => {
    const audits = await readAudits(files);
    const state = await stateFor({ ...scan, signal }, terminal);
    try {
      const simulation = await simulationOf(state, { ...scan, signal, target: profile, audits }, terminal);
      terminal.status?.('');
      terminal.out(simulationFormats[output](simulation, { paint: terminal.paint }));
      return exitCode(simulation);
    } finally {
      await state.close();
    }
  });

/** What is not complete is 2 whatever else was found, as in an audit. */
function exitCode({ errors, cells }: Simulation): 0 | 1 | 2 {
  if (errors.length > 0 || cells.some(({ unjudged }) => unjudged.length > 0)) return 2;
  return cells.some(({ denied }) => denied.length > 0) ? 1 : 0;
}

export interface Question extends ScanOptions {
  readonly target: Target;
  readonly audits: readonly EarlierAudit[];
}

/** Of a state that stays open. Throws if its own proposal does not hold. */
export async function simulationOf(state: ClusterState, question: Question, terminal: Terminal): Promise<Simulation> {
  const { target, namespace: only = [] } = question;
  const { file } = state.configuration;
  const judged = (changed: ConfigurationFile, snapshot = state.snapshot): Promise<Scan> =>
    scanState({ ...state, snapshot, configuration: parseConfiguration(changed, rules) }, question, terminal);
  const meant = (namespace: string): boolean => only.length === 0 || only.includes(namespace);

  const before = deniedIn(await judged(file));
  const { report, surveyed } = await judged(asIf(file, target));
  const audits = question.audits.map((one) => ({ ...one, findings: one.findings.filter((finding) => meant(finding.namespace)) }));
  const sightings = (await state.sightings?.()) ?? [];
  const {
    told,
    evidence,
    judged: objectsJudged,
  } = cellsOf({
    target,
    rules,
    surveyed,
    audits,
    sightings,
    deniedNow: before,
    isListed: (kind, namespace) => state.snapshot.coverage(kind, namespace) === 'complete',
  });
  const all = namespacesOf(state.snapshot, report).filter(({ name }) => meant(name));
  const namespaces = all.filter(({ name }) => isName.test(name));
  const whole =
    all.length === namespaces.length &&
    only.length === 0 &&
    report.errors.length === 0 &&
    state.snapshot.coverage('Namespace', '*') === 'complete';
  const raise = raiseOf({ file, target, rules, namespaces, whole, evidence });
  const changed = await judged(withRaise(file, raise), labelled(state.snapshot, raise.labelled, target));
  prove(before, deniedIn(changed));
  return {
    cluster: state.name,
    observedAt: state.snapshot.observedAt,
    profile: target,
    profileNow: file.profile,
    objects: report.objects,
    judged: objectsJudged,
    namespaces: namespaces.length,
    audits: audits.length,
    cells: told,
    ...valuesOf(raise),
    labelled: raise.labelled,
    denyRemovals: rules.filter(({ meta }) => meta.judgesDelete === true && raise.rules.has(meta.id)).map(({ meta }) => meta.id),
    deniedNow: new Set(before.map(({ subject }) => formatRef(subject))).size,
    errors: [...report.errors, ...report.faults.map(({ fault }) => ({ message: `${fault.ruleId} failed`, hint: 'Please report it.' }))],
    notices: report.notices,
  };
}

/** As the API server has them. A snapshot file may say what it likes, and names go into commands and patterns. */
const isName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Those that objects are in, too, where Namespaces may not be listed. */
function namespacesOf(snapshot: ClusterSnapshot, { judged }: Report): readonly NamespaceFacts[] {
  const listed = snapshot.listAll('Namespace').map(({ metadata }) => ({ name: metadata.name, labels: metadata.labels }));
  const known = new Set(listed.map(({ name }) => name));
  const others = [...new Set(judged.map(({ object }) => object.namespace))].filter((name) => !known.has(name));
  return [...listed, ...others.map((name) => ({ name, labels: noLabels }))].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The proposal was made in memory, and everything judged again: it must deny nothing that was not denied before. */
function prove(before: readonly Finding[], after: readonly Finding[]): void {
  const known = new Set(before.map(({ fingerprint }) => fingerprint));
  const added = after.find(({ fingerprint }) => !known.has(fingerprint));
  if (added !== undefined) throw new Error(`what is proposed would deny ${formatRef(added.subject)} (${added.ruleId})`);
}

const deniedIn = ({ report }: Scan) => report.findings.filter(({ mode }) => mode === 'deny').map(({ finding }) => finding);

function labelled(snapshot: ClusterSnapshot, names: readonly string[], target: Target): ClusterSnapshot {
  const changed = names.flatMap((name) => snapshot.get('Namespace', '', name) ?? []);
  return snapshot.with(
    changed.map((one) => ({ ...one, metadata: { ...one.metadata, labels: labelsOf({ ...one.metadata.labels, [profileLabel]: target }) } })),
  );
}

/** As the chart's values have it: its key `config` is the configuration file. */
function valuesOf({ profile, rules: changed }: Raise): Pick<Simulation, 'values'> {
  if (profile === undefined && changed.size === 0) return {};
  const tree = { config: { ...(profile && { profile }), ...(changed.size > 0 && { rules: Object.fromEntries(changed) }) } };
  return { values: { tree, yaml: dump(tree, { lineWidth: 100, flowLevel: 6 }) } };
}
