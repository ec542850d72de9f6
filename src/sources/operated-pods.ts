/**
 * Pods that an operator makes of an object without a Pod template, where people write Services for them by hand: kube-prometheus
 * ships such Services beside the objects. What stands here is what prometheus-operator does (makeStatefulSetSpec in
 * pkg/prometheus/server/statefulset.go, pkg/alertmanager and pkg/thanos; pkg/operator/config_reloader.go, read on 2026-11-21).
 * A comment there says that these labels are kept, since a StatefulSet's selector cannot be changed. And the Pod in which
 * KubeVirt runs a virtual machine has the labels of the machine (podLabels in pkg/virt-controller/services/template.go).
 */
import { labelsOf } from '../kube/labels.ts';
import { booleanAt, objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';

interface Operated {
  /** Of the label that all Pods of the kind have; the label with the object's name is called so, too. */
  readonly application: string;
  /** Of the web port, unless spec.portName says otherwise. */
  readonly port: number;
  /** Beside the web port and that of the configuration's reloader, which are gone with spec.listenLocal. */
  readonly others: readonly RawObject[];
}

const group = 'monitoring.coreos.com/';
const reloader = { name: 'reloader-web', containerPort: 8080 };
const thanos = [
  { name: 'http', containerPort: 10902 },
  { name: 'grpc', containerPort: 10901 },
];

const operated: ReadonlyMap<string, Operated> = new Map([
  ['Prometheus', { application: 'prometheus', port: 9090, others: [] }],
  [
    'Alertmanager',
    {
      application: 'alertmanager',
      port: 9093,
      others: [
        { name: 'mesh-tcp', containerPort: 9094 },
        { name: 'mesh-udp', containerPort: 9094, protocol: 'UDP' },
      ],
    },
  ],
  ['ThanosRuler', { application: 'thanos-ruler', port: 10902, others: [{ name: 'grpc', containerPort: 10901 }] }],
]);

const operatedBy = (apiVersion: string, kind: string): Operated | undefined =>
  apiVersion.startsWith(group) ? operated.get(kind) : undefined;

/** Where the labels of a virtual machine stand; a VirtualMachine is a template of VirtualMachineInstances. */
const machines: ReadonlyMap<string, readonly string[]> = new Map([
  ['VirtualMachine', ['spec', 'template']],
  ['VirtualMachineInstanceReplicaSet', ['spec', 'template']],
  ['VirtualMachineInstance', []],
]);

/** Whether the Pods of the object are known from here only: of the other workloads of its namespace it tells nothing. */
export const isOperated = ({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): boolean =>
  operatedBy(apiVersion, kind) !== undefined || (apiVersion.startsWith('kubevirt.io/') && machines.has(kind));

/** The object with the Pod template that its operator makes of it at `spec.template`; any other object as it is. */
export function withOperatedPods(raw: RawObject): RawObject {
  const apiVersion = stringAt(raw, 'apiVersion') ?? '';
  const kind = stringAt(raw, 'kind') ?? '';
  const one = operatedBy(apiVersion, kind);
  const machine = apiVersion.startsWith('kubevirt.io/') ? machines.get(kind) : undefined;
  if (machine !== undefined) return withMachinePod(raw, machine.reduce(objectAt, raw));
  if (one === undefined) return raw;
  const spec = objectAt(raw, 'spec');
  const template = { metadata: { labels: labelsFor(raw, one) }, spec: { ...spec, containers: containersFor(spec, one) } };
  return { ...raw, spec: { replicas: spec['replicas'], template } };
}

/** What listens in the machine, nobody declares: the ports of its interfaces, where there are any, are those that are let in. */
function withMachinePod(raw: RawObject, machine: RawObject): RawObject {
  const metadata = objectAt(machine, 'metadata');
  const labels = {
    ...labelsOf(metadata['labels']),
    'kubevirt.io': 'virt-launcher',
    'vm.kubevirt.io/name': stringAt(objectAt(raw, 'metadata'), 'name') ?? '',
  };
  const interfaces = objectsAt(['spec', 'domain', 'devices'].reduce(objectAt, machine), 'interfaces');
  const ports = interfaces.flatMap((one) =>
    objectsAt(one, 'ports').map(({ name, port, protocol }) => ({ name, containerPort: port, protocol })),
  );
  return { ...raw, spec: { template: { metadata: { labels }, spec: { containers: [{ ports }] } } } };
}

function labelsFor(raw: RawObject, { application }: Operated): RawObject {
  const name = stringAt(objectAt(raw, 'metadata'), 'name') ?? '';
  return {
    ...labelsOf(objectAt(objectAt(raw, 'spec'), 'podMetadata')['labels']),
    'app.kubernetes.io/name': application,
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/managed-by': 'prometheus-operator',
    [application]: name,
    ...(application === 'prometheus' && { 'operator.prometheus.io/name': name, 'operator.prometheus.io/shard': '0' }),
  };
}

/** Of a container that stands in the object the operator makes one with its own of that name: the ports of both count. */
function containersFor(spec: RawObject, { port, others }: Operated): readonly RawObject[] {
  const web = booleanAt(spec, 'listenLocal') ? [] : [{ name: stringAt(spec, 'portName') ?? 'web', containerPort: port }, reloader];
  const sidecar = Object.hasOwn(spec, 'thanos') ? thanos : [];
  return [{ ports: [...web, ...others, ...sidecar] }, ...objectsAt(spec, 'containers')];
}
