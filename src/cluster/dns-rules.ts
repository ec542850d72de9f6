/** The egress rules of one policy that have to do with DNS: which are meant for it, which reach it, and where the others end. */
import type { NetworkPolicyPort } from '../kube/policy-parts.ts';
import type { NetworkPolicy, Protocol, Workload } from '../kube/resources.ts';
import { asBackends, type Backend } from './backends.ts';
import { flowsToDns, onNode } from './dns-access.ts';
import { asksResolver, isUdp, type Resolver } from './resolver.ts';
import { type Destination, type Flow, flow } from './traffic/flow.ts';
import type { Known } from './traffic/known.ts';
import { peersHold } from './traffic/peers.ts';
import { type PolicyRule, rulesOf } from './traffic/policy-rules.ts';
import { portMatches } from './traffic/ports.ts';
import { selects } from './traffic/selecting.ts';
import type { ClusterView } from './view.ts';

/** A rule that is meant for the cluster's DNS and does not let Pods ask it. */
export interface DnsFault {
  /** Its position in `spec.egress`. */
  readonly rule: number;
  /** The first link that fails: its peers hold nothing that answers, or its ports are not those on which that listens. */
  readonly link: 'peers' | 'ports';
}

/** Whom a policy is for, as far as DNS goes. */
export interface Askers {
  /** How many workloads the policy selects, as people count them. */
  readonly of: number;
  readonly backends: readonly Backend[];
}

/** The workloads that a policy certainly selects. */
export const selectedBy = (view: ClusterView, { metadata, spec }: NetworkPolicy): readonly Workload[] =>
  view
    .workloadsSelectedBy(spec.podSelector.matchLabels, metadata.namespace)
    .filter((workload) => selects(spec.podSelector, workload) === true);

/** Those of them that it binds, and that ask the resolver. */
const boundAskers = (view: ClusterView, policy: NetworkPolicy, resolver: Resolver): readonly Workload[] =>
  selectedBy(view, policy).filter((workload) => !workload.pod.hostNetwork && asksResolver(workload, resolver));

/** Whether the Pods' own policies certainly keep all that they send from whatever may answer them. */
export const mayNotAsk = (flows: readonly Flow[]): boolean => flows.every(({ egress }) => egress.answer === 'denied');

/** Those of them of which something holds; undefined where there is none. `known` is for the counts. */
export function askersWhere(
  view: ClusterView,
  known: ClusterView,
  policy: NetworkPolicy,
  resolver: Resolver,
  holds: (asker: Workload) => boolean,
): Askers | undefined {
  const found = boundAskers(view, policy, resolver).filter(holds);
  return found.length === 0 ? undefined : { backends: asBackends(found, known), of: asBackends(selectedBy(view, policy), known).length };
}

/** Those of them that no policy lets ask: all others are saved by some policy, whatever is wrong with this one. */
export const askersCutOff = (view: ClusterView, known: ClusterView, policy: NetworkPolicy, resolver: Resolver): Askers | undefined =>
  askersWhere(view, known, policy, resolver, (workload) => mayNotAsk(flowsToDns(view, workload, resolver)));

/** The rule that comes nearest to allowing DNS and does not, or undefined where none is meant to. */
export function dnsFaultOf(view: ClusterView, policy: NetworkPolicy, resolver: Resolver): DnsFault | undefined {
  if (!opensPorts(policy)) return undefined;
  const faults = rulesOf(policy, 'Egress').flatMap((rule, at): readonly DnsFault[] => {
    view.step();
    const link = linkBrokenIn(view, rule, policy, resolver);
    return link === undefined ? [] : [{ rule: at, link }];
  });
  return faults.find(({ link }) => link === 'ports') ?? faults[0];
}

function linkBrokenIn(view: ClusterView, rule: PolicyRule, policy: NetworkPolicy, resolver: Resolver): DnsFault['link'] | undefined {
  const named = portsForDns(rule, resolver);
  // Who names addresses may mean another resolver, or know which of them a plugin looks at.
  if (named.length === 0 || rule.peers?.some(({ ipBlock }) => ipBlock !== undefined)) return undefined;
  const reached = [...resolver.destinations.filter(isUdp), ...resolver.nodeAgents].filter(
    (one) => holds(view, rule, policy, one) !== false,
  );
  if (reached.length === 0) return servesDnsItself(view, rule, policy) ? undefined : 'peers';
  const asked = named.some(isOverUdp) ? named.filter(isOverUdp) : named;
  return reached.some(({ port }) => asked.some((one) => one.port === port)) ? undefined : 'ports';
}

