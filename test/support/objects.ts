/**
 * Completes the partial objects of the rule tables to what the API server takes, in every driver alike: tables hold only
 * what matters to a rule, and no case is refused before it reaches us. What an object says is never changed.
 */
import { groupOf } from '../../src/kube/normalize.ts';
import { builtInWorkloads } from '../../src/kube/normalize-workload.ts';
import { isObject, objectAt, objectsAt, stringAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { withMaterial } from './tls-material.ts';

const apiVersions: Readonly<Record<string, string>> = {
  Service: 'v1',
  Ingress: 'networking.k8s.io/v1',
  IngressClass: 'networking.k8s.io/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
  Namespace: 'v1',
  Secret: 'v1',
  Pod: 'v1',
  Certificate: 'cert-manager.io/v1',
  ExternalSecret: 'external-secrets.io/v1',
  SealedSecret: 'bitnami.com/v1alpha1',
  ValidatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
  MutatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
  APIService: 'apiregistration.k8s.io/v1',
  ...Object.fromEntries(builtInWorkloads.map(({ kind, apiVersion }) => [kind, apiVersion])),
};

/** Never pulled: no test runs a kubelet. */
const image = 'registry.invalid/none';

/** Of no namespace. */
const clusterWide: ReadonlySet<string> = new Set([
  'Namespace',
  'IngressClass',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'APIService',
]);

export function complete(partial: RawObject): RawObject {
  const kind = stringAt(partial, 'kind') ?? '';
  const apiVersion = stringAt(partial, 'apiVersion') ?? apiVersions[kind];
  const namespaced = clusterWide.has(kind) ? {} : { namespace: 'default' };
  const metadata = { ...namespaced, ...objectAt(partial, 'metadata') };
  const object = { ...partial, apiVersion, kind, metadata };
  return completions[kind]?.(object) ?? object;
}

const withSpec = (object: RawObject, changes: RawObject): RawObject => ({ ...object, spec: { ...objectAt(object, 'spec'), ...changes } });

const completions: Readonly<Record<string, (object: RawObject) => RawObject>> = {
  Service: completeService,
  Ingress: completeIngress,
  NetworkPolicy: (policy) => withSpec(policy, { podSelector: objectAt(objectAt(policy, 'spec'), 'podSelector') }),
  // Of this type, the API server wants to see the keys.
  Secret: (secret) => withMaterial(secret['type'] === 'kubernetes.io/tls' ? { data: { 'tls.crt': '', 'tls.key': '' }, ...secret } : secret),
  Pod: (pod) => withSpec(pod, podSpecOf(objectAt(pod, 'spec'))),
  CronJob: (job) => {
    const template = objectAt(objectAt(objectAt(objectAt(job, 'spec'), 'jobTemplate'), 'spec'), 'template');
    return withSpec(job, { schedule: '0 0 * * *', jobTemplate: { spec: { template: templateOf(template, job, 'Never') } } });
  },
  Job: (job) => withSpec(job, { template: templateOf(objectAt(objectAt(job, 'spec'), 'template'), job, 'Never') }),
  ReplicationController: (controller) =>
    withSpec(
      controller,
      selected(controller, (labels) => labels),
    ),
  ...Object.fromEntries(
    ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].map((kind) => [
      kind,
      (workload: RawObject) =>
        withSpec(
          workload,
          selected(workload, (labels) => ({ matchLabels: labels })),
        ),
    ]),
  ),
};

/** Selector and template labels must agree. */
function selected(workload: RawObject, selectorOf: (labels: RawObject) => unknown): RawObject {
  const spec = objectAt(workload, 'spec');
  const template = templateOf(objectAt(spec, 'template'), workload);
  const selector = isObject(spec['selector']) ? spec['selector'] : selectorOf(objectAt(objectAt(template, 'metadata'), 'labels'));
  return { selector, template };
}

function templateOf(template: RawObject, owner: RawObject, restartPolicy?: string): RawObject {
  const metadata = objectAt(template, 'metadata');
  const labels = objectAt(metadata, 'labels');
  const fallback = { 'portcullis.test/of': stringAt(objectAt(owner, 'metadata'), 'name') ?? '' };
  return {
    ...template,
    metadata: { ...metadata, labels: Object.keys(labels).length > 0 ? labels : fallback },
    spec: { ...(restartPolicy === undefined ? {} : { restartPolicy }), ...podSpecOf(objectAt(template, 'spec')) },
  };
}

function podSpecOf(spec: RawObject): RawObject {
  const named = (prefix: string) => (container: RawObject, index: number) => ({ name: `${prefix}${index}`, image, ...container });
  const containers = objectsAt(spec, 'containers').map(named('main'));
  const initContainers = objectsAt(spec, 'initContainers').map(named('init'));
  return {
    ...spec,
    containers: containers.length > 0 ? containers : [{ name: 'main', image }],
    ...(initContainers.length > 0 && { initContainers }),
  };
}

function completeService(service: RawObject): RawObject {
  const spec = objectAt(service, 'spec');
  const given = objectsAt(spec, 'ports');
  const ports = given.map((port, index) => ({ ...(given.length > 1 && { name: `port-${index}` }), ...port }));
  const isExternal = spec['type'] === 'ExternalName';
  return withSpec(service, {
    ...(isExternal && { externalName: spec['externalName'] ?? 'example.com' }),
    ...(ports.length > 0 ? { ports } : !isExternal && spec['clusterIP'] !== 'None' && { ports: [{ port: 80 }] }),
    ...(ports.some((port) => Object.hasOwn(port, 'nodePort')) && spec['type'] === undefined && { type: 'NodePort' }),
  });
}

const defaultBackend = { service: { name: 'web', port: { number: 80 } } };

function completeIngress(ingress: RawObject): RawObject {
  const spec = objectAt(ingress, 'spec');
  const rules = objectsAt(spec, 'rules').map((rule) => {
    if (!isObject(rule['http'])) return rule;
    const paths = objectsAt(rule['http'], 'paths').map((path) => ({ path: '/', pathType: 'Prefix', backend: defaultBackend, ...path }));
    return { ...rule, http: { ...rule['http'], paths } };
  });
  if (rules.length > 0) return withSpec(ingress, { rules });
  return isObject(spec['defaultBackend']) ? ingress : withSpec(ingress, { defaultBackend });
}

/** What identifies an object to the API. */
export function identityOf(object: RawObject): string {
  const { namespace, name } = objectAt(object, 'metadata');
  return JSON.stringify([groupOf(stringAt(object, 'apiVersion') ?? ''), object['kind'], namespace, name]);
}
