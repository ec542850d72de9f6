/** In which collection of a view an object is kept, and what its kind says of it. */
import type { Collection, JudgedResource, Pod, Resource } from './resources.ts';

const collectionsByKind: Readonly<Record<string, Collection>> = {
  Service: 'Service',
  Ingress: 'Ingress',
  IngressClass: 'IngressClass',
  NetworkPolicy: 'NetworkPolicy',
  Namespace: 'Namespace',
  Secret: 'Secret',
  Certificate: 'Certificate',
  ExternalSecret: 'ExternalSecret',
  SealedSecret: 'SealedSecret',
  ValidatingWebhookConfiguration: 'ValidatingWebhookConfiguration',
  MutatingWebhookConfiguration: 'MutatingWebhookConfiguration',
  APIService: 'APIService',
  Pod: 'Pod',
};

export const collectionOf = (resource: Resource): Collection =>
  'pod' in resource && resource.kind !== 'Pod' ? 'Template' : (collectionsByKind[resource.kind] ?? 'Template');

const clusterWide: readonly Collection[] = [
  'Namespace',
  'IngressClass',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'APIService',
];

/** Of no namespace: all of them are one short list. */
export const isClusterWide = (collection: Collection): boolean => clusterWide.includes(collection);

/** One Pod from a source, not yet put together with its like. */
export const isPod = (resource: Resource): resource is Pod => resource.kind === 'Pod' && 'record' in resource;

export const isJudged = (resource: Resource): resource is JudgedResource =>
  !('pod' in resource) && (resource.kind === 'Service' || resource.kind === 'Ingress' || resource.kind === 'NetworkPolicy');
