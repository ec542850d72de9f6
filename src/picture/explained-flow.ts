/** One connection, explained: at each end the policies that isolate, and of each its rules, with what they hold and what they do not. */
import type { End } from '../cluster/traffic/end.ts';
import { isBound, mayBeSameNode } from '../cluster/traffic/end.ts';
import { type Answer, type Direction, type Doubt, type Endpoint, type FlowTarget, flow, type Verdict } from '../cluster/traffic/flow.ts';
import type { Known } from '../cluster/traffic/known.ts';
import { isWorkload, peersHold } from '../cluster/traffic/peers.ts';
import { type PolicyRule, rulesOf } from '../cluster/traffic/policy-rules.ts';
import { portMatches } from '../cluster/traffic/ports.ts';
import { isolating } from '../cluster/traffic/selecting.ts';
import type { ClusterView } from '../cluster/view.ts';
import { display } from '../kube/display.ts';
import { formatSelector, selectsEverything } from '../kube/labels.ts';
import { listed } from '../kube/listed.ts';
import type { NetworkPolicyPeer, NetworkPolicyPort } from '../kube/policy-parts.ts';
import { formatRef, type LabelSelector, refOf, type Workload } from '../kube/resources.ts';
import { doubts } from './policies.ts';

/** `holds`: the rule allows the connection. `perhaps`: it is not certain. */
export type RuleState = 'holds' | 'perhaps' | 'otherPeer' | 'otherPort';

export interface ExplainedRule {
  /** `spec.ingress[0]`. */
  readonly field: string;
  readonly state: RuleState;
  /** Whom it allows, and on which ports: `Pods app=web of this namespace, port 8080/TCP`. */
  readonly text: string;
}

export interface ExplainedPolicy {
  /** `NetworkPolicy shop/web`. */
  readonly policy: string;
  /** False where only the running Pods tell. */
  readonly isSure: boolean;
  readonly rules: readonly ExplainedRule[];
}

export interface ExplainedEnd {
  readonly direction: Direction;
  readonly answer: Answer;
  /** Why nothing isolates it, where that is not for want of a policy. */
  readonly note: string | undefined;
  readonly policies: readonly ExplainedPolicy[];
  readonly doubts: readonly string[];
}

export interface ExplainedFlow {
  readonly from: string;
  readonly to: string;
  /** `5432/TCP`. */
  readonly port: string;
  readonly answer: Answer;
  readonly ends: readonly [sending: ExplainedEnd, receiving: ExplainedEnd];
  readonly doubts: readonly string[];
}

/** What people call both ends. */
export interface Titles {
  readonly from: string;
  readonly to: string;
}

export function explainedFlow(view: ClusterView, from: Endpoint, to: FlowTarget, titles: Titles): ExplainedFlow {
  const { answer, egress, ingress, doubts: open } = flow(view, from, to);
  const ends = { peer: to.workload, destination: to.workload, via: to.serviceAddresses };
  return {
    ...titles,
    port: `${to.port}/${to.protocol}`,
    answer,
    ends: [
      endOf(view, { ...ends, direction: 'Egress', subject: from }, to, egress),
      endOf(view, { direction: 'Ingress', subject: to.workload, peer: from, destination: to.workload, via: [] }, to, ingress),
    ],
    doubts: phrases(open),
  };
}

const phrases = (some: readonly Doubt[]): readonly string[] => some.map((doubt) => doubts[doubt]);

function endOf(view: ClusterView, end: End, port: FlowTarget, { answer, doubts: open }: Verdict): ExplainedEnd {
  const { direction, subject } = end;
  const said = { direction, answer, doubts: phrases(open) };
  if (!isWorkload(subject))
    return {
      ...said,
      note: `no policy of this cluster binds ${subject.ofNode === true ? 'its nodes' : 'addresses outside it'}`,
      policies: [],
    };
  const policies = isolating(view, subject, direction).map(
    ({ policy, selected }): ExplainedPolicy => ({
      policy: formatRef(refOf(policy)),
      isSure: selected === true,
      rules: rulesOf(policy, direction).map((rule, at) => ({
        field: `spec.${direction.toLowerCase()}[${at}]`,
        ...ruleOf(view, rule, policy.metadata.namespace, end, port),
      })),
    }),
  );
  return { ...said, note: policies.length > 0 ? noteOn(end, subject) : undefined, policies };
}

function noteOn(end: End, subject: Workload): string | undefined {
  if (!isBound(subject)) return "its Pods are on their host's network: network plugins differ on whether policies bind those";
  return mayBeSameNode(end) ? 'what comes from the node of a Pod always reaches it' : undefined;
}

function ruleOf(
  view: ClusterView,
  { peers, ports }: PolicyRule,
  namespace: string,
  end: End,
  port: FlowTarget,
): Omit<ExplainedRule, 'field'> {
  const preposition = end.direction === 'Ingress' ? 'from' : 'to';
  const whom = peers === undefined ? 'anybody' : peers.length === 0 ? 'nobody' : told(peers.map(peerText));
  const where = ports === undefined ? 'any port' : ports.length === 0 ? 'no port' : told(ports.map(portText));
  const text = `${preposition} ${whom}, ${where}`;
  const holds = peersHold(view, peers, namespace, end);
  return { text, state: stateOf(holds, portMatches(ports, end.destination, port)) };
}

/** So many are told, each in full: a selector that is cut says nothing. */
const mostParts = 6;

const told = (parts: readonly string[]): string => {
  const shown = parts.slice(0, mostParts).map((part) => display(part, 160));
  return parts.length > mostParts ? `${shown.join(', ')} and ${parts.length - mostParts} more` : shown.join(' or ');
};

function stateOf(holds: Known, isPort: boolean): RuleState {
  if (holds === false) return 'otherPeer';
  if (!isPort) return 'otherPort';
  return holds === true ? 'holds' : 'perhaps';
}

/** A peer as a person would say it. */
function peerText({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): string {
  if (ipBlock !== undefined) return ipBlock.except.length === 0 ? ipBlock.cidr : `${ipBlock.cidr} but ${listed(ipBlock.except)}`;
  const pods = podSelector === undefined || selectsEverything(podSelector) ? 'all Pods' : `Pods ${formatSelector(podSelector)}`;
  return `${pods} of ${namespaceText(namespaceSelector)}`;
}

function namespaceText(selector: LabelSelector | undefined): string {
  if (selector === undefined) return 'this namespace';
  return selectsEverything(selector) ? 'all namespaces' : `namespaces ${formatSelector(selector)}`;
}

function portText({ port, endPort, protocol }: NetworkPolicyPort): string {
  if (port === undefined) return `any ${protocol} port`;
  if (typeof port === 'string') return `port "${port}"/${protocol}`;
  return endPort === undefined ? `port ${port}/${protocol}` : `ports ${port}-${endPort}/${protocol}`;
}
