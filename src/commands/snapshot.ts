/** `portcullis snapshot`: what rules read of a cluster, as one file. */
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip as gzipWithCallback } from 'node:zlib';
import type { Reach, Reaches } from '../cluster/reach.ts';
import type { Found } from '../cluster/view.ts';
import { eachOnce } from '../cluster/wanted.ts';
import { isExemption } from '../config/annotations.ts';
import type { ConfiguredRule } from '../engine/rule.ts';
import { OperatorError } from '../errors.ts';
import { display } from '../kube/display.ts';
import { listed } from '../kube/listed.ts';
import { given } from '../kube/read.ts';
import { formatRef, judgedKinds, type Kind, type ObjectRef, type Secret } from '../kube/resources.ts';
import { rules } from '../rules/index.ts';
import { encodeSnapshot, type KeptSecret } from '../snapshots/encode.ts';
import type { SecretNames, SecretPlaces } from '../sources/secret-names.ts';
import { type ClusterState, liveState } from './cluster-state.ts';
import { interruptible } from './interrupt.ts';
import { rightsPage } from './scan.ts';
import type { Terminal } from './terminal.ts';

export interface SnapshotOptions {
  /** Compressed if its name ends in `.gz`; without one, standard output. */
  readonly output?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  /** What may not be listed everywhere is listed in these. */
  readonly namespace?: readonly string[];
}

/**
 * Writes the file and returns the exit code: 0; 2 where what is judged is not known; 130 after Ctrl-C. Rejects with an
 * OperatorError: PC0010 the cluster cannot be listed, PC0002 the file cannot be written.
 */
export const snapshot = (options: SnapshotOptions, terminal: Terminal): Promise<number> =>
  interruptible(async (signal) => {
    const { text, told, blind } = await taken({ ...options, signal }, terminal);
    if (options.output === undefined) terminal.out(text);
    else await written(options.output, text);
    for (const line of told) terminal.error(`${line}\n`);
    if (blind.length === 0) return 0;
    const where = options.output === undefined ? 'the snapshot' : options.output;
    terminal.error(
      `${display(where)} is written, but is not complete: ${listed(blind)} may not be listed. Ask for the rights of ${rightsPage}.\n`,
    );
    return 2;
  });

/** The rules may have whatever configuration where the file is read; the Secrets that they ask for do not depend on it. */
async function taken(options: SnapshotOptions & { readonly signal: AbortSignal }, terminal: Terminal) {
  const state = await liveState(options, terminal);
  try {
    const isOff = state.configuration.secrets.level === 'off';
    const names = isOff ? noNames : await state.secretNames(placesOf(state, options));
    const secrets = isOff ? { present: [], absent: [] } : await secretsOf(state, names);
    const reaches = new Map([...state.reaches, ['Secret', names.reach] as const]);
    const { snapshot, name, text: configuration } = state;
    const configured = [...rules.map((rule) => rule.configure()), ...state.configuration.rules];
    const isRead = new Set(configured.flatMap((rule) => rule.annotations));
    const prefixes = [...new Set(configured.flatMap((rule) => rule.annotationPrefixes))];
    const text = encodeSnapshot({
      snapshot,
      reaches,
      context: name,
      ...(configuration !== undefined && { configuration }),
      secrets,
      readsAnnotation: (key) => isExemption(key) || isRead.has(key),
      readsAnnotationKey: (key) => prefixes.some((prefix) => key.startsWith(prefix)),
    });
    return { text, told: gapsIn(reaches), blind: blindFor(snapshot, options.namespace) };
  } finally {
    await state.close();
  }
}

const noNames: SecretNames = { secrets: [], reach: { everywhere: 'forbidden', namespaces: new Map() } };

const placesOf = ({ snapshot }: ClusterState, { namespace = [] }: SnapshotOptions): SecretPlaces => ({
  namespaces: [...new Set([...snapshot.listAll('Namespace').map(({ metadata }) => metadata.name), ...namespace])],
  areAll: snapshot.coverage('Namespace', '') === 'complete',
});

/** All that may be listed; one by one the others that an object names, and at level `full` those whose content rules judge. */
async function secretsOf({ snapshot, configuration, readByName }: ClusterState, { secrets, reach }: SecretNames) {
  const named = judgedKinds.flatMap((kind) =>
    snapshot.listAll(kind).flatMap((object) => configuration.rules.flatMap((rule: ConfiguredRule) => rule.fetches(object, snapshot))),
  );
  const isFull = configuration.secrets.level === 'full';
  const isListed = ({ namespace }: ObjectRef): boolean => (reach.namespaces.get(namespace) ?? reach.everywhere) === 'complete';
  const asked = eachOnce(named.filter((ref) => ref.kind === 'Secret' && (!isListed(ref) || (isFull && ref.content))));
  const found = new Map<string, Found>();
  // Each round has a time of its own: all at once would run out of it in a large cluster.
  for (let at = 0; at < asked.length; at += roundSize)
    for (const [ref, answer] of await readByName(asked.slice(at, at + roundSize))) found.set(ref, answer);
  const read = [...found.values()].filter((answer) => typeof answer === 'object') as readonly Secret[];
  const kept = [...secrets, ...read].map(({ metadata: { namespace, name }, type, tls }): KeptSecret => {
    return { namespace, name, ...given('type', type), ...given('tls', tls) };
  });
  return { present: kept, absent: asked.filter((ref) => !isListed(ref) && found.get(formatRef(ref)) === 'absent') };
}

const roundSize = 100;

/** Kinds of which nothing can be judged by the snapshot, where somebody looks for them. */
function blindFor(snapshot: ClusterState['snapshot'], namespaces: readonly string[] = []): readonly Kind[] {
  const places = namespaces.length === 0 ? ['*'] : namespaces;
  return judgedKinds.filter((kind) => places.some((namespace) => snapshot.coverage(kind, namespace) !== 'complete'));
}

/** What the snapshot lacks: whoever judges by it will say so too, but the person who may help it sits here. */
function gapsIn(reaches: Reaches): readonly string[] {
  const all = [...reaches].flatMap(([collection, reach]): readonly (readonly [string, Omit<Reach, 'parts'>])[] =>
    reach.parts === undefined ? [[collection, reach]] : [...reach.parts],
  );
  return all.flatMap(([collection, { everywhere, namespaces }]) => {
    const known = everywhere === 'complete' || everywhere === 'notServed';
    if (known && namespaces.size === 0) return [];
    const places = listed([...namespaces.keys()].sort());
    const where = namespaces.size === 0 ? '' : known ? ` in ${places}` : `, but in ${places}`;
    return [`not known: ${collection} (${known ? [...new Set(namespaces.values())].join(', ') : everywhere})${where}`];
  });
}

async function written(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, file.endsWith('.gz') ? await promisify(gzipWithCallback)(text) : text);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new OperatorError('PC0002', `${file} cannot be written (${code})`, 'Check the path that --output names.', { cause });
  }
}
