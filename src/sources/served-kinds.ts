/**
 * Where the API server serves the kinds that we read, and until when it served them elsewhere (Kubernetes' deprecation guide, read
 * on 2026-11-21). Groups with a domain are other people's, who may call their kinds as they like: a CustomResourceDefinition needs
 * a dot in its group, and `*.k8s.io` is Kubernetes' own (apiextensions validation, KEP-1111).
 */
import { groupOf } from '../kube/normalize.ts';
import { stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { type Rejection, rejection } from './rejection.ts';

const kindsServedAs: ReadonlyMap<string, readonly string[]> = new Map([
  ['v1', ['Namespace', 'Pod', 'ReplicationController', 'Secret', 'Service']],
  ['apps/v1', ['DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet']],
  ['batch/v1', ['CronJob', 'Job']],
  ['networking.k8s.io/v1', ['Ingress', 'IngressClass', 'NetworkPolicy']],
  ['admissionregistration.k8s.io/v1', ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']],
  ['apiregistration.k8s.io/v1', ['APIService']],
]);

const servedAs: ReadonlyMap<string, string> = new Map(
  Array.from(kindsServedAs, ([apiVersion, kinds]) => kinds.map((kind) => [kind, apiVersion] as const)).flat(),
);

/** The release that no longer serves it. */
const removedIn: ReadonlyMap<string, string> = new Map([
  ['extensions/v1beta1 DaemonSet', '1.16'],
  ['extensions/v1beta1 Deployment', '1.16'],
  ['extensions/v1beta1 Ingress', '1.22'],
  ['extensions/v1beta1 NetworkPolicy', '1.16'],
  ['extensions/v1beta1 ReplicaSet', '1.16'],
  ['apps/v1beta1 Deployment', '1.16'],
  ['apps/v1beta1 StatefulSet', '1.16'],
  ['apps/v1beta2 DaemonSet', '1.16'],
  ['apps/v1beta2 Deployment', '1.16'],
  ['apps/v1beta2 ReplicaSet', '1.16'],
  ['apps/v1beta2 StatefulSet', '1.16'],
  ['batch/v1beta1 CronJob', '1.25'],
  ['networking.k8s.io/v1beta1 Ingress', '1.22'],
  ['networking.k8s.io/v1beta1 IngressClass', '1.22'],
  ['admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration', '1.22'],
  ['admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration', '1.22'],
  ['apiregistration.k8s.io/v1beta1 APIService', '1.22'],
]);

const isOfKubernetes = (group: string): boolean => !group.includes('.') || group.endsWith('.k8s.io');

/** A kind of Kubernetes in a group or version of Kubernetes that does not have it: kubectl finds "no matches for kind". */
export function kindRejections(raw: RawObject): readonly Rejection[] {
  const [apiVersion, kind] = [stringAt(raw, 'apiVersion') ?? '', stringAt(raw, 'kind') ?? ''];
  const right = servedAs.get(kind);
  if (right === undefined || right === apiVersion || !isOfKubernetes(groupOf(apiVersion))) return [];
  const release = removedIn.get(`${apiVersion} ${kind}`);
  const message =
    release === undefined ? `kind ${kind} is of ${right}, not of ${apiVersion}` : `${apiVersion} is not served since Kubernetes ${release}`;
  return [rejection(['apiVersion'], message, `Write it for ${right}.`)];
}
