/** Which backends have what a Service port leads to: found once for all ports, since of both there may be thousands. */
import { onceFor } from '../kube/once-for.ts';
import { servedNumbers } from '../kube/ports.ts';
import type { ContainerPort, PodShape, ServicePort } from '../kube/resources.ts';
import type { Backend } from './backends.ts';

export interface ServedPorts {
  /** Those that declare or probe the number, or declare the name, with the protocol of the port. */
  by(port: ServicePort): ReadonlySet<Backend>;
  /** The first that declares the number or the name at all, whatever the protocol. */
  declared(target: number | string): Declared | undefined;
}

interface Declared {
  readonly backend: Backend;
  readonly port: ContainerPort;
}

export const servedPorts = onceFor(indexOf);

const none: ReadonlySet<Backend> = new Set();

function indexOf(backends: readonly Backend[]): ServedPorts {
  const serving = new Map<string, Set<Backend>>();
  for (const backend of backends)
    for (const target of backend.shapes.flatMap(targetsIn)) {
      const those = serving.get(target) ?? new Set();
      serving.set(target, those.add(backend));
    }
  const declared = declaredIn(backends);
  return { by: (port) => serving.get(targetOf(port)) ?? none, declared: (target) => declared.get(target) };
}

function declaredIn(backends: readonly Backend[]): ReadonlyMap<number | string, Declared> {
  const declared = new Map<number | string, Declared>();
  const all = backends.flatMap((backend) => backend.shapes.flatMap(({ ports }) => ports.map((port) => ({ backend, port }))));
  for (const one of all)
    for (const target of [one.port.containerPort, one.port.name ?? one.port.containerPort])
      if (!declared.has(target)) declared.set(target, one);
  return declared;
}

const targetOf = ({ targetPort, protocol }: Pick<ServicePort, 'targetPort' | 'protocol'>): string =>
  typeof targetPort === 'number' ? `${targetPort}/${protocol}` : `"${targetPort}"/${protocol}`;

const targetsIn = (shape: PodShape): readonly string[] => [
  ...servedNumbers(shape),
  ...shape.ports.flatMap(({ name, protocol }) => (name === undefined ? [] : targetOf({ targetPort: name, protocol }))),
];
