/** Whether Pods reach the cluster's DNS, and which policies keep them from it. */
import { isLinkLocal, isOneAddress } from '../kube/cidr.ts';
import { listed } from '../kube/listed.ts';
import { onceFor } from '../kube/once-for.ts';
import type { NetworkPolicy, Workload } from '../kube/resources.ts';
import type { Elsewhere } from './elsewhere.ts';
import { isUdp, type Resolver } from './resolver.ts';
import { type Flow, type FlowTarget, flow, type Verdict } from './traffic/flow.ts';
import { rulesOf } from './traffic/policy-rules.ts';
import { portMatches } from './traffic/ports.ts';
import { isolating } from './traffic/selecting.ts';
import type { ClusterView } from './view.ts';

/** The ways from such Pods to whatever may answer them. */
export const flowsToDns = (view: ClusterView, workload: Workload, resolver: Resolver): readonly Flow[] =>
  targetsOf(resolver).map((target) => flow(view, workload, target));

/** The same ones each time, so that what a policy says of them is found out once. */
const targetsOf = onceFor(({ destinations, nodeAgents, nodeAddresses }: Resolver): readonly FlowTarget[] => [
  ...destinations.filter(isUdp),
  ...nodeAgents,
  ...nodeAddresses.map(onNode),
]);

/** What answers there is no Pod as a network plugin sees it: only a block, or a rule for anybody, holds its address. */
export const onNode = (address: string): FlowTarget => ({ workload: { address }, serviceAddresses: [], protocol: 'UDP', port: 53 });

/** Certainly no way at all. */
export const areCut = (flows: readonly Flow[]): boolean => flows.every(({ answer }) => answer === 'denied');

const refusals = ({ egress, ingress }: Flow): readonly Verdict[] => [egress, ingress].filter(({ answer }) => answer === 'denied');

/** The policies that isolate one end or the other where that end says no; of the resolver's namespace, those that the reader may list. */
export function blockersOf(flows: readonly Flow[], own: string, elsewhere: Elsewhere | undefined): readonly NetworkPolicy[] {
  const all = new Set(flows.flatMap((one) => refusals(one).flatMap(({ isolatedBy }) => isolatedBy)));
  const isOfOthers = ({ metadata }: NetworkPolicy): boolean => metadata.namespace !== own;
  const told = new Set([...all].some(isOfOthers) ? elsewhere?.those('NetworkPolicy', (one) => all.has(one)) : []);
  return [...all].filter((one) => !isOfOthers(one) || told.has(one));
}

/** What the blockers do, in a sentence. */
export function whyCut(blockers: readonly NetworkPolicy[]): string {
  if (blockers.length === 0) return `NetworkPolicies do not allow it: ${timesOut}`;
  const names = `NetworkPolicy ${listed(blockers.map(({ metadata }) => metadata.name))}`;
  return `${names} ${blockers.length === 1 ? 'does' : 'do'} not allow it: ${timesOut}`;
}

const timesOut = 'every name look-up times out, and with it most connections.';

/** Whether the policy has its part in each refusal of some way: where others alone say no, it is not its doing. */
export const hasPartIn = (policy: NetworkPolicy, flows: readonly Flow[]): boolean =>
  flows.some((one) => refusals(one).every(({ isolatedBy }) => isolatedBy.some((other) => isSame(other, policy))));

const isSame = (a: NetworkPolicy, b: NetworkPolicy): boolean =>
  a.metadata.name === b.metadata.name && a.metadata.namespace === b.metadata.namespace;

/**
 * Every egress rule that binds the Pods names single addresses, as for the API server: who writes that may need no names. Or one
 * is for DNS at an address of the node: some clouds answer there, with nothing to be seen of it in the cluster.
 */
export function sendToAddresses(flows: readonly Flow[]): boolean {
  const policies = flows.flatMap(({ egress }) => egress.isolatedBy).filter(({ spec }) => spec.egress.length > 0);
  return policies.length > 0 && (policies.every(namesAddressesOnly) || policies.some(asksNode));
}

/** Found out once for a policy, since every Pod that it binds is asked about. */
const namesAddressesOnly = onceFor(({ spec }: NetworkPolicy): boolean =>
  spec.egress.every(({ to }) => to?.every(({ ipBlock }) => ipBlock !== undefined && isOneAddress(ipBlock)) === true),
);

const asksNode = onceFor((policy: NetworkPolicy): boolean =>
  rulesOf(policy, 'Egress').some(
    ({ ports, peers }) =>
      peers?.some(({ ipBlock }) => ipBlock !== undefined && isLinkLocal(ipBlock)) === true &&
      portMatches(ports, { address: '' }, { protocol: 'UDP', port: 53 }),
  ),
);

/** Whether every policy together leaves the resolver's Pods no way out: neither to the API server nor to who is asked for other names. */
export const sendsNothing = (view: ClusterView, { destinations }: Resolver): boolean =>
  destinations.every(({ workload }) => {
    const bindings = isolating(view, workload, 'Egress');
    const isIsolated = bindings.some(({ selected }) => selected === true);
    return !workload.pod.hostNetwork && isIsolated && bindings.every(({ policy }) => policy.spec.egress.length === 0);
  });
