/** Whether Pods reach the cluster's DNS, and which policies keep them from it; and whether anybody outside does. */
import { isOneAddress } from '../kube/cidr.ts';
import { everything, isRunTimeLabel, labelsOf, matchesSelector, podNameLabel, selectsEverything } from '../kube/labels.ts';
import { listed } from '../kube/listed.ts';
import { onceFor } from '../kube/once-for.ts';
import type { NetworkPolicyPeer } from '../kube/policy-parts.ts';
import type { LabelSelector, NetworkPolicy, Workload } from '../kube/resources.ts';
import type { Elsewhere } from './elsewhere.ts';
import { isUdp, type Resolver } from './resolver.ts';
import { type Destination, type Flow, type FlowTarget, flow, type Verdict } from './traffic/flow.ts';
import { namespaceMatches } from './traffic/peers.ts';
import { rulesOf } from './traffic/policy-rules.ts';
import { portMatches } from './traffic/ports.ts';
import { isolating, selects } from './traffic/selecting.ts';
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
  return `${names} ${blockers.length === 1 ? 'isolates them and does' : 'isolate them and do'} not allow it: ${timesOut}`;
}

const timesOut = 'every name look-up times out, and with it most connections.';

/** Whether the policy has its part in each refusal of some way: where others alone say no, it is not its doing. */
export const hasPartIn = (policy: NetworkPolicy, flows: readonly Flow[]): boolean =>
  flows.some((one) => refusals(one).every(({ isolatedBy }) => isolatedBy.some((other) => isSame(other, policy))));

const isSame = (a: NetworkPolicy, b: NetworkPolicy): boolean =>
  a.metadata.name === b.metadata.name && a.metadata.namespace === b.metadata.namespace;

/** Every egress rule that binds the Pods names single addresses, as for the API server: who writes that may need no names. */
export function sendToAddressesOnly(flows: readonly Flow[]): boolean {
  const policies = flows.flatMap(({ egress }) => egress.isolatedBy).filter(({ spec }) => spec.egress.length > 0);
  return policies.length > 0 && policies.every(namesAddressesOnly);
}

/** Found out once for a policy, since every Pod that it binds is asked about. */
const namesAddressesOnly = onceFor(({ spec }: NetworkPolicy): boolean =>
  spec.egress.every(({ to }) => to?.every(({ ipBlock }) => ipBlock !== undefined && isOneAddress(ipBlock)) === true),
);

/** Whether a Pod of another namespace reaches the resolver, or may; false only where certainly none does. */
export const isOpenToOthers = (view: ClusterView, resolver: Resolver): boolean =>
  admits(view, resolver, (peer, own) => admitsSomeone(view, peer, own));

/** Whether some Pod of this namespace reaches the resolver, or may; false only where certainly none does. */
export const isOpenTo = (view: ClusterView, resolver: Resolver, namespace: string): boolean =>
  admits(
    view,
    resolver,
    ({ ipBlock, namespaceSelector }) =>
      ipBlock !== undefined || (namespaceSelector !== undefined && namespaceMatches(view, namespaceSelector, namespace) !== false),
  );

/** Whether every policy together leaves the resolver's Pods no way out: neither to the API server nor to who is asked for other names. */
export const sendsNothing = (view: ClusterView, { destinations }: Resolver): boolean =>
  destinations.every(({ workload }) => {
    const bindings = isolating(view, workload, 'Egress');
    const isIsolated = bindings.some(({ selected }) => selected === true);
    return !workload.pod.hostNetwork && isIsolated && bindings.every(({ policy }) => policy.spec.egress.length === 0);
  });

/** Tells of a peer that a policy lets in whether it holds whom one asks for; `own` is the resolver's namespace. */
type Holds = (peer: NetworkPolicyPeer, own: string) => boolean;

const admits = (view: ClusterView, { destinations, nodeAgents }: Resolver, holds: Holds): boolean =>
  destinations.filter(isUdp).some((destination) => admitsAt(view, destination, nodeAgents.length > 0, holds));

/** With agents on the nodes, those ask in place of the Pods: any rule for the port may be meant for them. */
function admitsAt(view: ClusterView, destination: Destination, agents: boolean, holds: Holds): boolean {
  const { workload } = destination;
  if (workload.pod.hostNetwork) return true;
  const bindings = isolating(view, workload, 'Ingress');
  if (!bindings.some(({ selected }) => selected === true)) return true;
  const rules = bindings
    .flatMap(({ policy }) => rulesOf(policy, 'Ingress'))
    .filter(({ ports }) => {
      view.step();
      return portMatches(ports, workload, destination);
    });
  const isHeld = (peer: NetworkPolicyPeer): boolean => {
    view.step();
    return holds(peer, workload.metadata.namespace);
  };
  return rules.some(({ peers }) => agents || peers === undefined || peers.some(isHeld));
}

/** A block may hold the address of any Pod, also of one that is yet to come. */
function admitsSomeone(view: ClusterView, { ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer, own: string): boolean {
  if (ipBlock !== undefined) return true;
  if (namespaceSelector === undefined) return false;
  // Who asks for no label lets every namespace in, known or not: files of one namespace tell of no other.
  if (selectsEverything(namespaceSelector) && matchesSelector(podSelector ?? everything, labelsOf({}))) return true;
  const others = view.list('Namespace', '').filter(({ metadata }) => {
    view.step();
    return metadata.name !== own && matchesSelector(namespaceSelector, metadata.labels);
  });
  return others.some(({ metadata }) => podSelector === undefined || hasPod(view, podSelector, metadata.name));
}

/** Any Pod will do for a selector that asks for no label; for others one must be there, or a template to which the labels may come. */
const hasPod = (view: ClusterView, selector: LabelSelector, namespace: string): boolean =>
  matchesSelector(selector, labelsOf({})) ||
  view
    .workloadsSelectedBy(
      labelsOf(selector.matchLabels, (key) => key === podNameLabel || !isRunTimeLabel(key)),
      namespace,
    )
    .some((workload) => selects(selector, workload) !== false);
