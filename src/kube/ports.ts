/** Which port of a Pod a Service port leads to: the EndpointSlice controller's `FindPort`. */
import { onceFor } from './once-for.ts';
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
export const servesNumber = (pod: PodShape, number: number, protocol: Protocol): boolean => servedNumbers(pod).has(`${number}/${protocol}`);

/** What containers or probes say that something serves, as `8080/TCP`. Made once for each: 10,000 ports of a Service may lead to it. */
export const servedNumbers = onceFor((pod: PodShape): ReadonlySet<string> => new Set([...pod.ports.map(servedAs), ...probedNumbers(pod)]));

const servedAs = ({ containerPort, protocol }: ContainerPort): string => `${containerPort}/${protocol}`;

/** The port numbers that probes use; a probe may name a declared port instead. */
function probedNumbers({ probePorts, ports }: PodShape): readonly string[] {
  const byName = Map.groupBy(ports, ({ name }) => name);
  const numbers = probePorts.flatMap((probe) =>
    typeof probe === 'number' ? [probe] : (byName.get(probe) ?? []).map(({ containerPort }) => containerPort),
  );
  return [...new Set(numbers)].map((number) => `${number}/TCP`);
}

/** Service ports by what they lead to: made once for a list, since an object may hold 10,000 of them. */
const byTarget = onceFor(
  (ports: readonly ServicePort[]): ReadonlyMap<string, readonly number[]> =>
    Map.groupBy(ports.keys(), (index) => targetKey((ports[index] as ServicePort).protocol, ports[index]?.targetPort)),
);

const targetKey = (protocol: Protocol, target: number | string | undefined): string => `${protocol} ${typeof target} ${target}`;

/** Their indices, in order. */
const leadingTo = (ports: readonly ServicePort[], protocol: Protocol, target: number | string | undefined): readonly number[] =>
  byTarget(ports).get(targetKey(protocol, target)) ?? [];

/** Whether another port of the Service than this one leads to the same target with this protocol. */
export const isTargetOfAnother = (
  ports: readonly ServicePort[],
  index: number,
  protocol: Protocol,
  target: number | string | undefined,
): boolean => target !== undefined && leadingTo(ports, protocol, target).some((at) => at !== index);

/**
 * Of several Service ports with the same target, which one this is: a second port that leads astray is a defect of its
 * own, whatever the number of the first.
 */
export function nthWithTarget(ports: readonly ServicePort[], index: number): number {
  const { protocol, targetPort } = ports[index] as ServicePort;
  const alike = leadingTo(ports, protocol, targetPort);
  return 1 + alike.indexOf(index);
}

/** Container ports to which no other port of the Service leads: one of these may be meant by this one. */
export const notYetTargeted = (
  declared: readonly ContainerPort[],
  ports: readonly ServicePort[],
  index: number,
): readonly ContainerPort[] =>
  declared.filter(
    ({ name, containerPort, protocol }) =>
      protocol === ports[index]?.protocol &&
      !isTargetOfAnother(ports, index, protocol, name) &&
      !isTargetOfAnother(ports, index, protocol, containerPort),
  );

/** A port that is seldom the one that a Service is for: containers declare it for those who watch them. */
export const isForWatchers = ({ name = '' }: Pick<ContainerPort, 'name'>): boolean =>
  /metric|prom|health|probe|admin|debug|pprof/.test(name);

/** `http (8080/TCP)`, `8080/TCP` for a port without a name. */
export const formatPort = ({ name, containerPort, protocol }: ContainerPort): string =>
  name === undefined ? `${containerPort}/${protocol}` : `${name} (${containerPort}/${protocol})`;
