/** The state of a cluster of which connections are told: of files, of a snapshot, of files laid over one, or of a cluster. */
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import { OperatorError } from '../errors.ts';
import { listed } from '../kube/listed.ts';
import type { Collection } from '../kube/resources.ts';
import { fileSource } from '../sources/file-source.ts';
import { loadManifests, type Manifest } from '../sources/manifests.ts';
import type { ClusterStateOptions } from './cluster-state.ts';
import { readConfiguration } from './read-configuration.ts';
import { rightsPage, stateFor } from './scan.ts';
import { snapshotState } from './snapshot-state.ts';
import type { Terminal } from './terminal.ts';

export interface FlowWorldOptions extends ClusterStateOptions {
  /** A file of `portcullis snapshot` in place of a cluster. */
  readonly snapshot?: string;
  /** The same, with the files laid over it. */
  readonly against?: string;
  /** Of objects in files that name none. */
  readonly defaultNamespace?: string;
}

export interface FlowWorld {
  readonly snapshot: ClusterSnapshot;
  /** As people call where it was read. */
  readonly source: string;
  /** What was known of it, in sentences. */
  readonly notices: readonly string[];
  /** Whether something may not be read that could change an answer. */
  readonly isBlind: boolean;
}

/** Rejects with an OperatorError where nothing can be read. */
export async function flowWorld(paths: readonly string[], options: FlowWorldOptions, terminal: Terminal): Promise<FlowWorld> {
  const { against, defaultNamespace: _, ...others } = options;
  if (paths.length === 0) {
    if (against !== undefined) throw new OperatorError('PC0001', 'no files are given for --against', 'Name them, or use --snapshot.');
    return fromCluster(others, terminal);
  }
  if ((options.kubeconfig ?? options.context ?? options.snapshot) !== undefined)
    throw new OperatorError(
      'PC0001',
      'files and a cluster are given both',
      'Leave out the paths, or --kubeconfig, --context and --snapshot.',
    );
  return against === undefined ? fromFiles(paths, options, terminal) : laidOver(paths, { ...options, against }, terminal);
}

async function fromFiles(paths: readonly string[], options: FlowWorldOptions, terminal: Terminal): Promise<FlowWorld> {
  const { workloads } = await readConfiguration(options.config);
  const manifests = await manifestsOf(paths, { workloads, namespace: options.defaultNamespace }, terminal);
  const snapshot = fileSource(manifests, { observedAt: terminal.now() }).current();
  const isWithout = snapshot.listAll('NetworkPolicy').length === 0;
  const notices = isWithout ? ['The files hold no NetworkPolicy: without one, every Pod may talk to every other.'] : [];
  return { snapshot, source: titleOf(paths), notices, isBlind: false };
}

async function laidOver(
  paths: readonly string[],
  options: FlowWorldOptions & { readonly against: string },
  terminal: Terminal,
): Promise<FlowWorld> {
  const { against, defaultNamespace: namespace, ...others } = options;
  const state = await snapshotState({ ...others, snapshot: against }, terminal);
  const manifests = await manifestsOf(paths, { workloads: state.configuration.workloads, namespace }, terminal);
  const given = manifests.flatMap(({ resource }) => (resource === undefined || resource.kind === 'Secret' ? [] : [resource]));
  const snapshot = state.snapshot.with(given);
  return { snapshot, source: `${titleOf(paths)} over ${state.name}`, ...knownOf(snapshot, state.stale) };
}

async function fromCluster(options: Omit<FlowWorldOptions, 'against'>, terminal: Terminal): Promise<FlowWorld> {
  const state = await stateFor(options, terminal);
  try {
    return { snapshot: state.snapshot, source: state.name, ...knownOf(state.snapshot, state.stale) };
  } finally {
    terminal.status?.('');
    await state.close();
  }
}

interface Reading {
  readonly workloads: NonNullable<Parameters<typeof loadManifests>[1]>['workloads'];
  readonly namespace?: string | undefined;
}

/** Rejects with an OperatorError for the first file that cannot be used: half a cluster would be told as if it were all. */
async function manifestsOf(paths: readonly string[], { workloads, namespace }: Reading, terminal: Terminal): Promise<readonly Manifest[]> {
  const { manifests, errors } = await loadManifests(paths, {
    ...(workloads && { workloads }),
    ...(namespace !== undefined && { namespace }),
    stdin: () => terminal.stdin(),
  });
  const [error] = errors;
  if (error === undefined) return manifests;
  const place = error.line === undefined ? error.file : `${error.file}:${error.line}:${error.column}`;
  throw new OperatorError('PC0003', `${place} ${error.message}`, error.hint);
}

const titleOf = (paths: readonly string[]): string => paths.map((path) => (path === '-' ? 'standard input' : path)).join(', ');

/** What the answers rest on. */
const needed: readonly (readonly [Collection, namespace: string, title: string])[] = [
  ['NetworkPolicy', '*', 'NetworkPolicies'],
  ['Namespace', '', 'Namespaces'],
  ['Template', '*', 'workloads'],
  ['Pod', '*', 'Pods'],
];

function knownOf(snapshot: ClusterSnapshot, stale: string | undefined): Pick<FlowWorld, 'notices' | 'isBlind'> {
  const unknown = needed.flatMap(([collection, namespace, title]) =>
    snapshot.coverage(collection, namespace) === 'complete' ? [] : [title],
  );
  const notices = [
    ...(stale === undefined ? [] : [`${stale[0]?.toUpperCase()}${stale.slice(1)}.`]),
    ...(unknown.length === 0
      ? []
      : [`Not all ${listed(unknown, 4)} may be listed, so that this is only what those say that are known. See ${rightsPage}.`]),
  ];
  return { notices, isBlind: unknown.length > 0 };
}
