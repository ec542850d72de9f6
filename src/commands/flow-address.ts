/** What an address is in the cluster of which connections are told: a Pod's, a Service's, a node's, or nothing that is known. */
import { asServed } from '../cluster/external-ips.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Endpoint } from '../cluster/traffic/flow.ts';
import { OperatorError } from '../errors.ts';
import { listed } from '../kube/listed.ts';
import { targetPortIn } from '../kube/ports.ts';
import { formatRef, refOf, type Service, type ServicePort, type Workload } from '../kube/resources.ts';
import { membersOf } from '../picture/flow-sets.ts';
import type { NamedEnd } from './flow-ends.ts';

/** One end of a connection, as it is known. */
export interface KnownEnd {
  readonly title: string;
  /** Several where the Pods of a workload are not all alike. */
  readonly shapes: readonly [Endpoint, ...Endpoint[]];
  /** The workload that it is, or is a Pod of; undefined for what is none. */
  readonly workload?: string;
  /** The one Pod that is meant. */
  readonly pod?: string;
}

/** `role`: only what is sent goes to the address of a Service. Throws an OperatorError PC0001 where it does, or would come from one. */
export function endAtAddress(snapshot: ClusterSnapshot, end: NamedEnd & { readonly address: string }, role: 'from' | 'to'): KnownEnd {
  const address = asServed(end.address);
  const holders = podsAt(snapshot, address);
  const own = holders.filter(({ workload }) => !workload.pod.hostNetwork);
  const staying = own.filter(({ isLeaving }) => !isLeaving);
  const [first, ...others] = staying.length > 0 ? staying : own;
  if (first !== undefined) return podEnd(snapshot, end.address, [first, ...others]);
  const service = serviceAt(snapshot, address, end, role);
  if (service !== undefined) throw isService(snapshot, service, end, role);
  if (holders.length === 0) return { title: end.address, shapes: [{ address: end.address }] };
  return { title: `${end.address}, a node's address`, shapes: [{ address: end.address, ofNode: true }] };
}

interface Holder {
  readonly workload: Workload;
  readonly name: string;
  /** It is being deleted: its address may have been given to another Pod. */
  readonly isLeaving: boolean;
}

const podsAt = (snapshot: ClusterSnapshot, address: string): readonly Holder[] =>
  snapshot
    .listAll('Pod')
    .flatMap((workload) =>
      Array.from(snapshot.pods(workload).records()).flatMap(([name, { ips, terminating }]) =>
        ips.split(',').some((ip) => asServed(ip) === address) ? [{ workload, name, isLeaving: terminating }] : [],
      ),
    );

/** More than one only where an address was given to a new Pod before the old one was seen to go. */
function podEnd(snapshot: ClusterSnapshot, address: string, holders: readonly [Holder, ...Holder[]]): KnownEnd {
  const [{ workload, name }] = holders;
  const { namespace } = workload.metadata;
  const own = membersOf(snapshot, namespace).filter(({ workloads }) => workloads.includes(workload));
  const member = own.find(({ ref }) => ref.kind === 'Pod' && ref.name === name) ?? own[0];
  const pods = holders.map((holder) => `Pod ${holder.workload.metadata.namespace}/${holder.name}`);
  return {
    title: `${pods.join(' or ')} (${address})`,
    shapes: holders.map((holder) => holder.workload) as [Workload, ...Workload[]],
    ...(member !== undefined && { workload: formatRef(member.ref) }),
    pod: name,
  };
}

/** A Service has its clusterIPs for itself; other addresses it may share with a node, and with Services on other ports. */
function serviceAt(snapshot: ClusterSnapshot, address: string, end: NamedEnd, role: 'from' | 'to'): Service | undefined {
  const isOne = (ip: string): boolean => asServed(ip) === address;
  const answers = ({ spec, status }: Service): boolean =>
    [...(spec.externalIPs ?? []), ...(status?.loadBalancer.ingress ?? []).map(({ ip = '' }) => ip)].some(isOne);
  const services = snapshot.listAll('Service');
  return (
    services.find(({ spec }) => spec.clusterIPs.some(isOne)) ??
    (role === 'to' ? services.find((service) => answers(service) && portNamed(service, end) !== undefined) : undefined)
  );
}

const portNamed = ({ spec }: Service, { port, protocol }: NamedEnd): ServicePort | undefined =>
  spec.ports.find((one) => one.protocol === protocol && (one.name === port || String(one.port) === port));

/** Policies are held against Pods: plugins look behind the translation of a Service's address (rules.md D.4, 36). */
function isService(snapshot: ClusterSnapshot, service: Service, end: NamedEnd, role: 'from' | 'to'): OperatorError {
  const message = `${end.address} is an address of ${formatRef(refOf(service))}`;
  if (role === 'from') return new OperatorError('PC0001', message, 'Nothing is sent from the address of a Service: name the workload.');
  const behind = podsBehind(snapshot, service, portNamed(service, end));
  const example = behind.length === 0 ? '' : `: ${listed(behind)}`;
  return new OperatorError(
    'PC0001',
    message,
    `Policies are about the Pods behind it, so name the workload and the port of its Pods${example}.`,
  );
}

/** As they are named on the command line: `kube-system/coredns:53/UDP`. */
function podsBehind(snapshot: ClusterSnapshot, { metadata, spec }: Service, port: ServicePort | undefined): readonly string[] {
  if (Object.keys(spec.selector).length === 0) return [];
  const selected = snapshot.workloadsSelectedBy(spec.selector, metadata.namespace);
  return membersOf(snapshot, metadata.namespace).flatMap(({ name, workloads }) => {
    const shape = workloads.find((one) => selected.includes(one));
    return shape === undefined ? [] : [`${name}${portText(shape, port)}`];
  });
}

function portText({ pod }: Workload, port: ServicePort | undefined): string {
  const number = port && targetPortIn(pod, port);
  if (port === undefined || number === undefined) return '';
  return `:${number}${port.protocol === 'TCP' ? '' : `/${port.protocol}`}`;
}
