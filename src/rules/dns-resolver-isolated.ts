/**
 * Every Pod of the cluster asks one resolver. A policy that isolates the resolver's Pods and lets nobody from other
 * namespaces in takes name resolution away from all of them at once: usually a default-deny in kube-system.
 */
import { z } from 'zod';
import { allowIngressToDns, type DnsAllowance, freeName } from '../cluster/allow-dns.ts';
import { isOpenToOthers } from '../cluster/dns-access.ts';
import { formatResolver, mayHoldResolver, type Resolver, resolverOf } from '../cluster/resolver.ts';
import { selects } from '../cluster/traffic.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule, type Operation } from '../engine/rule.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import { type NetworkPolicy, refOf } from '../kube/resources.ts';

export const dnsResolverIsolated = defineRule({
  id: 'dns-resolver-isolated',
  kinds: ['NetworkPolicy'],
  orderClass: 'exclusive',
  summary: "Pods of other namespaces can reach the cluster's DNS",
  reads: ['Namespace', 'NetworkPolicy', 'Pod', 'Service', 'Template'],
  // Templates are left out: to read each kind of them again would take seven of the ten calls.
  confirms: ['Namespace', 'NetworkPolicy', 'Pod', 'Service'],
  judgesDelete: true,
  guardsSystem: true,
  since: '0.1.0',

  options: z.strictObject({
    resolver: z
      .strictObject({ namespace: z.string(), name: z.string() })
      .optional()
      .describe('The Service that Pods ask for names, where it is not found by its usual names and labels'),
  }),

  messages: {
    nobodyReachesResolver: {
      severity: 'critical',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'public',
      // An allow policy may stand in the same stage, of which a dry-run sees nothing.
      deniesDryRun: false,
      text: ({ policy, operation, resolver, allowance }: Isolated): Explanation => ({
        what: `${operation === 'DELETE' ? 'without this policy' : 'with this policy'} no Pod of another namespace reaches the cluster's DNS, ${formatResolver(resolver)}`,
        why: `Apply first the policy that lets DNS in, ${flowYaml(allowance.manifest)}, or the whole cluster loses name resolution at once.`,
        fixes: fixesFor(policy, operation, allowance),
      }),
      defects: () => ['isolated'],
    },
  },

  *check({ object: policy, operation, before, cluster, known, options, finding }) {
    const { namespace } = policy.metadata;
    const { podSelector, policyTypes } = policy.spec;
    if (!policyTypes.includes('Ingress') || !mayHoldResolver(namespace, options.resolver)) return;
    const resolver = resolverOf(cluster, options.resolver);
    if (resolver.service.metadata.namespace !== namespace) return;
    if (!resolver.destinations.some(({ workload }) => selects(podSelector, workload) === true)) return;
    if (isOpenToOthers(cluster, resolver) || (before !== undefined && !isOpenToOthers(before, resolver))) return;

    const allowance = allowIngressToDns(resolver, policy, freeName(known, namespace));
    yield finding('nobodyReachesResolver', ['spec', 'ingress'], { policy, operation, resolver, allowance }, [refOf(resolver.service)]);
  },
});

interface Isolated {
  readonly policy: NetworkPolicy;
  readonly operation: Operation;
  readonly resolver: Resolver;
  readonly allowance: DnsAllowance;
}

function fixesFor({ spec }: NetworkPolicy, operation: Operation, { line, entry, manifest, name }: DnsAllowance): readonly [...Fix[], Fix] {
  const beside: Fix = { text: `first apply NetworkPolicy ${name} with ingress ${line}`, manifest };
  if (operation === 'DELETE') return [beside, { text: 'keep it' }];
  const path = ['spec', 'ingress'];
  const here: Fix = {
    text: `first allow DNS in a policy of its own, or add ${line}`,
    patch: [spec.ingress.length === 0 ? { op: 'add', path, value: [entry] } : { op: 'add', path: [...path, '-'], value: entry }],
  };
  return [here, beside, { text: `add ${line}` }];
}
