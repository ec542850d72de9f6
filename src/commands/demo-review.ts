/**
 * The AdmissionReviews that kubectl's requests become in an API server: recorded from kube-apiserver 1.36.3 and kubectl
 * 1.36.3 and rebuilt here from a manifest, defaults, allocations and managedFields included.
 */
import { randomUUID } from 'node:crypto';
import { groupOf } from '../kube/normalize.ts';
import { given, numberAt, objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';

export interface DemoWrite {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  /** What was there before, in full; of a CREATE, undefined. */
  readonly before: RawObject | undefined;
  /** What is to be there; of a DELETE, undefined. */
  readonly after: RawObject | undefined;
  readonly dryRun: boolean;
}

const plurals: Readonly<Record<string, string>> = { Service: 'services', Ingress: 'ingresses', NetworkPolicy: 'networkpolicies' };

/** The body of the POST that the API server sends. */
export function admissionReview({ operation, before, after, dryRun }: DemoWrite): RawObject {
  const object = (after ?? before) as RawObject;
  const apiVersion = stringAt(object, 'apiVersion') ?? '';
  const group = groupOf(apiVersion);
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  const kind = stringAt(object, 'kind') ?? '';
  const { name, namespace } = objectAt(object, 'metadata');
  const gvk = { group, version, kind };
  const gvr = { group, version, resource: plurals[kind] ?? '' };
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: randomUUID(),
      kind: gvk,
      resource: gvr,
      requestKind: gvk,
      requestResource: gvr,
      name,
      namespace,
      operation,
      userInfo: { username: 'alice', uid: 'alice', groups: ['developers', 'system:authenticated'] },
      object: after ?? null,
      oldObject: before ?? null,
      dryRun,
      options: { apiVersion: 'meta.k8s.io/v1', ...optionsOf(operation) },
    },
  };
}

const optionsOf = (operation: DemoWrite['operation']): RawObject => {
  if (operation === 'DELETE') return { kind: 'DeleteOptions', propagationPolicy: 'Background' };
  return {
    kind: operation === 'CREATE' ? 'CreateOptions' : 'UpdateOptions',
    fieldManager: 'kubectl-client-side-apply',
    fieldValidation: 'Strict',
  };
};

/** The object as it comes to validating admission: in a namespace, with defaults filled in and addresses allocated. */
export function admitted(manifest: RawObject, namespace: string): RawObject {
  const metadata = objectAt(manifest, 'metadata');
  const spec = objectAt(manifest, 'spec');
  const full = manifest['kind'] === 'Service' ? serviceSpec(spec) : manifest['kind'] === 'NetworkPolicy' ? policySpec(spec) : spec;
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  return {
    kind: manifest['kind'],
    apiVersion: manifest['apiVersion'],
    metadata: {
      namespace,
      ...metadata,
      uid: randomUUID(),
      creationTimestamp: time,
      annotations: {
        ...objectAt(metadata, 'annotations'),
        'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(manifest)}\n`,
      },
      managedFields: [
        {
          manager: 'kubectl-client-side-apply',
          operation: 'Update',
          apiVersion: manifest['apiVersion'],
          time,
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:spec': manifest['kind'] === 'Service' ? { 'f:ports': ownedPorts(spec) } : {} },
        },
      ],
    },
    spec: full,
  };
}

function serviceSpec(spec: RawObject): RawObject {
  const type = stringAt(spec, 'type') ?? 'ClusterIP';
  if (type === 'ExternalName') return { sessionAffinity: 'None', ...spec };
  const clusterIP = stringAt(spec, 'clusterIP') ?? '10.96.200.10';
  return {
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    clusterIP,
    clusterIPs: [clusterIP],
    ...spec,
    type,
    ports: objectsAt(spec, 'ports').map((port, index) => ({
      protocol: 'TCP',
      targetPort: numberAt(port, 'port'),
      // Allocated from the whole range, so out of the shop's: nobody asked for it.
      ...given('nodePort', type === 'ClusterIP' ? undefined : 31_888 + index),
      ...port,
    })),
  };
}

const policySpec = (spec: RawObject): RawObject => ({
  policyTypes: ['Ingress', ...(objectsAt(spec, 'egress').length > 0 ? ['Egress'] : [])],
  ...spec,
  ...given('ingress', rulesOf(spec, 'ingress')),
  ...given('egress', rulesOf(spec, 'egress')),
});

const rulesOf = (spec: RawObject, key: string): readonly RawObject[] | undefined =>
  Object.hasOwn(spec, key) ? objectsAt(spec, key).map((rule) => ({ ...rule, ...given('ports', portsOf(rule)) })) : undefined;

const portsOf = (rule: RawObject): readonly RawObject[] | undefined =>
  Object.hasOwn(rule, 'ports') ? objectsAt(rule, 'ports').map((port) => ({ protocol: 'TCP', ...port })) : undefined;

/** Which fields of a Service's ports the writer named: how one tells a wanted node port from an allocated one. */
const ownedPorts = (spec: RawObject): RawObject =>
  Object.fromEntries(
    objectsAt(spec, 'ports').map((port) => [
      `k:${JSON.stringify({ port: numberAt(port, 'port'), protocol: stringAt(port, 'protocol') ?? 'TCP' })}`,
      Object.fromEntries(Object.keys(port).map((key) => [`f:${key}`, {}])),
    ]),
  );
