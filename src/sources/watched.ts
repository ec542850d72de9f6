/** The kinds that a live source watches, and where the API has them. */
import type { Kindred } from '../cluster/snapshot.ts';
import { addressOf } from '../kube/address.ts';
import { builtInWorkloads, type WorkloadKind } from '../kube/normalize-workload.ts';
import type { Collection } from '../kube/resources.ts';

export interface WatchedKind extends Kindred {
  /** The name in the API's addresses: `services`. */
  readonly resource: string;
  /** Versions that serve it, the best first. */
  readonly apiVersions: readonly [string, ...string[]];
  /** Of somebody's definition, which may be broken while the cluster is well: nothing else waits for it. */
  readonly isForeign: boolean;
}

const watched = (collection: Collection, kind: string, resource: string, ...apiVersions: readonly [string, ...string[]]): WatchedKind => ({
  collection,
  apiVersion: apiVersions[0],
  kind,
  resource,
  apiVersions,
  isForeign: false,
});

const foreign = (...kind: Parameters<typeof watched>): WatchedKind => ({ ...watched(...kind), isForeign: true });

const builtIn: readonly WatchedKind[] = [
  watched('Service', 'Service', 'services', 'v1'),
  watched('Ingress', 'Ingress', 'ingresses', 'networking.k8s.io/v1'),
  watched('IngressClass', 'IngressClass', 'ingressclasses', 'networking.k8s.io/v1'),
  watched('NetworkPolicy', 'NetworkPolicy', 'networkpolicies', 'networking.k8s.io/v1'),
  watched('Namespace', 'Namespace', 'namespaces', 'v1'),
  watched('Pod', 'Pod', 'pods', 'v1'),
  watched(
    'ValidatingWebhookConfiguration',
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
    'admissionregistration.k8s.io/v1',
  ),
  watched(
    'MutatingWebhookConfiguration',
    'MutatingWebhookConfiguration',
    'mutatingwebhookconfigurations',
    'admissionregistration.k8s.io/v1',
  ),
  watched('APIService', 'APIService', 'apiservices', 'apiregistration.k8s.io/v1'),
];

/** Kinds of other projects, whose controllers write Secrets. A cluster may have none of them. */
const secretSources: readonly WatchedKind[] = [
  foreign('Certificate', 'Certificate', 'certificates', 'cert-manager.io/v1'),
  foreign('ExternalSecret', 'ExternalSecret', 'externalsecrets', 'external-secrets.io/v1', 'external-secrets.io/v1beta1'),
  foreign('SealedSecret', 'SealedSecret', 'sealedsecrets', 'bitnami.com/v1alpha1'),
];

export const watchedKinds = (workloads: readonly WorkloadKind[]): readonly WatchedKind[] => [
  ...builtIn,
  ...builtInWorkloads.map(({ apiVersion, kind, resource }) => watched('Template', kind, resource, apiVersion)),
  ...workloads.map(({ apiVersion, kind, resource }) => foreign('Template', kind, resource, apiVersion)),
  ...secretSources,
];

/**
 * Whatever the rules are: what is judged is audited too; a namespace's labels choose its profile, and callers are told apart
 * by the addresses of Pods.
 */
export const readAlways: readonly Collection[] = ['Service', 'Ingress', 'NetworkPolicy', 'Namespace', 'Pod'];

/** What is watched at an address. */
export const collectionAt = (path: string, workloads: readonly WorkloadKind[]): Collection | undefined =>
  watchedKinds(workloads).find(({ apiVersions, resource }) => apiVersions.some((version) => addressOf(version, resource) === path))
    ?.collection;
