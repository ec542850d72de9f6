/**
 * Raw object → resource: keeps the fields that rules read and fills in what the API server would
 * (pkg/apis/core/v1/defaults.go, pkg/apis/networking/v1/defaults.go), so that a file and an AdmissionReview look alike.
 */
import { labelsOf } from './labels.ts';
import { normalizeApiService, normalizeWebhookConfiguration } from './normalize-callers.ts';
import { normalizeIngress, normalizeIngressClass, normalizeNetworkPolicy } from './normalize-networking.ts';
import { normalizeSecret, normalizeSecretSource } from './normalize-secret.ts';
import { normalizeService } from './normalize-service.ts';
import { builtInWorkloads, normalizePod, normalizeTemplate, ownerOf, type WorkloadKind } from './normalize-workload.ts';
import { given, isObject, objectAt, objectsAt, stringAt } from './read.ts';
import type { ObjectMeta, RawObject, Resource, WebhookConfiguration } from './resources.ts';

export interface NormalizeOptions {
  /** Kinds with a Pod template beside the built-in ones. */
  readonly workloads?: readonly WorkloadKind[];
  /** The namespace of an object that names none, as `kubectl apply --namespace` would give it. */
  readonly namespace?: string;
}

/** Undefined for a kind that no rule reads, and for an object that a controller of a known kind makes from its template. */
export function normalize(raw: RawObject, { workloads = [], namespace = 'default' }: NormalizeOptions = {}): Resource | undefined {
  const apiVersion = stringAt(raw, 'apiVersion') ?? '';
  const kind = stringAt(raw, 'kind') ?? '';
  const metadata = (): ObjectMeta => metadataOf(raw, namespace);
  const judgedMetadata = (): ObjectMeta => ({ ...metadata(), ...storedAs(raw) });
  switch (`${groupOf(apiVersion)}/${kind}`) {
    case '/Service':
      return normalizeService(raw, judgedMetadata());
    case 'networking.k8s.io/Ingress':
      return normalizeIngress(raw, judgedMetadata());
    case 'networking.k8s.io/IngressClass':
      return normalizeIngressClass(raw, metadataOf(raw, ''));
    case 'networking.k8s.io/NetworkPolicy':
      return normalizeNetworkPolicy(raw, judgedMetadata());
    case '/Namespace':
      return namespaceOf(raw);
    case '/Secret':
      return normalizeSecret(raw, metadata());
    case 'cert-manager.io/Certificate':
    case 'external-secrets.io/ExternalSecret':
    case 'bitnami.com/SealedSecret':
      return normalizeSecretSource(raw, apiVersion, metadata());
    case 'admissionregistration.k8s.io/ValidatingWebhookConfiguration':
    case 'admissionregistration.k8s.io/MutatingWebhookConfiguration':
      return normalizeWebhookConfiguration(raw, kind as WebhookConfiguration['kind'], clusterWide(raw));
    case 'apiregistration.k8s.io/APIService':
      return normalizeApiService(raw, clusterWide(raw));
    case '/Pod':
      return normalizePod(raw, metadata());
    default: {
      const workload = [...builtInWorkloads, ...workloads].find(
        (one) => one.kind === kind && groupOf(one.apiVersion) === groupOf(apiVersion),
      );
      return workload && normalizeTemplate(raw, workload, metadata());
    }
  }
}

/** Whatever namespace it names, it is of none. */
const clusterWide = (raw: RawObject): ObjectMeta => ({ ...metadataOf(raw, ''), namespace: '' });

/** `apps` of `apps/v1`, empty for the core group. */
export const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '');

function metadataOf(raw: RawObject, defaultNamespace: string): ObjectMeta {
  const metadata = objectAt(raw, 'metadata');
  return {
    namespace: stringAt(metadata, 'namespace') ?? defaultNamespace,
    name: stringAt(metadata, 'name') ?? stringAt(metadata, 'generateName') ?? '',
    labels: labelsOf(metadata['labels']),
    annotations: labelsOf(metadata['annotations']),
    ...given('deletionTimestamp', stringAt(metadata, 'deletionTimestamp')),
    ...given('owner', ownerOf(raw)),
  };
}

/**
 * What an API server has made of the object. A write of the status, as of a load balancer's address, is nobody's change; nor is
 * a label or an annotation from somebody who owns nothing of the spec (`kubectl label`). An entry has the time of the last
 * change of anything that its manager owns (managedfields/internal/managedfieldsupdater.go), so one that owns both counts.
 */
function storedAs(raw: RawObject): Pick<ObjectMeta, 'uid' | 'createdMs' | 'changedMs'> {
  const metadata = objectAt(raw, 'metadata');
  const managers = objectsAt(metadata, 'managedFields').filter(
    (entry) => (stringAt(entry, 'subresource') ?? '') === '' && Object.hasOwn(objectAt(entry, 'fieldsV1'), 'f:spec'),
  );
  const created = momentOf(stringAt(metadata, 'creationTimestamp'));
  const newest = Math.max(...[created, ...managers.map((entry) => momentOf(stringAt(entry, 'time')))].filter(Number.isFinite));
  return {
    ...given('uid', stringAt(metadata, 'uid')),
    ...given('createdMs', finite(created)),
    ...given('changedMs', finite(newest)),
  };
}

const momentOf = (time: string | undefined): number => Date.parse(time ?? '');

const finite = (ms: number): number | undefined => (Number.isFinite(ms) ? ms : undefined);

/** The API server labels every Namespace with its name (KEP-2161); a file may leave that out. */
function namespaceOf(raw: RawObject): Resource {
  const metadata = metadataOf(raw, '');
  const labels = labelsOf({ ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name });
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { ...metadata, namespace: '', labels } };
}

/** The objects of a `List` (`kind: List`, `ServiceList`, …), and any other object as a list of one. */
export function itemsOf(raw: RawObject): readonly RawObject[] {
  const items = raw['items'];
  if (!Array.isArray(items) || !(stringAt(raw, 'kind') ?? '').endsWith('List')) return [raw];
  const kind = (stringAt(raw, 'kind') ?? '').slice(0, -'List'.length);
  const inherited = kind === '' ? {} : { apiVersion: raw['apiVersion'], kind };
  return items.filter(isObject).flatMap((item) => itemsOf({ ...inherited, ...item }));
}
