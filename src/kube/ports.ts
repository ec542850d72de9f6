/** Which port of a Pod a Service port leads to: the EndpointSlice controller's `FindPort`. */
import type { ContainerPort, PodShape, Protocol, ServicePort } from './resources.ts';

/**
 * The number that a Service port leads to in such a Pod, or undefined if a named target is not declared there.
 * A number is taken as it is, declared or not; a name must be equal in name *and* protocol, first hit wins
 * (k8s.io/endpointslice v0.36.3 util: FindPort; containers first, then init containers with restartPolicy Always).
 */
export function targetPortIn(
  { ports }: PodShape,
  { targetPort, protocol }: Pick<ServicePort, 'targetPort' | 'protocol'>,
): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  return ports.find((port) => port.name === targetPort && port.protocol === protocol)?.containerPort;
}

/** Whether a container, or a probe, says that something serves this number with this protocol. */
export const servesNumber = (pod: PodShape, number: number, protocol: Protocol): boolean =>
  pod.ports.some((port) => port.containerPort === number && port.protocol === protocol) ||
  (protocol === 'TCP' && probedNumbers(pod).includes(number));

/** The port numbers that probes use; a probe may name a declared port instead. */
const probedNumbers = ({ probePorts, ports }: PodShape): readonly number[] =>
  probePorts.flatMap((probe) =>
    typeof probe === 'number' ? [probe] : ports.filter(({ name }) => name === probe).map(({ containerPort }) => containerPort),
  );

/**
 * Of several Service ports with the same target, which one this is: a second port that leads astray is a defect of its
 * own, whatever the number of the first.
 */
export const nthWithTarget = (ports: readonly ServicePort[], index: number): number =>
  ports
    .slice(0, index + 1)
    .filter(({ targetPort, protocol }) => targetPort === ports[index]?.targetPort && protocol === ports[index]?.protocol).length;

/** Container ports to which no other port of the Service leads: one of these may be meant by this one. */
export const notYetTargeted = (
  declared: readonly ContainerPort[],
  ports: readonly ServicePort[],
  index: number,
): readonly ContainerPort[] =>
  declared.filter(
    ({ name, containerPort, protocol }) =>
      protocol === ports[index]?.protocol &&
      !ports.some((other, at) => at !== index && other.protocol === protocol && [name, containerPort].includes(other.targetPort)),
  );

/** A port that is seldom the one that a Service is for: containers declare it for those who watch them. */
export const isForWatchers = ({ name = '' }: ContainerPort): boolean => /metric|prom|health|probe|admin|debug|pprof/.test(name);

/** `http (8080/TCP)`, `8080/TCP` for a port without a name. */
export const formatPort = ({ name, containerPort, protocol }: ContainerPort): string =>
  name === undefined ? `${containerPort}/${protocol}` : `${name} (${containerPort}/${protocol})`;
