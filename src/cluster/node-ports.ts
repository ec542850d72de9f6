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

/** The API server chose it at an earlier write: to write it down now, as `kubectl get -o yaml` does, chooses nothing. */
export const wasAllocated = ({ nodePort }: ServicePort, { metadata }: Service, before: (() => ClusterView) | undefined): boolean =>
  before?.()
    .get('Service', metadata.namespace, metadata.name)
    ?.spec.ports.some((port) => port.nodePort === nodePort && port.nodePortNamed === false) ?? false;
