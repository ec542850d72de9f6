/** Which Pods, by which ports, stand behind a Service: our answer beside the one that the EndpointSlice controller writes. */
import { selectsPods } from '../../src/cluster/backends.ts';
import type { ClusterView } from '../../src/cluster/view.ts';
import { labelsOf, matchesPairs } from '../../src/kube/labels.ts';
import { targetPortIn } from '../../src/kube/ports.ts';
import type { PodRecord, Service, Workload } from '../../src/kube/resources.ts';

/** Pod → its state and the ports by which the Service leads to it, as text that two answers can be compared by. */
export type Endpoints = Readonly<Record<string, string>>;

export function ourEndpoints(service: Service, view: ClusterView): Endpoints {
  if (!selectsPods(service)) return {};
  const pods = view.workloadsSelectedBy(service.spec.selector, service.metadata.namespace).filter(({ kind }) => kind === 'Pod');
  return sorted(pods.flatMap((workload) => endpointsIn(workload, service, view)));
}

function endpointsIn(workload: Workload, service: Service, view: ClusterView): [string, string][] {
  const ports = service.spec.ports.flatMap((port) => {
    const number = targetPortIn(workload.pod, port);
    return number === undefined ? [] : [portText(port.name, number, port.protocol)];
  });
  // A Pod without an address is no endpoint yet, and a label that is one Pod's own is in its record.
  const isEndpoint = ({ ips, labels }: PodRecord): boolean =>
    ips !== '' && matchesPairs(service.spec.selector, labelsOf({ ...workload.pod.labels, ...labels }));
  return [...view.pods(workload).records()]
    .filter(([, record]) => isEndpoint(record))
    .map(([name, record]) => [name, `${stateOf(record, service.spec.publishNotReadyAddresses)} ${ports.sort().join(' ')}`]);
}

/** endpointslice/utils.go podToEndpoint: a Pod that ends is not ready, whatever it says, unless such addresses are published. */
const stateOf = ({ ready, terminating }: PodRecord, published: boolean): string =>
  published || (ready && !terminating) ? 'ready' : 'notReady';

export interface EndpointSlice {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly endpoints?: readonly {
    readonly conditions: { readonly ready?: boolean };
    readonly targetRef?: { readonly name: string };
  }[];
  readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol: string }[] | null;
}

export function kubernetesEndpoints(slices: readonly EndpointSlice[]): Endpoints {
  return sorted(
    slices.flatMap(({ endpoints, ports }) => {
      const texts = (ports ?? []).map(({ name, port, protocol }) => portText(name, port, protocol)).sort();
      return (endpoints ?? []).map(({ conditions, targetRef }): [string, string] => [
        targetRef?.name ?? '',
        `${conditions.ready ? 'ready' : 'notReady'} ${texts.join(' ')}`,
      ]);
    }),
  );
}

const portText = (name: string | undefined, port: number, protocol: string): string => `${name ?? ''}:${port}/${protocol}`;

const sorted = (entries: readonly (readonly [string, string])[]): Endpoints =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
