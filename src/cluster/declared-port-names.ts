/** The port names that Pods declare, which NetworkPolicies may use. */
import { onceFor } from '../kube/once-for.ts';
import type { ContainerPort, Protocol } from '../kube/resources.ts';
import type { MeantPods } from './policy-peers.ts';

export const keyOf = (name: string, protocol: Protocol): string => `${protocol}/${name}`;

/** Named ports, by name and protocol; found once for all rules that lead to the same Pods. */
export const declaredIn = onceFor(({ workloads }: MeantPods): ReadonlyMap<string, ContainerPort> => {
  const named = workloads.flatMap(({ pod }) =>
    pod.ports.flatMap((port) => (port.name === undefined ? [] : [{ ...port, name: port.name }])),
  );
  return new Map(named.map((port) => [keyOf(port.name, port.protocol), port]));
});
