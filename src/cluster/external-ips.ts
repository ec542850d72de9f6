/** Which other Services of the cluster answer on an address already. */
import { addressAsServed } from '../kube/cidr.ts';
import { onceFor } from '../kube/once-for.ts';
import type { Service, ServicePort } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

export interface Answering {
  readonly service: Service;
  readonly by: 'clusterIP' | 'load balancer address';
}

/**
 * By address as it is served, the Services that answer there: on their clusterIP whatever the port, since nobody else has
 * any business with it; on the address of their load balancer where a port is the same, since some share one address among
 * many Services (MetalLB's allow-shared-ip; ServiceLB, whose addresses are the nodes'). One that is being deleted gives its
 * own up. Looked for in what happens to be known: that one answers is a fact, that none does is not. `step` as of the view.
 */
export function whoAnswersOn(
  addresses: Iterable<string>,
  { metadata, spec }: Service,
  known: ClusterView,
  step: () => void,
): ReadonlyMap<string, readonly Answering[]> {
  const asked = new Set(addresses);
  const ports = new Set(spec.ports.map(portKey));
  const all: (readonly [address: string, answering: Answering])[] = [];
  for (const service of known.listAll('Service')) {
    step();
    const isItself = service.metadata.namespace === metadata.namespace && service.metadata.name === metadata.name;
    if (isItself || service.metadata.deletionTimestamp !== undefined) continue;
    const { clusterIPs, balanced } = addressesOf(service);
    for (const address of clusterIPs) if (asked.has(address)) all.push([address, { service, by: 'clusterIP' }]);
    const shared = balanced.filter((address) => asked.has(address));
    if (shared.length > 0 && service.spec.ports.some((port) => ports.has(portKey(port))))
      all.push(...shared.map((address) => [address, { service, by: 'load balancer address' }] as const));
  }
  const byAddress = Map.groupBy(all, ([address]) => address);
  return new Map(Array.from(byAddress, ([address, those]) => [address, those.map(([, answering]) => answering)]));
}

/** An address in the one way in which it is written here; what is none, as it stands. */
export const asServed = (address: string): string => addressAsServed(address) ?? address;

interface Addresses {
  readonly clusterIPs: readonly string[];
  readonly balanced: readonly string[];
}

/** Read once, however many states of the cluster and Services ask: all Services are gone through for each. */
const addressesOf = onceFor(
  ({ spec, status }: Service): Addresses => ({
    clusterIPs: spec.clusterIPs.map(asServed),
    balanced: (status?.loadBalancer.ingress ?? []).map(({ ip = '' }) => asServed(ip)),
  }),
);

const portKey = ({ port, protocol }: ServicePort): string => `${port}/${protocol}`;
