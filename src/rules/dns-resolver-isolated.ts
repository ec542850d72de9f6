/**
 * Every Pod of the cluster asks one resolver. A policy that isolates the resolver's Pods and lets nobody from other
 * namespaces in, or only some, takes name resolution away from the others at once: usually a default-deny in kube-system.
 * One that lets the resolver send nothing takes away all names that it must ask others for.
 */
import { z } from 'zod';
import { allowIngressToDns, type DnsAllowance, freeName } from '../cluster/allow-dns.ts';
import { isOpenTo, isOpenToOthers, sendsNothing } from '../cluster/dns-access.ts';
import { additionTo } from '../cluster/opening.ts';
import { asksResolver, formatResolver, mayHoldResolver, type Resolver, resolverOf } from '../cluster/resolver.ts';
import { selects } from '../cluster/traffic/selecting.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule, type Operation } from '../engine/rule.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import { type NetworkPolicy, refOf } from '../kube/resources.ts';

export const dnsResolverIsolated = defineRule({
  id: 'dns-resolver-isolated',
  kinds: ['NetworkPolicy'],
  orderClass: 'exclusive',
  summary: "Pods of other namespaces can reach the cluster's DNS, and it can ask others",
  reads: ['Namespace', 'NetworkPolicy', 'Pod', 'Service', 'Template'],
  // Templates are left out: to read each kind of them again would take seven of the ten calls.
  confirms: ['Namespace', 'NetworkPolicy', 'Pod', 'Service'],
  judgesDelete: true,
  guardsSystem: true,
  since: '0.1.0',

  options: z.strictObject({}),

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
    /** Somebody may mean it: one who lets in whom he has labelled. More often only his own namespace was in mind. */
    someReachNoResolver: {
      severity: 'critical',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'public',
      deniesDryRun: false,
      text: ({ policy, operation, resolver, allowance, cut, of }: Isolated) => ({
        what: `${operation === 'DELETE' ? 'without this policy' : 'with this policy'} the Pods of ${cut.length} of ${of} other namespaces cannot reach the cluster's DNS, ${formatResolver(resolver)}`,
        why: 'Every name look-up of their Pods times out, and with it most connections.',
        fixes: fixesFor(policy, operation, allowance),
      }),
      defects: ({ cut }) => cut,
    },
    resolverSendsNothing: {
      severity: 'critical',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'public',
      deniesDryRun: false,
      text: ({ operation, resolver }: Pick<Isolated, 'operation' | 'resolver'>): Explanation => ({
        what: `${operation === 'DELETE' ? 'without this policy' : 'with this policy'} the cluster's DNS, ${formatResolver(resolver)}, may send nothing`,
        why: 'It asks upstream resolvers for names outside the cluster and the API server for those inside.',
        fixes: [
          {
            text: 'leave Egress out of policyTypes, or first allow egress from its Pods to the API server and to their upstream resolvers',
          },
        ],
      }),
      defects: () => ['mute'],
    },
  },

  *check({ object: policy, operation, before, cluster, known, shared, finding }) {
    const { namespace } = policy.metadata;
    const { podSelector, policyTypes } = policy.spec;
    if (!mayHoldResolver(namespace, shared.resolver)) return;
    const resolver = resolverOf(cluster, shared);
    if (resolver.service.metadata.namespace !== namespace) return;
    if (!resolver.destinations.some(({ workload }) => selects(podSelector, workload) === true)) return;
    const related = [refOf(resolver.service)];
    const isNew = (isBroken: (view: ClusterView) => boolean): boolean => isBroken(cluster) && (before === undefined || !isBroken(before()));
    if (policyTypes.includes('Ingress')) {
      const others = namespacesAsking(known, resolver);
      const cut = others.filter((name) => isNew((view) => !isOpenTo(view, resolver, name)));
      const allowance = allowIngressToDns(resolver, policy, freeName(known, policy));
      const isolated = { policy, operation, resolver, allowance, cut, of: others.length };
      const path = ['spec', 'ingress'];
      if (isNew((view) => !isOpenToOthers(view, resolver))) yield finding('nobodyReachesResolver', path, isolated, related);
      else if (cut.length > 0) yield finding('someReachNoResolver', path, isolated, related);
    }
    if (policyTypes.includes('Egress') && isNew((view) => sendsNothing(view, resolver)))
      yield finding('resolverSendsNothing', ['spec', 'egress'], { operation, resolver }, related);
  },
});

interface Isolated {
  readonly policy: NetworkPolicy;
  readonly operation: Operation;
  readonly resolver: Resolver;
  readonly allowance: DnsAllowance;
  /** Namespaces that this write has cut off, of all that ask the resolver. */
  readonly cut: readonly string[];
  readonly of: number;
}

/** Other namespaces with something in them that asks the cluster's resolver. */
const namespacesAsking = (known: ClusterView, resolver: Resolver): readonly string[] =>
  known
    .list('Namespace', '')
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== resolver.service.metadata.namespace)
    .filter((name) => known.workloads(name).some((workload) => asksResolver(workload, resolver)));

function fixesFor(policy: NetworkPolicy, operation: Operation, allowance: DnsAllowance): readonly [...Fix[], Fix] {
  const { line, manifest, name } = allowance;
  const beside: Fix = { text: `first apply NetworkPolicy ${name} with ingress ${line}`, manifest };
  if (operation === 'DELETE') return [beside, { text: 'keep it' }];
  const here: Fix = {
    text: `first allow DNS in a policy of its own, or add ${line}`,
    patch: [additionTo(policy, 'ingress', allowance)],
  };
  return [here, beside, { text: `add ${line}` }];
}
