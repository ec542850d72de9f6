/** What kubelet, the endpoints' controller and kube-proxy are to a Service together: whoever is not ready leaves it, later. */
import type { Balancer } from './balancer.ts';
import { until } from './child-process.ts';
import type { Replica } from './webhook.ts';

export interface EndpointFollower {
  /** Resolves once the way leads to all replicas. */
  leadsToAll(): Promise<unknown>;
  /** Resolves once it leads to this one no more. */
  leaves(replica: Replica): Promise<unknown>;
  close(): void;
}

/** Probes twice a second; what it sees reaches the balancer `lagMs` later. */
export function followEndpoints(balancer: Balancer, replicas: () => readonly Replica[], lagMs: number): EndpointFollower {
  let leadsTo: readonly number[] = [];
  const probe = async (): Promise<void> => {
    const asked = replicas();
    const ready = await Promise.all(asked.map((replica) => replica.isReady()));
    const ports = asked.filter((_, index) => ready[index]).map(({ port }) => port);
    setTimeout(() => {
      leadsTo = ports;
      balancer.setReady(ports);
    }, lagMs).unref();
  };
  const timer = setInterval(() => void probe(), 500);
  return {
    leadsToAll: () => until('the Service leads to all replicas', () => replicas().every(({ port }) => leadsTo.includes(port))),
    leaves: ({ port }) => until('the Service leads there no more', () => !leadsTo.includes(port)),
    close: () => clearInterval(timer),
  };
}
