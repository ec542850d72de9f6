/** Connections that somebody has written down: not what may be meant, but what an object of the cluster says. */
import { targetPortIn } from '../../kube/ports.ts';
import type { Service, ServicePort, Workload } from '../../kube/resources.ts';
import { isHeadless, selectsPods } from '../backends.ts';
import { addressesOf } from '../resolver.ts';
import type { Destination, FlowQuestion } from '../traffic/flow.ts';
import type { ClusterView } from '../view.ts';

/** Whose requests are lost: of those who call from outside, of a workload of the cluster, of who watches. The gravest first. */
export const dependencyKinds = ['ingress', 'host', 'scrape'] as const;

export interface Dependency extends FlowQuestion {
  readonly kind: (typeof dependencyKinds)[number];
  readonly from: Workload;
  readonly to: Destination;
  /** As people read it: `Ingress shop to Service web:80`. Equal for what Pods and templates of one maker have in common. */
  readonly title: string;
}

/** A port of a Service that somebody asks. */
export interface AskedPort {
  readonly service: Service;
  readonly port: ServicePort;
}

/** The Pods behind a port of a Service: those that exist, else what will make them. */
export function destinationsBehind({ service, port }: AskedPort, view: ClusterView): readonly Destination[] {
  const { metadata, spec } = service;
  if (!selectsPods(service)) return [];
  return preferringPods(view.workloadsSelectedBy(spec.selector, metadata.namespace)).flatMap((workload) => {
    // Nothing translates the port of a Service whose name leads to the Pods themselves.
    const number = isHeadless(service) ? port.port : targetPortIn(workload.pod, port);
    const serviceAddresses = addressesOf(spec.clusterIPs);
    return number === undefined ? [] : [{ workload, protocol: port.protocol, port: number, serviceAddresses }];
  });
}

/** A template says nothing that its Pods do not say better: those have addresses, and whatever was injected. */
export function preferringPods(workloads: readonly Workload[]): readonly Workload[] {
  const makers = new Set(workloads.map((workload) => (workload.kind === 'Pod' ? keyOf(workload) : undefined)));
  return workloads.filter((workload) => workload.kind === 'Pod' || !makers.has(keyOf(workload)));
}

/** Equal for a template and the Pods that it makes. */
export const keyOf = (workload: Workload): string => `${workload.metadata.namespace}/${makerOf(workload)}`;

const makerOf = ({ kind, metadata, owner }: Workload): string => owner ?? `${kind}/${metadata.name}`;

/** `Deployment web`; with the namespace, where it is another one than the reader's: `Deployment shop/web`. */
export const titleOf = (workload: Workload, own: string): string => {
  const [kind, name] = makerOf(workload).split('/') as [string, string];
  return `${kind} ${qualified({ namespace: workload.metadata.namespace, name }, own)}`;
};

/** `Service db:5432`. */
export const titleOfPort = ({ service, port }: AskedPort, own: string): string =>
  `Service ${qualified(service.metadata, own)}:${port.port}`;

export const qualified = ({ namespace, name }: { readonly namespace: string; readonly name: string }, own: string): string =>
  namespace === own ? name : `${namespace}/${name}`;
