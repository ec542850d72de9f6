/** The text of a snapshot file → the state of the cluster that it tells of. */
import { coverageOf, type Reach, type Reaches } from '../cluster/reach.ts';
import { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Found } from '../cluster/view.ts';
import { eachOnce, type Wanted } from '../cluster/wanted.ts';
import { OperatorError } from '../errors.ts';
import { formatPath } from '../kube/field-path.ts';
import { labelsOf } from '../kube/labels.ts';
import { isObject } from '../kube/read.ts';
import { type Collection, formatRef, type ObjectRef, type Pod, type Resource, type Secret } from '../kube/resources.ts';
import { apiVersion, kind, type SnapshotFile, snapshotFile } from './schema.ts';

export interface DecodedSnapshot {
  readonly snapshot: ClusterSnapshot;
  readonly reaches: Reaches;
  readonly context: string;
  readonly configuration?: string;
  /** What a read by name would have found: a Secret, or nothing where that was seen. */
  readonly secret: (ref: ObjectRef) => Found;
}

const retake = 'Take it anew with "portcullis snapshot".';

/** `name` is what messages call the file. Throws an OperatorError PC0011 if it is no snapshot of a version that is known here. */
export function decodeSnapshot(name: string, text: string): DecodedSnapshot {
  const file = fileIn(name, text);
  const reaches = reachesOf(file);
  const knowledge = { observedAt: Date.parse(file.takenAt), coverage: coverageOf(withoutSecrets(reaches)) };
  const { context, configuration } = file;
  return {
    snapshot: ClusterSnapshot.empty(knowledge).with(resourcesIn(file)),
    reaches,
    context,
    ...(configuration !== undefined && { configuration }),
    secret: secretsIn(file, reaches),
  };
}

function fileIn(name: string, text: string): SnapshotFile {
  const unusable = (what: string, hint = retake): OperatorError => new OperatorError('PC0011', `${name} ${what}`, hint);
  const raw = parsed(text);
  if (!isObject(raw)) throw unusable('is no snapshot: it is not a JSON object');
  if (raw['kind'] !== kind)
    throw unusable(`is no snapshot: its kind is not ${kind}`, 'Give a file that "portcullis snapshot" has written.');
  if (raw['apiVersion'] !== apiVersion)
    throw unusable(`is a snapshot of another version than ${apiVersion}`, `${retake.slice(0, -1)}, or use the version that took it.`);
  const { data, error } = snapshotFile.safeParse(raw);
  if (data !== undefined) return data;
  const [first] = error.issues;
  throw unusable(`is damaged: ${formatPath((first?.path ?? []) as string[])}: ${first?.message ?? 'unreadable'}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const reachesOf = ({ coverage }: SnapshotFile): Reaches =>
  new Map(Object.entries(coverage).map(([collection, reach]): [Collection, Reach] => [collection as Collection, reachIn(reach)]));

function reachIn({ parts, ...reach }: NonNullable<SnapshotFile['coverage']['Template']>): Reach {
  const named = Object.entries(parts ?? {}).map(([name, part]) => [name, partIn(part)] as const);
  return { ...partIn(reach), ...(parts !== undefined && { parts: new Map(named) }) };
}

const partIn = ({ everywhere, namespaces }: Omit<NonNullable<SnapshotFile['coverage']['Template']>, 'parts'>) => ({
  everywhere,
  namespaces: new Map(Object.entries(namespaces)),
});

/** Of a live cluster they are in no list either: the same question is answered the same way. */
const withoutSecrets = (reaches: Reaches): Reaches => new Map([...reaches].filter(([collection]) => collection !== 'Secret'));

function* resourcesIn({ resources }: SnapshotFile): Generator<Resource> {
  for (const one of resources.Service) yield { apiVersion: 'v1', kind: 'Service', ...one };
  for (const one of resources.Ingress) yield { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', ...one };
  for (const one of resources.IngressClass) yield { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', ...one };
  for (const one of resources.NetworkPolicy) yield { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', ...one };
  for (const one of resources.Namespace) yield { apiVersion: 'v1', kind: 'Namespace', ...one };
  for (const source of ['Certificate', 'ExternalSecret', 'SealedSecret'] as const)
    for (const one of resources[source]) yield { kind: source, ...one };
  for (const kind of ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'] as const)
    for (const one of resources[kind]) yield { apiVersion: 'admissionregistration.k8s.io/v1', kind, ...one };
  for (const one of resources.APIService) yield { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', ...one };
  yield* resources.Template;
  for (const alike of resources.Pod) yield* podsIn(alike);
}

function* podsIn({ namespace, owner, pod, pods }: SnapshotFile['resources']['Pod'][number]): Generator<Pod> {
  for (const [name, ips, flags, labels = labelsOf({})] of pods)
    yield {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name },
      pod,
      ...(owner !== undefined && { owner }),
      record: { ips, ready: flags.includes('r'), scheduled: flags.includes('s'), terminating: flags.includes('t'), labels },
    };
}

function secretsIn({ resources }: SnapshotFile, reaches: Reaches): (ref: ObjectRef) => Found {
  const key = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string => JSON.stringify([namespace, name]);
  const present = new Map(resources.Secret.map((one) => [key(one), one]));
  const absent = new Set(resources.absentSecret.map(key));
  const reachOf = coverageOf(reaches);
  return (ref) => {
    const kept = present.get(key(ref));
    if (kept !== undefined) return secretFrom(kept);
    return absent.has(key(ref)) || reachOf('Secret', ref.namespace) === 'complete' ? 'absent' : 'unknown';
  };
}

const secretFrom = ({ namespace, name, ...rest }: SnapshotFile['resources']['Secret'][number]): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace, name, labels: labelsOf({}), annotations: labelsOf({}) },
  ...rest,
});

/** As a source of cluster state reads by name: with what is in a Secret only for who asks for that. */
export const secretsByName = (secret: DecodedSnapshot['secret'], refs: readonly Wanted[]): ReadonlyMap<string, Found> =>
  new Map(eachOnce(refs).map((ref) => [formatRef(ref), ref.kind === 'Secret' ? ofLevel(secret(ref), ref) : 'unknown']));

function ofLevel(found: Found, { content }: Wanted): Found {
  if (content || typeof found !== 'object') return found;
  const { type: _, tls: __, ...bare } = found as Secret;
  return bare;
}
