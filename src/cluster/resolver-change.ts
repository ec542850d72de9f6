/** What an update of the resolver's Service takes away from the cluster: its address, its Pods, or a port on which it answers. */
import type { FieldPath } from '../kube/field-path.ts';
import { formatLabels } from '../kube/labels.ts';
import { servesNumber, targetPortIn } from '../kube/ports.ts';
import type { Protocol, Service, ServicePort, Workload } from '../kube/resources.ts';
import { selectsPods } from './backends.ts';
import type { ClusterView } from './view.ts';

/** A link that held before the update and does not after it. */
export interface BrokenLink {
  /** Nobody gets an answer any more; otherwise some do, or nobody here can tell. */
  readonly isCertain: boolean;
  readonly path: FieldPath;
  readonly what: string;
  /** What held there, in words and as values: to be kept. */
  readonly kept: string;
  readonly values: readonly unknown[];
}

/** The first broken link, or undefined where all hold that held before. */
export function brokenBy(before: Service, after: Service, view: ClusterView): BrokenLink | undefined {
  return addressGone(before, after) ?? podsGone(before, after, view) ?? portsGone(before, after) ?? targetGone(before, after, view);
}

/** The address by which Pods ask: `None` and none are no address. */
export const addressOf = ({ spec }: Service): string | undefined => spec.clusterIPs.find((address) => address !== 'None');

/** It cannot be changed, only given up (pkg/apis/core/validation ValidateServiceClusterIPsRelatedFields). */
function addressGone({ spec }: Service, after: Service): BrokenLink | undefined {
  if (after.spec.type !== 'ExternalName') return undefined;
  const what = 'with type ExternalName the Service gives up the address that every Pod asks';
  return { isCertain: true, path: ['spec', 'type'], what, kept: `type ${spec.type}`, values: [spec.type] };
}

function podsGone(before: Service, after: Service, view: ClusterView): BrokenLink | undefined {
  const { selector } = before.spec;
  const answered = answering(before, view);
  if (answered.selected === 0) return undefined;
  const link = { path: ['spec', 'selector'], kept: `selector ${formatLabels(selector)}`, values: [selector] };
  if (!selectsPods(after)) return { ...link, isCertain: false, what: 'without a selector nobody keeps the endpoints of this Service' };
  const { selected, ready } = answering(after, view);
  if (selected > 0 && (answered.ready === 0 || ready > 0)) return undefined;
  const what = `selector ${formatLabels(after.spec.selector)} matches no ${selected === 0 ? '' : 'ready '}Pod, so the cluster's DNS has none`;
  return { ...link, isCertain: true, what };
}

/** What the Service selects, Pods and templates, and how many Pods of it answer now. */
function answering({ metadata, spec }: Service, view: ClusterView): { readonly selected: number; readonly ready: number } {
  const selected = view.workloadsSelectedBy(spec.selector, metadata.namespace);
  const records = selected.flatMap((workload) => [...view.pods(workload).records()]);
  const ready = records.filter(([, record]) => !record.terminating && (record.ready || spec.publishNotReadyAddresses)).length;
  return { selected: selected.length, ready };
}

const portFor = ({ spec }: Service, protocol: Protocol): ServicePort | undefined =>
  spec.ports.find((one) => one.port === 53 && one.protocol === protocol);

const protocols: readonly Protocol[] = ['UDP', 'TCP'];

/** Clients ask over UDP first, and over TCP what does not fit into one answer. */
function portsGone(before: Service, after: Service): BrokenLink | undefined {
  const gone = protocols.flatMap((protocol) => (portFor(after, protocol) === undefined ? (portFor(before, protocol) ?? []) : []));
  if (gone.length === 0) return undefined;
  const names = `port ${gone.map(({ protocol }) => `53/${protocol}`).join(' and ')}`;
  return {
    isCertain: gone.some(({ protocol }) => protocol === 'UDP'),
    path: ['spec', 'ports'],
    what: `${names}, on which the cluster's DNS answers, ${gone.length > 1 ? 'are' : 'is'} removed`,
    kept: names,
    values: gone.map(({ name, port, protocol, targetPort }) => ({ ...(name !== undefined && { name }), port, protocol, targetPort })),
  };
}

function targetGone(before: Service, after: Service, view: ClusterView): BrokenLink | undefined {
  const workloads = view.workloadsSelectedBy(after.spec.selector, after.metadata.namespace);
  for (const protocol of protocols) {
    const [then, port] = [portFor(before, protocol), portFor(after, protocol)];
    if (then === undefined || port === undefined || then.targetPort === port.targetPort) continue;
    if (!workloads.some(declares(then)) || workloads.some(declares(port))) continue;
    return {
      // A container may listen on a number that it does not declare; a name that none declares leads nowhere.
      isCertain: protocol === 'UDP' && typeof port.targetPort === 'string',
      path: ['spec', 'ports', after.spec.ports.indexOf(port), 'targetPort'],
      what: `no Pod of the cluster's DNS declares the ${protocol} port ${port.targetPort}, to which 53/${protocol} leads now`,
      kept: `targetPort ${then.targetPort}`,
      values: [then.targetPort],
    };
  }
  return undefined;
}

const declares =
  (port: ServicePort) =>
  ({ pod }: Workload): boolean => {
    const number = targetPortIn(pod, port);
    return number !== undefined && servesNumber(pod, number, port.protocol);
  };
