/** What the API server fills into the update of a Service (pkg/registry/core/service/storage, patchAllocatedValues). */
import type { Service, ServicePort } from './resources.ts';

/** The Service with the addresses and nodePorts that an earlier version was given, where it leaves them out and still needs them. */
export function keepAllocated(after: Service, before: Service): Service {
  const { spec } = after;
  const keepsIPs = needsClusterIP(after) && needsClusterIP(before) && spec.clusterIPs.length === 0;
  const ports = needsNodePort(after) && needsNodePort(before) ? withNodePorts(spec.ports, before.spec.ports) : spec.ports;
  return { ...after, spec: { ...spec, ports, ...(keepsIPs && { clusterIPs: before.spec.clusterIPs }) } };
}

const needsClusterIP = ({ spec: { type } }: Service): boolean => type !== 'ExternalName';
const needsNodePort = ({ spec: { type } }: Service): boolean => type === 'NodePort' || type === 'LoadBalancer';

/** By the port's name, and no number twice. Whoever leaves it out has not named it. */
function withNodePorts(ports: readonly ServicePort[], before: readonly ServicePort[]): readonly ServicePort[] {
  const numbers = new Map(before.map(({ name = '', nodePort }) => [name, nodePort]));
  const used = new Set(ports.map(({ nodePort }) => nodePort));
  return ports.map((port) => {
    const number = numbers.get(port.name ?? '');
    if (port.nodePort !== undefined || number === undefined || used.has(number)) return port;
    used.add(number);
    return { ...port, nodePort: number, nodePortNamed: false };
  });
}
