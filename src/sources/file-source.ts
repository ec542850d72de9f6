/** A cluster read from manifests: complete only where the files allow to conclude from what they do not hold. */
import { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Coverage, Found } from '../cluster/view.ts';
import { collectionOf } from '../kube/collections.ts';
import { objectAt, stringAt } from '../kube/read.ts';
import { type Collection, formatRef, type ObjectRef, type Resource } from '../kube/resources.ts';
import { makesIn } from './makers.ts';
import type { Manifest } from './manifests.ts';
import { isOperated } from './operated-pods.ts';
import type { ClusterSource } from './source.ts';

export interface FileSourceOptions {
  /** The moment that the view describes: epoch milliseconds. */
  readonly observedAt: number;
  /** The files are all that there is: whatever they do not hold is absent. */
  readonly assumeComplete?: boolean;
}

export function fileSource(manifests: readonly Manifest[], { observedAt, assumeComplete = false }: FileSourceOptions): ClusterSource {
  const resources = manifests.flatMap(({ resource }) => resource ?? []);
  const coverage = assumeComplete ? (): Coverage => 'complete' : coverageOf(manifests, resources);
  const snapshot = ClusterSnapshot.empty({ observedAt, coverage }).with(resources);
  const read = (ref: ObjectRef): Found => {
    if (ref.kind !== 'Secret') return 'unknown';
    const missing = snapshot.coverage('Secret', ref.namespace) === 'notGiven' ? 'unknown' : 'absent';
    return snapshot.get('Secret', ref.namespace, ref.name) ?? missing;
  };
  return {
    current: () => snapshot,
    hasSynced: () => true,
    readByName: async (refs) => new Map(refs.map((ref) => [formatRef(ref), read(ref)])),
    confirm: async () => snapshot, // files are what they are: nothing is more live
    close: async () => {},
  };
}

/** Kinds whose controllers write Secrets. A set of files that holds Secrets is taken to hold these as well. */
const secretSources: ReadonlySet<Collection> = new Set(['Certificate', 'ExternalSecret', 'SealedSecret']);

/** Whom the API server calls. A set of files that holds one of them is taken to hold all that matter to it. */
const callers: ReadonlySet<Collection> = new Set(['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration', 'APIService']);

/** A cluster has more of them than any set of files. */
const isElsewhereToo: ReadonlySet<Collection> = new Set(['IngressClass', 'Namespace']);

/** What operators make beside other things. */
const made: ReadonlySet<Collection> = new Set(['Pod', 'Template', 'Service', 'Secret']);

/**
 * Pods, Services and TLS Secrets of a namespace are known if the files hold at least one of them there, and in part only if an
 * operator may make more: kube-system's resolver is not absent because somebody checks an application, nor the certificate that
 * nobody keeps in a repository because a password is. Classes come with the controllers, mostly from elsewhere: those that
 * the files hold are a part. Of any other collection, everything is known if they hold at least one object of it.
 */
function coverageOf(manifests: readonly Manifest[], resources: readonly Resource[]) {
  const present = new Set(resources.map(collectionOf));
  const held = new Set(resources.flatMap((one) => whereKnown(one)));
  const makers = new Set(manifests.flatMap(({ raw }) => makesIn(raw) ?? []));
  const touched = new Set(resources.map(({ kind, metadata }) => (kind === 'Namespace' ? metadata.name : metadata.namespace)));
  for (const { raw } of manifests) touched.add(stringAt(objectAt(raw, 'metadata'), 'namespace') ?? '');
  const isPart = (collection: Collection, namespace: string): boolean =>
    made.has(collection) && namespace !== '*' && (makers.has('*') || makers.has(namespace) || !held.has(`${collection} ${namespace}`));

  const isGiven = (collection: Collection, namespace: string): boolean => {
    if (collection === 'Pod' || collection === 'Template') return held.has(`${collection} ${namespace}`);
    if (callers.has(collection)) return !callers.isDisjointFrom(present);
    if (collection === 'Service' && namespace !== '*' && !touched.has(namespace)) return false;
    if (secretSources.has(collection)) return present.has('Secret') || present.has(collection);
    return present.has(collection);
  };
  return (collection: Collection, namespace: string): Coverage => {
    if (!isGiven(collection, namespace)) return 'notGiven';
    return isElsewhereToo.has(collection) || isPart(collection, namespace) ? 'partial' : 'complete';
  };
}

/** The collections and namespaces of which an object tells that the files hold all of them. */
function whereKnown(one: Resource): readonly string[] {
  const { namespace } = one.metadata;
  // What only an operator makes, and a Secret of something else, tell nothing of the others.
  if ('pod' in one) return isOperated(one) ? [] : [`Pod ${namespace}`, `Template ${namespace}`];
  if (one.kind === 'Secret') return one.type === 'kubernetes.io/tls' ? [`Secret ${namespace}`] : [];
  return one.kind === 'Service' ? [`Service ${namespace}`] : [];
}
