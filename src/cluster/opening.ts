/** A rule that opens ports to anybody, for fixes. */
import { flowYaml } from '../kube/flow-yaml.ts';
import type { NetworkPolicy } from '../kube/resources.ts';
import type { PortOfPod } from './traffic/flow.ts';

interface Opening {
  /** Of YAML. */
  readonly line: string;
  /** Of a normalized policy. */
  readonly entry: unknown;
}

/** Each port once; TCP needs no word. */
function openingOf(wanted: readonly PortOfPod[]): Opening {
  const ports = [...new Map(wanted.map(({ port, protocol }) => [`${port}/${protocol}`, { port, protocol }])).values()];
  const written = ports.map(({ port, protocol }) => (protocol === 'TCP' ? { port } : { port, protocol }));
  return { line: flowYaml({ ports: written }), entry: { ports } };
}

/** The edit that adds a rule to a policy. */
export function additionTo({ spec }: NetworkPolicy, key: 'ingress' | 'egress', { entry }: Pick<Opening, 'entry'>) {
  const path = ['spec', key];
  return spec[key].length === 0
    ? ({ op: 'add', path, value: [entry] } as const)
    : ({ op: 'add', path: [...path, '-'], value: entry } as const);
}

/** How to keep ports open that a policy shuts: by an edit of one that is written; one that is being removed can only stay. */
export function fixesByOpening(ports: readonly PortOfPod[], policy: NetworkPolicy, key: 'ingress' | 'egress', isRemoved: boolean) {
  const opening = openingOf(ports);
  const { line } = opening;
  return isRemoved
    ? ([{ text: `keep this policy, or first allow ${key} ${line} in another one` }] as const)
    : ([{ text: `add ${line}`, patch: [additionTo(policy, key, opening)] }, { text: `allow ${key} ${line}` }] as const);
}
