/**
 * A NetworkPolicy in smaller rules: who splits or joins rules so changes nothing, and must not be told that he has broken what
 * was wrong before.
 */
import type { NetworkPolicy } from './resources.ts';

/** Of more rules nobody asks. */
const most = 500;

/** With one peer in each rule; undefined where that is too much. */
export const inSinglePeers = (policy: NetworkPolicy): NetworkPolicy | undefined => splitBy(policy, (ports) => [ports]);

/** With one peer and one port in each rule; undefined where that is too much. */
export const inSinglePorts = (policy: NetworkPolicy): NetworkPolicy | undefined =>
  splitBy(policy, (ports) => ports?.map((port) => [port]) ?? [undefined]);

type Ports = NetworkPolicy['spec']['ingress'][number]['ports'];

function splitBy(policy: NetworkPolicy, partsOf: (ports: Ports) => readonly Ports[]): NetworkPolicy | undefined {
  const { spec } = policy;
  const sizes = [
    ...spec.ingress.map(({ from, ports }) => (from?.length ?? 1) * (ports?.length ?? 1)),
    ...spec.egress.map(({ to, ports }) => (to?.length ?? 1) * (ports?.length ?? 1)),
  ];
  if (sizes.reduce((sum, size) => sum + size, 0) > most) return undefined;
  const ingress = spec.ingress.flatMap(({ from, ports }) =>
    onesOf(from).flatMap((peers) => partsOf(ports).map((part) => ({ ...(peers && { from: peers }), ...(part && { ports: part }) }))),
  );
  const egress = spec.egress.flatMap(({ to, ports }) =>
    onesOf(to).flatMap((peers) => partsOf(ports).map((part) => ({ ...(peers && { to: peers }), ...(part && { ports: part }) }))),
  );
  return { ...policy, spec: { ...spec, ingress, egress } };
}

const onesOf = <T>(peers: readonly T[] | undefined): readonly (readonly T[] | undefined)[] => peers?.map((peer) => [peer]) ?? [undefined];
