/** `portcullis check`: the rules on manifest files, without a cluster. */
import { asStored } from '../config/as-stored.ts';
import type { Configuration } from '../config/settings.ts';
import type { Profile } from '../engine/mode.ts';
import { type Surveyed, survey } from '../engine/survey.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { formatRef, type JudgedResource, type ObjectRef, refOf } from '../kube/resources.ts';
import type { BaselineFinding } from '../reports/baseline.ts';
import type { Report } from '../reports/index.ts';
import { fileSource } from '../sources/file-source.ts';
import { type Manifest, type ManifestOptions, type Manifests, manifestsIn } from '../sources/manifests.ts';
import { type ReadFiles, readFiles } from '../sources/read-files.ts';
import { blindSpots, byRef, type JudgedWrites, judgedAgainst } from './check-against.ts';
import { fixFiles } from './check-fix.ts';
import type { ClusterState } from './cluster-state.ts';
import { type PrintOptions, printReport } from './print-report.ts';
import { readConfiguration } from './read-configuration.ts';
import { snapshotState } from './snapshot-state.ts';
import { type Outcome, surveyReport } from './survey-report.ts';
import type { Terminal } from './terminal.ts';

export interface CheckOptions extends PrintOptions {
  readonly namespace?: string;
  readonly config?: string;
  readonly profile?: Profile;
  readonly assumeComplete?: boolean;
  /** A snapshot of the cluster that the files will be written to. */
  readonly against?: string;
  /** Writes into the files the edits that rules propose. */
  readonly fix?: boolean;
  /** Prints what `fix` would change, and changes nothing. */
  readonly dryRun?: boolean;
}

/** What was read, and what was found in it. */
export interface Judgement extends JudgedWrites {
  readonly loaded: Manifests;
}

/** Prints a report and returns the exit code: 0 clean, 1 findings, 2 something in the input could not be used. */
export async function check(paths: readonly string[], options: CheckOptions, terminal: Terminal): Promise<0 | 1 | 2> {
  const { namespace, against } = options;
  const state = against === undefined ? undefined : await snapshotState({ ...options, namespace: [], snapshot: against }, terminal);
  const configuration = state?.configuration ?? (await readConfiguration(options.config, options.profile));
  const reading: ManifestOptions = {
    workloads: configuration.workloads,
    stdin: () => terminal.stdin(),
    ...(namespace === undefined ? {} : { namespace }),
  };
  const { assumeComplete = false } = options;
  const now = terminal.now();
  const judge = async (read: ReadFiles): Promise<Judgement> => {
    const loaded = manifestsIn(read, paths, reading);
    const writes =
      state === undefined
        ? await judgedAlone(loaded.manifests, configuration, { assumeComplete, now })
        : await judgedAgainst(state, loaded.manifests, now);
    return { ...writes, loaded };
  };
  const read = await readFiles(paths, reading);
  const fixed = options.fix === true ? await fixFiles({ paths, read, judge }, options, terminal) : undefined;
  const { loaded, outcomes, snapshot } = fixed?.judged ?? (await judge(read));
  const alone = reportOf(loaded, outcomes, state === undefined ? [] : sourceNotices(state));
  const blind = state === undefined || against === undefined ? [] : blindSpots(state, outcomes, against);
  const report = { ...alone, errors: [...alone.errors, ...blind] };
  const { docsBaseUrl, file: configured } = configuration;
  const isGone = ({ file }: BaselineFinding): boolean => (assumeComplete && loaded.errors.length === 0) || readAgain(loaded, file);
  return printReport({ report, snapshot, docsBaseUrl, resolver: configured.dns.resolver, isGone }, options, fixed?.terminal ?? terminal);
}

/** Whether a file that held an object then is still there, read to its end: what it does not hold any more is gone. */
const readAgain = ({ manifests, errors }: Manifests, file: string | undefined): boolean =>
  manifests.some((manifest) => manifest.file === file) && !errors.some((error) => error.file === file);

interface Circumstances {
  readonly assumeComplete: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Everything in the files, judged against nothing but the files. */
async function judgedAlone(
  manifests: readonly Manifest[],
  configuration: Configuration,
  { assumeComplete, now }: Circumstances,
): Promise<JudgedWrites> {
  const files = byRef(manifests);
  const source = fileSource(manifests, { observedAt: now, assumeComplete });
  const snapshot = source.current();
  const outcomes: Surveyed[] = [];
  const options = {
    bind: asStored(configuration, snapshot, { now, offline: true }),
    readByName: (refs: Parameters<typeof source.readByName>[0]) => source.readByName(refs, AbortSignal.timeout(1_000)),
    judges: (object: JudgedResource) => files.get(formatRef(refOf(object)))?.rejected !== true,
    tellsOfOthers: true,
    offline: true,
  };
  for await (const one of survey(snapshot, options)) outcomes.push(one);
  return { outcomes, snapshot };
}

function reportOf({ manifests, errors, files, notices }: Manifests, outcomes: readonly Outcome[], more: readonly string[]): Report {
  const given = byRef(manifests);
  const placeOf = (ref: ObjectRef, path: FieldPath) => {
    const manifest = given.get(formatRef(ref));
    return manifest && { file: manifest.file, ...manifest.placeOf(path) };
  };
  return {
    ...surveyReport(outcomes, placeOf),
    files,
    errors,
    notices: [...more, ...notices, ...new Set(outcomes.flatMap((one) => one.notices))],
  };
}

/** What the answer rests on. */
const sourceNotices = ({ name, snapshot, notice, stale }: ClusterState): readonly string[] => [
  `judged as writes to ${name} as it was at ${new Date(snapshot.observedAt).toISOString()}`,
  ...(stale === undefined ? [] : [stale]),
  ...(notice === undefined ? [] : [notice]),
];