/** 53, as Services have it; 5353, as Pods often do, above all on OpenShift; and the ports that they have here. */
const usualPorts: readonly number[] = [53, 5353];

const isOverUdp = ({ protocol }: { readonly protocol: Protocol }): boolean => protocol === 'UDP';

/** The ports of a rule that nobody opens but for DNS; a range is for something else too. */
export const portsForDns = ({ ports = [] }: PolicyRule, resolver: Resolver): readonly NetworkPolicyPort[] =>
  ports.filter(
    ({ port, endPort, protocol }) =>
      endPort === undefined &&
      protocol !== 'SCTP' &&
      typeof port === 'number' &&
      (usualPorts.includes(port) || resolver.ports.some((one) => one.port === port)),
  );

/** Whether the policy opens single ports to anybody, as one must that is meant for DNS. */
export const opensPorts = ({ spec }: NetworkPolicy): boolean =>
  spec.policyTypes.includes('Egress') && spec.egress.some(({ ports }) => ports !== undefined);

/** Whether the rule opens nothing but DNS, so that another one may stand in its place. */
export function isForDnsAlone(policy: NetworkPolicy, at: number, resolver: Resolver): boolean {
  const rule = rulesOf(policy, 'Egress')[at];
  return rule?.ports !== undefined && portsForDns(rule, resolver).length === rule.ports.length;
}

const holds = (view: ClusterView, { peers }: PolicyRule, policy: NetworkPolicy, to: Destination): Known =>
  peersHold(view, peers, policy.metadata.namespace, { peer: to.workload, via: to.serviceAddresses });

/** Whether the rule is for Pods of the policy's own namespace that serve DNS: somebody has a resolver of his own. */
function servesDnsItself(view: ClusterView, { peers = [] }: PolicyRule, { metadata }: NetworkPolicy): boolean {
  const own = peers.flatMap(({ podSelector, namespaceSelector }) => (namespaceSelector === undefined ? (podSelector ?? []) : []));
  return own.some((selector) =>
    view
      .workloadsSelectedBy(selector.matchLabels, metadata.namespace)
      .some((workload) => selects(selector, workload) !== false && declaresDns(workload)),
  );
}

const declaresDns = ({ pod }: Workload): boolean =>
  pod.ports.some(({ containerPort, protocol }) => protocol === 'UDP' && usualPorts.includes(containerPort));

/** The first rule of the policy that certainly lets the resolver's Pods be asked over UDP, by what they are: an `ipBlock` is the plugin's affair. */
export function ruleReachingDns(view: ClusterView, policy: NetworkPolicy, { destinations }: Resolver): number | undefined {
  const reaching = rulesOf(policy, 'Egress').findIndex((rule) => {
    view.step();
    return destinations.some((one) => isUdp(one) && portMatches(rule.ports, one.workload, one) && holds(view, rule, policy, one) === true);
  });
  return reaching < 0 ? undefined : reaching;
}

/** The first rule of the policy that certainly lets the resolver's Pods be asked over TCP, and lacks but UDP where nothing opens that. */
export function ruleReachingDnsOverTcp(view: ClusterView, policy: NetworkPolicy, { destinations }: Resolver): number | undefined {
  const reaching = rulesOf(policy, 'Egress').findIndex((rule) => {
    view.step();
    const { ports } = rule;
    if (ports === undefined) return false;
    return destinations.some((one) => !isUdp(one) && portMatches(ports, one.workload, one) && holds(view, rule, policy, one) === true);
  });
  return reaching < 0 ? undefined : reaching;
}

/** Whether the Pods' policies let them send to one of the addresses on which each node answers, or may. */
export const maySendToNode = (view: ClusterView, workload: Workload, { nodeAddresses }: Resolver): boolean =>
  nodeAddresses.some((address) => flow(view, workload, onNode(address)).egress.answer !== 'denied');

/** Whether no policy lets the Pods ask over TCP, where the resolver answers over it. */
export function mayNotAskOverTcp(view: ClusterView, workload: Workload, { destinations }: Resolver): boolean {
  const overTcp = destinations.filter(({ protocol }) => protocol === 'TCP');
  return overTcp.length > 0 && mayNotAsk(overTcp.map((destination) => flow(view, workload, destination)));
}
