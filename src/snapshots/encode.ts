/** A state of a cluster → the text of a snapshot file: the same text for the same state, but for the time. */
import type { Reach, Reaches } from '../cluster/reach.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import { given } from '../kube/read.ts';
import type { Labels, ObjectMeta, ObjectRef, PodRecord, Secret, WebhookConfiguration, Workload } from '../kube/resources.ts';
import { apiVersion, kind, type SnapshotText } from './schema.ts';

/** That it is there, and where it was read, its type and what its certificate and key say. */
export type KeptSecret = Pick<ObjectRef, 'namespace' | 'name'> & Pick<Secret, 'type' | 'tls'>;

export interface Taken {
  readonly snapshot: ClusterSnapshot;
  readonly reaches: Reaches;
  readonly context: string;
  /** The configuration of the installation, as it was written there. */
  readonly configuration?: string;
  readonly secrets: { readonly present: readonly KeptSecret[]; readonly absent: readonly ObjectRef[] };
  /** Annotations that no rule reads may hold anything: they stay where they are. */
  readonly readsAnnotation: (key: string) => boolean;
  /** Whether its key alone is: its value, in which anything may stand, is left out. */
  readonly readsAnnotationKey?: (key: string) => boolean;
}

/** One resource on each line, so that two snapshots can be compared with any tool that compares texts. */
export function encodeSnapshot(taken: Taken): string {
  const { snapshot, context, configuration } = taken;
  const head = {
    apiVersion,
    kind,
    takenAt: new Date(snapshot.observedAt).toISOString(),
    context,
    ...(configuration !== undefined && { configuration }),
    coverage: coverageOf(taken.reaches),
  };
  const lines = Object.entries(resourcesOf(taken)).map(([name, list]) => `  ${JSON.stringify(name)}: ${listText(list)}`);
  const fields = Object.entries(head).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  return `{\n${fields.join('')}"resources": {\n${lines.join(',\n')}\n}\n}\n`;
}

const listText = (list: readonly unknown[]): string =>
  list.length === 0 ? '[]' : `[\n${list.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]`;

const coverageOf = (reaches: Reaches): SnapshotText['coverage'] => inOrder(reaches, reachOf);

const reachOf = ({ parts, ...reach }: Reach) => ({ ...partOf(reach), ...(parts !== undefined && { parts: inOrder(parts, partOf) }) });

const partOf = ({ everywhere, namespaces }: Omit<Reach, 'parts'>) => ({
  everywhere,
  ...(namespaces.size > 0 && { namespaces: inOrder(namespaces, (coverage) => coverage) }),
});

const inOrder = <V, W>(map: ReadonlyMap<string, V>, of: (value: V) => W): Readonly<Record<string, W>> =>
  Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, of(value)]));

function resourcesOf({ snapshot, secrets, ...reads }: Taken) {
  const trimmed = (metadata: ObjectMeta) => trimmedMetadata(metadata, reads);
  const sources = (collection: 'Certificate' | 'ExternalSecret' | 'SealedSecret') =>
    snapshot.listAll(collection).map(({ kind: _, metadata, ...rest }) => ({ metadata: trimmed(metadata), ...rest }));
  const webhooksOf = (kind: WebhookConfiguration['kind']) =>
    snapshot.listAll(kind).map(({ metadata, webhooks }) => ({ metadata: trimmed(metadata), webhooks }));
  return {
    Service: snapshot
      .listAll('Service')
      .map(({ metadata, spec, status }) => ({ metadata: trimmed(metadata), spec, ...(status && { status }) })),
    Ingress: snapshot.listAll('Ingress').map(({ metadata, spec }) => ({ metadata: trimmed(metadata), spec })),
    IngressClass: snapshot
      .listAll('IngressClass')
      .map(({ metadata, spec, isDefault }) => ({ metadata: trimmed(metadata), spec, isDefault })),
    NetworkPolicy: snapshot
      .listAll('NetworkPolicy')
      .map(({ metadata, spec, omits }) => ({ metadata: trimmed(metadata), ...(omits && { omits }), spec })),
    Namespace: snapshot.listAll('Namespace').map(({ metadata }) => ({ metadata: trimmed(metadata) })),
    Certificate: sources('Certificate'),
    ExternalSecret: sources('ExternalSecret'),
    SealedSecret: sources('SealedSecret'),
    ValidatingWebhookConfiguration: webhooksOf('ValidatingWebhookConfiguration'),
    MutatingWebhookConfiguration: webhooksOf('MutatingWebhookConfiguration'),
    APIService: snapshot.listAll('APIService').map(({ metadata, spec }) => ({ metadata: trimmed(metadata), spec })),
    Template: snapshot.listAll('Template'),
    Pod: snapshot.listAll('Pod').map((shape) => podsOf(shape, snapshot)),
    Secret: byPlace(
      secrets.present.map(({ namespace, name, type, tls }) => ({ namespace, name, ...given('type', type), ...given('tls', tls) })),
    ),
    absentSecret: byPlace(secrets.absent.map(({ namespace, name }) => ({ namespace, name }))),
  };
}

const isEmpty = (labels: Labels): boolean => Object.keys(labels).length === 0;

/** Without the uid, by which no rule tells anything apart. */
function trimmedMetadata(
  { uid: _, namespace, labels, annotations, ...rest }: ObjectMeta,
  { readsAnnotation, readsAnnotationKey = () => false }: Pick<Taken, 'readsAnnotation' | 'readsAnnotationKey'>,
) {
  const read = Object.fromEntries(
    Object.entries(annotations).flatMap(([key, value]) =>
      readsAnnotation(key) ? [[key, value]] : readsAnnotationKey(key) ? [[key, '']] : [],
    ),
  );
  return {
    ...(namespace !== '' && { namespace }),
    ...rest,
    ...(!isEmpty(labels) && { labels }),
    ...(!isEmpty(read) && { annotations: read }),
  };
}

const podsOf = (shape: Workload, snapshot: ClusterSnapshot) => ({
  namespace: shape.metadata.namespace,
  ...(shape.owner !== undefined && { owner: shape.owner }),
  pod: shape.pod,
  pods: Array.from(snapshot.pods(shape).records(), ([name, record]) => podOf(name, record)),
});

function podOf(name: string, { ips, ready, scheduled, terminating, labels }: PodRecord) {
  const flags = `${ready ? 'r' : ''}${scheduled ? 's' : ''}${terminating ? 't' : ''}`;
  return [name, ips, flags, ...(isEmpty(labels) ? [] : [labels])];
}

/** Each once, in order; of two the last. */
const byPlace = <T extends Pick<ObjectRef, 'namespace' | 'name'>>(list: readonly T[]): readonly T[] => {
  const byKey = new Map(list.map((one) => [`${one.namespace}/${one.name}`, one]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
};
