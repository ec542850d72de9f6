/**
 * With NodeLocal DNSCache a cache on each node answers under addresses of the node: a link-local one, and mostly that of
 * the Service as well. What Pods ask ends there, so that a rule which selects the Pods of the cluster's DNS does not hold
 * it with most network plugins: an `ipBlock` must.
 */
import { z } from 'zod';
import { allowEgressToNodeDns, type DnsAllowance } from '../cluster/allow-dns.ts';
import { tallyOf } from '../cluster/backends.ts';
import { type Askers, askersWhere, maySendToNode, ruleReachingDns } from '../cluster/dns-rules.ts';
import { type Resolver, resolverOf } from '../cluster/resolver.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { listed } from '../kube/listed.ts';
import { refOf } from '../kube/resources.ts';

export const dnsNodeLocalNotAllowed = defineRule({
  id: 'dns-node-local-not-allowed',
  kinds: ['NetworkPolicy'],
  orderClass: 'backward',
  summary: "Who may ask the Pods of the cluster's DNS may ask the cache on the node as well",
  reads: ['Namespace', 'NetworkPolicy', 'Pod', 'Service', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    podsAlone: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: ({ resolver: { nodeAddresses }, askers: { backends, of }, allowance: { line, entry } }: PodsAlone): Explanation => ({
        what: `this rule allows DNS to Pods alone, and a cache on each node answers at ${listed(nodeAddresses)}`,
        why: `With most network plugins a selector holds no address of the node: name look-ups of ${tallyOf(backends, of)} time out there.`,
        fixes: [
          { text: `add ${line}`, patch: [{ op: 'add', path: ['spec', 'egress', '-'], value: entry }] },
          { text: `allow ${listed(nodeAddresses)} by ipBlock` },
        ],
      }),
    },
  },

  *check({ object: policy, cluster, known, shared, finding }) {
    if (!policy.spec.policyTypes.includes('Egress') || !policy.spec.egress.some(({ to }) => to !== undefined)) return;
    const resolver = resolverOf(cluster, shared);
    if (resolver.nodeAddresses.length === 0) return;
    const rule = ruleReachingDns(cluster, policy, resolver);
    if (rule === undefined) return;
    const askers = askersWhere(cluster, known, policy, resolver, (workload) => !maySendToNode(cluster, workload, resolver));
    if (askers === undefined) return;
    const allowance = allowEgressToNodeDns(resolver, policy, policy.metadata.name);
    const related = [refOf(resolver.service), ...resolver.nodeAgents.map(({ workload }) => refOf(workload))];
    yield finding('podsAlone', ['spec', 'egress', rule], { resolver, askers, allowance }, related);
  },
});

interface PodsAlone {
  readonly resolver: Resolver;
  readonly askers: Askers;
  readonly allowance: DnsAllowance;
}
