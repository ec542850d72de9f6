/**
 * A Pod on the network of its node has the node's address. Most network plugins do not bind it by policies, and hold it by no
 * selector: a policy for such Pods leaves them open, and a peer that means them lets in nobody.
 */
import { z } from 'zod';
import { asBackends, type Backend, tallyOf } from '../cluster/backends.ts';
import { mayHoldNodes, meansHosts } from '../cluster/node-peers.ts';
import { meantBy, type PlacedRule, podsOfPeers, rulesInForce } from '../cluster/policy-peers.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { selectsEverything } from '../kube/labels.ts';
import { listed } from '../kube/listed.ts';
import type { NetworkPolicyPeer } from '../kube/policy-parts.ts';
import type { NetworkPolicy, ObjectRef } from '../kube/resources.ts';

export const networkPolicyHostNetworkSubjectOrPeer = defineRule({
  id: 'network-policy-host-network-subject-or-peer',
  kinds: ['NetworkPolicy'],
  orderClass: 'forward',
  summary: "A policy is about Pods that have addresses of their own, not their nodes'",
  reads: ['Namespace', 'NetworkPolicy', 'Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    /** It cuts nothing that works, and published applications bring such policies along: kube-prometheus for node-exporter. */
    subjects: {
      severity: 'medium',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      text: explainSubjects,
    },
    /** Its author may well know, and mean the others. */
    someSubjects: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'namespace',
      text: explainSubjects,
    },
    peer: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: explainPeer,
    },
    peerElsewhere: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'foreign',
      text: explainPeer,
    },
  },

  *check({ object: policy, cluster, known, elsewhere, finding }) {
    const { namespace: own } = policy.metadata;
    const subjects = namesItsSubjects(policy) ? asBackends(meantBy(policy, cluster), known) : [];
    const onHost = subjects.filter(isOnHost);
    const message = onHost.length === subjects.length ? 'subjects' : 'someSubjects';
    if (onHost.length > 0) yield finding(message, ['spec', 'podSelector'], { onHost, of: subjects.length }, refsOf(onHost));
    const held = new Map<PlacedRule, boolean>();
    for (const { peer, path, rule } of selectorsIn(policy, cluster)) {
      const meant = podsOfPeers([peer], own, cluster, elsewhere);
      if (meant === undefined || meant.workloads.length === 0 || !meant.workloads.every(({ pod }) => pod.hostNetwork)) continue;
      const isHeld = held.get(rule) ?? mayHoldNodes(cluster, own, rule);
      held.set(rule, isHeld);
      if (isHeld) continue;
      const pods = asBackends(meant.workloads, known);
      yield finding(meant.isForeign ? 'peerElsewhere' : 'peer', path, { pods, rule, isForeign: meant.isForeign }, refsOf(pods));
    }
  },
});

/** A policy for all Pods of a namespace is for those that come as well, and mostly for the others. */
const namesItsSubjects = ({ spec }: NetworkPolicy): boolean => !selectsEverything(spec.podSelector);

/** Neither its template nor a Pod says otherwise. */
const isOnHost = ({ shapes }: Backend): boolean => shapes.every(({ hostNetwork }) => hostNetwork);

const refsOf = (backends: readonly Backend[]): readonly ObjectRef[] => backends.map(({ ref }) => ref);

interface PlacedSelector {
  readonly peer: NetworkPolicyPeer;
  readonly path: FieldPath;
  readonly rule: PlacedRule;
}

function* selectorsIn(policy: NetworkPolicy, cluster: ClusterView): Generator<PlacedSelector> {
  for (const rule of rulesInForce(policy, cluster))
    for (const [index, peer] of (rule.peers ?? []).entries()) {
      cluster.step();
      if (peer.ipBlock === undefined && !meansHosts(peer)) yield { peer, path: [...rule.path, rule.peersKey, index], rule };
    }
}

interface Subjects {
  readonly onHost: readonly Backend[];
  /** How many workloads it selects. */
  readonly of: number;
}

function explainSubjects({ onHost, of }: Subjects): Explanation {
  return {
    what: `${onHost.length === of ? 'it selects nothing but' : 'it also selects'} Pods on the network of their node: ${tallyOf(onHost, of)}`,
    why: 'Most network plugins do not bind those by policies: what this one would cut stays open.',
    fixes: [{ text: 'take hostNetwork off these Pods, or filter what reaches them on the nodes' }],
  };
}

interface Peer {
  readonly pods: readonly Backend[];
  readonly rule: PlacedRule;
  readonly isForeign: boolean;
}

function explainPeer({ pods, rule: { direction }, isForeign }: Peer): Explanation {
  const [first = '', ...others] = new Set(pods.map(({ ref }) => ref.namespace));
  const where = others.length === 0 ? `in ${shorten(first)}` : `in ${others.length + 1} namespaces`;
  return {
    what: `this peer means only Pods on the network of their node: ${listed(pods.map(({ title }) => title))}${isForeign ? ` ${where}` : ''}`,
    why: `Their address is the node's, which most network plugins hold by no selector: connections ${direction === 'Ingress' ? 'from' : 'to'} other nodes time out.`,
    fixes: [{ text: 'allow the addresses of the nodes by ipBlock, or take hostNetwork off these Pods' }],
  };
}
