/** A rule that opens ports to anybody, for fixes. */
import { flowYaml } from '../kube/flow-yaml.ts';
import type { NetworkPolicy } from '../kube/resources.ts';
import type { PortOfPod } from './traffic/flow.ts';

export interface Opening {
  /** Of YAML. */
  readonly line: string;
  /** Of a normalized policy. */
  readonly entry: unknown;
}

/** Each port once; TCP needs no word. */
export function openingOf(wanted: readonly PortOfPod[]): Opening {
  const ports = [...new Map(wanted.map(({ port, protocol }) => [`${port}/${protocol}`, { port, protocol }])).values()];
  const written = ports.map(({ port, protocol }) => (protocol === 'TCP' ? { port } : { port, protocol }));
  return { line: flowYaml({ ports: written }), entry: { ports } };
}

/** The edit that adds it to a policy. */
export function additionTo({ spec }: NetworkPolicy, key: 'ingress' | 'egress', { entry }: Opening) {
  const path = ['spec', key];
  return spec[key].length === 0
    ? ({ op: 'add', path, value: [entry] } as const)
    : ({ op: 'add', path: [...path, '-'], value: entry } as const);
}
