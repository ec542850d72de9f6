/**
 * Names are asked over UDP. An answer that does not fit comes back cut short, and is asked for again over TCP: with a rule
 * that opens UDP alone, just the long answers fail (many addresses behind one name, TXT records, DNSSEC).
 */
import { z } from 'zod';
import { tallyOf } from '../cluster/backends.ts';
import { type Askers, askersWhere, mayNotAskOverTcp, opensPorts, ruleReachingDns } from '../cluster/dns-rules.ts';
import { formatResolver, type Resolver, resolverOf } from '../cluster/resolver.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import { refOf } from '../kube/resources.ts';

export const dnsUdpOnly = defineRule({
  id: 'dns-udp-only',
  kinds: ['NetworkPolicy'],
  orderClass: 'forward',
  summary: "Who may ask the cluster's DNS over UDP may ask it over TCP as well",
  reads: ['Namespace', 'NetworkPolicy', 'Pod', 'Service', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    tcpNotAllowed: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      text: ({ resolver, askers: { backends, of }, ports, path }: TcpNotAllowed): Explanation => ({
        what: `${tallyOf(backends, of)} may ask the cluster's DNS, ${formatResolver(resolver)}, over UDP alone`,
        why: 'An answer that is too long for UDP is asked for again over TCP, and that times out.',
        fixes: [
          {
            text: `add ${ports.map((port) => flowYaml({ port })).join(', ')}`,
            patch: ports.map((port) => ({ op: 'add', path: [...path, '-'], value: { protocol: 'TCP', port } }) as const),
          },
          { text: 'open the same ports for TCP' },
        ],
      }),
    },
  },

  *check({ object: policy, cluster, known, shared, finding }) {
    if (!opensPorts(policy)) return;
    const resolver = resolverOf(cluster, shared);
    const rule = ruleReachingDns(cluster, policy, resolver);
    if (rule === undefined) return;
    const askers = askersWhere(cluster, known, policy, resolver, (workload) => mayNotAskOverTcp(cluster, workload, resolver));
    if (askers === undefined) return;
    const ports = resolver.ports.filter(({ protocol }) => protocol === 'TCP').map(({ port }) => port);
    const path = ['spec', 'egress', rule, 'ports'];
    yield finding('tcpNotAllowed', path, { resolver, askers, ports, path }, [refOf(resolver.service)]);
  },
});

interface TcpNotAllowed {
  readonly resolver: Resolver;
  readonly askers: Askers;
  /** On which the resolver's Pods answer over TCP. */
  readonly ports: readonly number[];
  readonly path: FieldPath;
}
