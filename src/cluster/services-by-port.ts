/** Services by the port on which they are asked. */
import type { Protocol, Service } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

export interface NumberedPort {
  readonly port: number;
  readonly protocol: Protocol;
}

const keyOf = ({ port, protocol }: NumberedPort): string => `${port}/${protocol}`;

/** Each namespace is indexed once: a policy may have ten thousand rules, and a rule as many ports. */
export function servicesByPort(cluster: ClusterView): (namespace: string, port: NumberedPort) => readonly Service[] {
  const byNamespace = new Map<string, ReadonlyMap<string, readonly Service[]>>();
  return (namespace, port) => {
    cluster.step();
    const index = byNamespace.get(namespace) ?? indexed(cluster.list('Service', namespace), cluster);
    byNamespace.set(namespace, index);
    return index.get(keyOf(port)) ?? [];
  };
}

function indexed(services: readonly Service[], cluster: ClusterView): ReadonlyMap<string, readonly Service[]> {
  const found = new Map<string, Service[]>();
  for (const service of services)
    for (const port of service.spec.ports) {
      cluster.step();
      const those = found.get(keyOf(port));
      if (those === undefined) found.set(keyOf(port), [service]);
      else those.push(service);
    }
  return found;
}
