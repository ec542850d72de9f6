/** `portcullis check`: the rules on manifest files, without a cluster. */
import type { Configuration } from '../config/settings.ts';
import { type Severity, severities } from '../engine/finding.ts';
import type { Profile } from '../engine/mode.ts';
import { type Surveyed, survey } from '../engine/survey.ts';
import { formatRef, type JudgedResource, refOf } from '../kube/resources.ts';
import { type Report, reports } from '../reports/index.ts';
import { fileSource } from '../sources/file-source.ts';
import { loadManifests, type Manifest, type Manifests } from '../sources/manifests.ts';
import { readConfiguration } from './read-configuration.ts';
import type { Terminal } from './terminal.ts';

export interface CheckOptions {
  readonly output: keyof typeof reports;
  /** Findings of this severity or a graver one, in mode deny or warn, make the exit code 1. */
  readonly failOn: Severity;
  readonly namespace?: string;
  readonly config?: string;
  readonly profile?: Profile;
  readonly assumeComplete?: boolean;
}

/** Prints a report and returns the exit code: 0 clean, 1 findings, 2 something in the input could not be used. */
export async function check(paths: readonly string[], options: CheckOptions, terminal: Terminal): Promise<0 | 1 | 2> {
  const configuration = await readConfiguration(options.config, options.profile);
  const { namespace } = options;
  const loaded = await loadManifests(paths, {
    workloads: configuration.workloads,
    stdin: () => terminal.stdin(),
    ...(namespace === undefined ? {} : { namespace }),
  });
  const report = await reportOf(loaded, configuration, { assumeComplete: options.assumeComplete ?? false, now: terminal.now() });
  terminal.out(reports[options.output](report, { paint: terminal.paint }));
  return exitCode(report, loaded, options.failOn);
}

interface Circumstances {
  readonly assumeComplete: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

async function reportOf(loaded: Manifests, configuration: Configuration, { assumeComplete, now }: Circumstances): Promise<Report> {
  const { manifests, errors, files, notices } = loaded;
  const byRef = new Map(manifests.flatMap((one) => (one.resource === undefined ? [] : [[formatRef(refOf(one.resource)), one] as const])));
  const manifestOf = (object: JudgedResource): Manifest => byRef.get(formatRef(refOf(object))) as Manifest;
  const source = fileSource(manifests, { observedAt: now, assumeComplete });
  const snapshot = source.current();
  const surveyed: Surveyed[] = [];
  const options = {
    bind: (object: JudgedResource) => {
      const namespaceLabels = snapshot.get('Namespace', '', object.metadata.namespace)?.metadata.labels ?? {};
      return configuration.bind({ object, operation: 'CREATE', namespaceLabels, now, offline: true });
    },
    readByName: (refs: Parameters<typeof source.readByName>[0]) => source.readByName(refs, AbortSignal.timeout(1_000)),
    judges: (object: JudgedResource) => !manifestOf(object).rejected,
    tellsOfOthers: true,
    offline: true,
  };
  for await (const one of survey(snapshot, options)) surveyed.push(one);
  return {
    objects: surveyed.length,
    files,
    errors,
    findings: surveyed.flatMap(({ object, findings }) => {
      const { file, placeOf } = manifestOf(object);
      return findings.map(({ finding, mode }) => ({ finding, mode, place: { file, ...placeOf(finding.path) } }));
    }),
    exempted: surveyed.flatMap(({ exempted }) => exempted),
    skipped: surveyed.flatMap(({ object, skipped }) => skipped.map((skip) => ({ skip, object: refOf(object) }))),
    faults: surveyed.flatMap(({ object, faults }) => faults.map((fault) => ({ fault, object: refOf(object) }))),
    notices: [...notices, ...new Set(surveyed.flatMap((one) => one.notices))],
  };
}

/** A result that is not complete is 2 whatever else was found, and so is one in which nothing was read (ecosystem.md B4). */
function exitCode({ errors, faults, findings }: Report, { manifests }: Manifests, failOn: Severity): 0 | 1 | 2 {
  if (errors.length > 0 || faults.length > 0 || manifests.length === 0) return 2;
  const grave = severities.slice(0, severities.indexOf(failOn) + 1);
  return findings.some(({ finding, mode }) => mode !== 'audit' && grave.includes(finding.severity)) ? 1 : 0;
}
