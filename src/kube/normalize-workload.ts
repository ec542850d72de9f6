/** Pods, and the objects that make them: what counts is the shape of the Pod. */
import { hostsOf } from './hosts.ts';
import { labelsOf, perPodLabels } from './labels.ts';
import { localAddressesOf } from './node-cache.ts';
import { protocolOf } from './normalize-service.ts';
import { booleanAt, given, isObject, numberAt, objectAt, objectsAt, stringAt, stringsAt } from './read.ts';
import type { ContainerPort, Labels, ObjectMeta, Pod, PodShape, RawObject, Workload } from './resources.ts';
import { scrapePortOf } from './scraping.ts';

/** A kind whose objects carry a Pod template. */
export interface WorkloadKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** The name in the API's addresses: `deployments`. */
  readonly resource: string;
  /** Where the template stands: `spec.template`. */
  readonly template: readonly string[];
}

const template = ['spec', 'template'];

export const builtInWorkloads: readonly WorkloadKind[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments', template },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets', template },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', resource: 'daemonsets', template },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets', template },
  { apiVersion: 'v1', kind: 'ReplicationController', resource: 'replicationcontrollers', template },
  { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs', template },
  { apiVersion: 'batch/v1', kind: 'CronJob', resource: 'cronjobs', template: ['spec', 'jobTemplate', 'spec', 'template'] },
];

/**
 * A template. One that a Deployment or CronJob copied is left out: an old ReplicaSet keeps the labels that its
 * Deployment has given up, and no Pod will come from it. So is a finished Job, and a ReplicaSet that asks for no Pods on
 * behalf of a controller that we do not know.
 */
export function normalizeTemplate(raw: RawObject, kind: WorkloadKind, { namespace, name }: ObjectMeta): Workload | undefined {
  const owner = ownerOf(raw);
  const replicas = numberAt(objectAt(raw, 'spec'), 'replicas') ?? 1;
  if (owner?.startsWith('Deployment/') || owner?.startsWith('CronJob/')) return undefined;
  if (kind.kind === 'ReplicaSet' && owner !== undefined && replicas === 0) return undefined;
  if (kind.kind === 'Job' && isFinished(raw)) return undefined;
  const pod = kind.template.reduce(objectAt, raw);
  const spec = objectAt(pod, 'spec');
  return {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: { namespace, name },
    pod: shapeOf(objectAt(pod, 'metadata'), spec),
    replicas,
    ...given('serviceName', kind.kind === 'StatefulSet' ? stringAt(objectAt(raw, 'spec'), 'serviceName') || undefined : undefined),
    ...given('owner', owner),
    ...given('images', kind.kind === 'DaemonSet' ? runningIn(spec).map((container) => stringAt(container, 'image') ?? '') : undefined),
  };
}

const isFinished = (job: RawObject): boolean =>
  objectsAt(objectAt(job, 'status'), 'conditions').some(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );

/** A Pod, or undefined for one that has ended: no endpoint comes from it (endpointslice util ShouldPodBeInEndpoints). */
export function normalizePod(raw: RawObject, { namespace, name, labels, deletionTimestamp }: ObjectMeta): Pod | undefined {
  const status = objectAt(raw, 'status');
  const spec = objectAt(raw, 'spec');
  if (status['phase'] === 'Succeeded' || status['phase'] === 'Failed') return undefined;
  const ips = objectsAt(status, 'podIPs').flatMap((entry) => stringAt(entry, 'ip') ?? []);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name },
    pod: shapeOf(objectAt(raw, 'metadata'), spec),
    ...given('owner', makerOf(raw, labels)),
    record: {
      ips: ips.join(',') || (stringAt(status, 'podIP') ?? ''),
      ready: objectsAt(status, 'conditions').some((one) => one['type'] === 'Ready' && one['status'] === 'True'),
      terminating: deletionTimestamp !== undefined,
      scheduled: Boolean(stringAt(spec, 'nodeName')),
      labels: labelsOf(labels, (key) => perPodLabels.has(key)),
    },
  };
}

