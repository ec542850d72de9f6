/** Which Service has which nodePort. */
import { type ObjectRef, refOf, type Service, type ServicePort } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

/** The nodePorts of other Services, wherever they are: the API server's list of them knows neither namespace nor protocol. */
export function nodePortsOfOthers({ metadata: { namespace, name } }: Service, view: ClusterView): ReadonlyMap<number, ObjectRef> {
  const others = view.listAll('Service').filter(({ metadata }) => metadata.namespace !== namespace || metadata.name !== name);
  return new Map(
    others.flatMap((other) => other.spec.ports.flatMap(({ nodePort }) => (nodePort === undefined ? [] : [[nodePort, refOf(other)]]))),
  );
}

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
