/** Which Service has which nodePort. */
import { onceFor } from '../kube/once-for.ts';
import { type ObjectRef, refOf, type Service, type ServicePort } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

/**
 * Tells which other Service has a nodePort, wherever it is: the API server's list of them knows neither namespace nor
 * protocol. All Services are gone through at the first question, once for a view, and not at all if nobody asks.
 */
export const otherWithNodePort =
  ({ metadata: { namespace, name } }: Service, view: ClusterView) =>
  (nodePort: number): ObjectRef | undefined =>
    ownersIn(view)
      .get(nodePort)
      ?.findLast((owner) => owner.namespace !== namespace || owner.name !== name);

const ownersIn = onceFor((view: ClusterView): ReadonlyMap<number, readonly ObjectRef[]> => {
  const all = view.listAll('Service').flatMap((service) => service.spec.ports.map(({ nodePort }) => [nodePort, refOf(service)] as const));
  const named = all.filter((one): one is readonly [number, ObjectRef] => one[0] !== undefined);
  const grouped = Map.groupBy(named, ([nodePort]) => nodePort);
  return new Map(Array.from(grouped, ([nodePort, ones]) => [nodePort, ones.map(([, owner]) => owner)]));
});

/**
 * The API server chose it, or may have. At an earlier write: to write it down now, as `kubectl get -o yaml` does, chooses
 * nothing. At this one: where a change to ClusterIP took a named number away, its name stays in managedFields, and the
 * next change of type gives the port a number that looks named (measured on 1.36.3).
 */
export const wasAllocated = (
  { nodePort, port, protocol, nodePortOwners }: ServicePort,
  { metadata }: Service,
  before: (() => ClusterView) | undefined,
): boolean => {
  const ports = before?.().get('Service', metadata.namespace, metadata.name)?.spec.ports ?? [];
  const hadOnlyAName = (one: ServicePort): boolean =>
    one.port === port && one.protocol === protocol && one.nodePort === undefined && one.nodePortOwners !== undefined;
  const isClaimedAsBefore = ports.some((one) => hadOnlyAName(one) && one.nodePortOwners === nodePortOwners);
  return isClaimedAsBefore || ports.some((one) => one.nodePort === nodePort && one.nodePortNamed === false);
};
