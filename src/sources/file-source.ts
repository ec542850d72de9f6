/** A cluster read from manifests: complete only where the files allow to conclude from what they do not hold. */
import { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Coverage, Found } from '../cluster/view.ts';
import { collectionOf } from '../kube/collections.ts';
import { type Collection, formatRef, type ObjectRef, type Resource } from '../kube/resources.ts';
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
    const missing = snapshot.coverage('Secret', ref.namespace) === 'complete' ? 'absent' : 'unknown';
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

/**
 * Pods and templates of a namespace are known if the files hold at least one, not counting what only an operator makes; of a collection, everything is if they
 * hold at least one object of it. But of a namespace that they do not touch, no Service is known: kube-system's resolver
 * is not absent because somebody checks an application.
 */
function coverageOf(manifests: readonly Manifest[], resources: readonly Resource[]) {
  const present = new Set(resources.map(collectionOf));
  const withWorkloads = new Set(resources.flatMap((one) => ('pod' in one && !isOperated(one) ? one.metadata.namespace : [])));
  const touched = new Set(resources.map((one) => (one.kind === 'Namespace' ? one.metadata.name : one.metadata.namespace)));
  for (const { raw } of manifests) {
    const { metadata } = raw;
    const namespace = typeof metadata === 'object' && metadata !== null && 'namespace' in metadata ? metadata.namespace : undefined;
    if (typeof namespace === 'string') touched.add(namespace);
  }

  const isComplete = (collection: Collection, namespace: string): boolean => {
    if (collection === 'Pod' || collection === 'Template') return withWorkloads.has(namespace);
    if (secretSources.has(collection)) return present.has('Secret') || present.has(collection);
    if (callers.has(collection)) return !callers.isDisjointFrom(present);
    if (collection === 'Service' && namespace !== '*' && !touched.has(namespace)) return false;
    return present.has(collection);
  };
  return (collection: Collection, namespace: string): Coverage => (isComplete(collection, namespace) ? 'complete' : 'notGiven');
}
