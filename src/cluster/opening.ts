/** A rule that opens ports to anybody, for fixes. */
import { formatPath } from '../kube/field-path.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import type { NetworkPolicy } from '../kube/resources.ts';
import type { Left } from './policy-write.ts';
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

/** One edit for the one mistake, where a port without a protocol is TCP: another rule beside it would leave that as it is. */
export function addingUdp(overUdp: readonly PortOfPod[], rule: number) {
  const path = ['spec', 'egress', rule, 'ports'];
  const lacking = overUdp.map(({ port, protocol }) => ({ port, protocol }));
  return {
    text: `add ${lacking.map(flowYaml).join(', ')} to ${formatPath(path)}`,
    patch: lacking.map((value) => ({ op: 'add', path: [...path, '-'], value }) as const),
  };
}

/**
 * How to keep ports open that a policy shuts: by an edit of one that is written; one that is being removed can only stay, and
 * one that has left the Pods to others must come back to them.
 */
export function fixesByOpening(
  ports: readonly PortOfPod[],
  policy: NetworkPolicy,
  key: 'ingress' | 'egress',
  { isRemoved, left }: { readonly isRemoved: boolean; readonly left: Left | undefined },
) {
  const opening = openingOf(ports);
  const { line } = opening;
  if (left !== undefined) return [left.putBack, { text: `${left.putBack.text}, or allow ${key} ${line} in another policy` }] as const;
  return isRemoved
    ? ([{ text: `keep this policy, or first allow ${key} ${line} in another one` }] as const)
    : ([{ text: `add ${line}`, patch: [additionTo(policy, key, opening)] }, { text: `allow ${key} ${line}` }] as const);
}