/**
 * A ReplicaSet of a Deployment is called after the Pods' hash (pkg/controller/deployment/sync.go): the rest is the Deployment's name.
 * The node that stands as the controller of a static Pod's mirror (pkg/kubelet/pod/mirror_client.go) has made none of them: etcd
 * and the API server would be one.
 */
function makerOf(pod: RawObject, labels: Labels): string | undefined {
  const owner = ownerOf(pod);
  if (owner?.startsWith('Node/')) return undefined;
  const suffix = `-${labels['pod-template-hash'] ?? ''}`;
  return suffix !== '-' && owner?.startsWith('ReplicaSet/') && owner.endsWith(suffix)
    ? `Deployment/${owner.slice('ReplicaSet/'.length, -suffix.length)}`
    : owner;
}

/** The controller among the owners, as `Kind/name`. */
export function ownerOf(raw: RawObject): string | undefined {
  const owner = objectsAt(objectAt(raw, 'metadata'), 'ownerReferences').find((one) => booleanAt(one, 'controller'));
  return owner && `${stringAt(owner, 'kind') ?? ''}/${stringAt(owner, 'name') ?? ''}`;
}

/** Init containers with restartPolicy Always are sidecars that keep running (KEP-753); FindPort looks at them last. */
const runningIn = (spec: RawObject): readonly RawObject[] => [
  ...objectsAt(spec, 'containers'),
  ...objectsAt(spec, 'initContainers').filter((container) => container['restartPolicy'] === 'Always'),
];

function shapeOf(metadata: RawObject, spec: RawObject): PodShape {
  const containers = runningIn(spec);
  return {
    labels: labelsOf(metadata['labels'], (key) => !perPodLabels.has(key)),
    ports: containers.flatMap((container) =>
      objectsAt(container, 'ports').map((port) => containerPortOf(port, booleanAt(spec, 'hostNetwork'))),
    ),
    probePorts: containers.flatMap(probePortsOf),
    hostNetwork: booleanAt(spec, 'hostNetwork'),
    dnsPolicy: stringAt(spec, 'dnsPolicy') ?? 'ClusterFirst',
    nameservers: stringsAt(objectAt(spec, 'dnsConfig'), 'nameservers'),
    ...given('localAddresses', localAddressesOf(containers)),
    ...given(
      'priorityClassName',
      systemClasses.find((name) => name === spec['priorityClassName']),
    ),
    ...given('serviceAccountName', ownAccountOf(spec)),
    ...given('hosts', hostsOf(containers)),
    ...given('scrapePort', scrapePortOf(objectAt(metadata, 'annotations'))),
  };
}

/** pkg/apis/scheduling: SystemClusterCritical, SystemNodeCritical. */
const systemClasses: readonly string[] = ['system-cluster-critical', 'system-node-critical'];

/** Admission writes `default` where none is named (plugin/pkg/admission/serviceaccount); what asks the API server has one of its own. */
function ownAccountOf(spec: RawObject): string | undefined {
  const name = stringAt(spec, 'serviceAccountName') || 'default';
  return name === 'default' || spec['automountServiceAccountToken'] === false ? undefined : name;
}

const containerPortOf = (raw: RawObject, isOnHost: boolean): ContainerPort => ({
  ...given('name', stringAt(raw, 'name') || undefined),
  containerPort: numberAt(raw, 'containerPort') ?? 0,
  protocol: protocolOf(raw),
  // The API server writes the container's own there for Pods on the host network (SetDefaults_Pod); a file leaves it out.
  ...given('hostPort', isOnHost ? undefined : numberAt(raw, 'hostPort') || undefined),
});

const probePortsOf = (container: RawObject): readonly (number | string)[] =>
  ['readinessProbe', 'livenessProbe', 'startupProbe'].flatMap((probe) =>
    ['httpGet', 'tcpSocket', 'grpc'].flatMap((action) => {
      const handler = objectAt(container, probe)[action];
      return isObject(handler) ? (stringAt(handler, 'port') ?? numberAt(handler, 'port') ?? []) : [];
    }),
  );
