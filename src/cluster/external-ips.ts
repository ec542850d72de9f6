/** Which other Services of the cluster answer on an address already. */
import { addressAsServed } from '../kube/cidr.ts';
import type { Service, ServicePort } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

export interface Answering {
  readonly service: Service;
  readonly by: 'clusterIP' | 'load balancer address';
}

/**
 * By address, the Services that answer there: on their clusterIP whatever the port, since nobody else has any business with
 * it; on the address of their load balancer where a port is the same, since some share one address among many Services
 * (MetalLB's allow-shared-ip; ServiceLB, whose addresses are the nodes'). One that is being deleted gives its own up. Looked
 * for in what happens to be known: that one answers is a fact, that none does is not.
 */
export function whoAnswersOn(
  addresses: readonly string[],
  { metadata, spec }: Service,
  known: ClusterView,
): ReadonlyMap<string, readonly Answering[]> {
  const found = new Map<string, Answering[]>(addresses.map((address) => [asServed(address), []]));
  const ports = new Set(spec.ports.map(portKey));
  for (const service of known.listAll('Service')) {
    if (service.metadata.namespace === metadata.namespace && service.metadata.name === metadata.name) continue;
    if (service.metadata.deletionTimestamp !== undefined) continue;
    for (const address of service.spec.clusterIPs) found.get(asServed(address))?.push({ service, by: 'clusterIP' });
    const isShared = (): boolean => service.spec.ports.some((port) => ports.has(portKey(port)));
    for (const { ip = '' } of service.status?.loadBalancer.ingress ?? [])
      if (found.has(asServed(ip)) && isShared()) found.get(asServed(ip))?.push({ service, by: 'load balancer address' });
  }
  return new Map(addresses.map((address) => [address, found.get(asServed(address)) ?? []]));
}

const asServed = (address: string): string => addressAsServed(address) ?? address;

const portKey = ({ port, protocol }: ServicePort): string => `${port}/${protocol}`;
