/**
 * Every Pod of the cluster asks one resolver. A policy that isolates the resolver's Pods and lets nobody from other
 * namespaces in, or only some, takes name resolution away from the others at once: usually a default-deny in kube-system.
 * One that lets the resolver send nothing takes away all names that it must ask others for.
 */
import { z } from 'zod';
import { allowIngressToDns, type DnsAllowance, freeName } from '../cluster/allow-dns.ts';
import { sendsNothing } from '../cluster/dns-access.ts';
import { isOpenToOthers, shutOut } from '../cluster/dns-openness.ts';
import { additionTo } from '../cluster/opening.ts';
import { formatOthers, type Left, leftBy, statesOf } from '../cluster/policy-write.ts';
import { asksResolver, formatResolver, mayHoldResolver, type Resolver, resolverOf } from '../cluster/resolver.ts';
import { isolatesIn } from '../cluster/traffic/policy-rules.ts';
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
      text: (isolated: Isolated): Explanation => ({
        what: `${withWhat(isolated)} no Pod of another namespace reaches the cluster's DNS, ${formatResolver(isolated.resolver)}`,
        why: `Apply first the policy that lets DNS in, ${flowYaml(isolated.allowance.manifest)}, or the whole cluster loses name resolution at once.`,
        fixes: fixesFor(isolated),
      }),
      defects: () => ['isolated'],
    },
    /** Somebody may mean it: one who lets in whom he has labelled. More often only his own namespace was in mind. */
    someReachNoResolver: {
      severity: 'critical',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'public',
      deniesDryRun: false,
      text: (isolated: Isolated) => ({
        what: `${withWhat(isolated)} the Pods of ${isolated.cut.length} of ${isolated.of} other namespaces cannot reach the cluster's DNS, ${formatResolver(isolated.resolver)}`,
        why: 'Every name look-up of their Pods times out, and with it most connections.',
        fixes: fixesFor(isolated),
      }),
      defects: ({ cut }) => cut,
    },
    resolverSendsNothing: {
      severity: 'critical',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'public',
      deniesDryRun: false,
      text: (mute: Pick<Isolated, 'operation' | 'resolver' | 'left'>): Explanation => ({
        what: `${withWhat(mute)} the cluster's DNS, ${formatResolver(mute.resolver)}, may send nothing`,
        why: 'It asks upstream resolvers for names outside the cluster and the API server for those inside.',
        fixes: [
          ...(mute.left === undefined ? [] : [mute.left.putBack]),
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
    if (!mayHoldResolver(namespace, shared.resolver)) return;
    const resolver = resolverOf(cluster, shared);
    if (resolver.service.metadata.namespace !== namespace) return;
    const workloads = resolver.destinations.map(({ workload }) => workload);
    const write = { policy, before, cluster };
    const states = statesOf(write).filter(({ spec }) => workloads.some((one) => selects(spec.podSelector, one) === true));
    const relatedTo = (left: Left | undefined) => [refOf(resolver.service), ...(left?.others ?? []).map(refOf)];
    const isNew = (isBroken: (view: ClusterView) => boolean): boolean => isBroken(cluster) && (before === undefined || !isBroken(before()));
    if (states.some((one) => isolatesIn(one, 'Ingress'))) {
      const others = namespacesAsking(known, resolver);
      const shut = shutOut(cluster, resolver, others);
      const shutBefore = new Set(before === undefined || shut.length === 0 ? [] : shutOut(before(), resolver, shut));
      const cut = shut.filter((name) => !shutBefore.has(name));
      const allowance = allowIngressToDns(resolver, policy, freeName(known, policy));
      const left = leftBy(write, workloads, 'Ingress');
      const isolated = { policy, operation, resolver, allowance, left, cut, of: others.length };
      const path = left?.path ?? ['spec', 'ingress'];
      if (isNew((view) => !isOpenToOthers(view, resolver))) yield finding('nobodyReachesResolver', path, isolated, relatedTo(left));
      else if (cut.length > 0) yield finding('someReachNoResolver', path, isolated, relatedTo(left));
    }
    if (states.some((one) => isolatesIn(one, 'Egress')) && isNew((view) => sendsNothing(view, resolver))) {
      const left = leftBy(write, workloads, 'Egress');
      yield finding('resolverSendsNothing', left?.path ?? ['spec', 'egress'], { operation, resolver, left }, relatedTo(left));
    }
  },
});

interface Isolated {
  readonly policy: NetworkPolicy;
  readonly operation: Operation;
  readonly resolver: Resolver;
  readonly allowance: DnsAllowance;
  /** Where an update has left the resolver to other policies. */
  readonly left: Left | undefined;
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

function withWhat({ operation, left }: Pick<Isolated, 'operation' | 'left'>): string {
  if (left !== undefined) return `with ${formatOthers(left)} alone`;
  return operation === 'DELETE' ? 'without this policy' : 'with this policy';
}

function fixesFor({ policy, operation, allowance, left }: Isolated): readonly [...Fix[], Fix] {
  const { line, manifest, name } = allowance;
  const beside: Fix = { text: `first apply NetworkPolicy ${name} with ingress ${line}`, manifest };
  if (operation === 'DELETE') return [beside, { text: 'keep it' }];
  if (left !== undefined) return [left.putBack, beside, { text: left.putBack.text }];
  const here: Fix = {
    text: `first allow DNS in a policy of its own, or add ${line}`,
    patch: [additionTo(policy, 'ingress', allowance)],
  };
  return [here, beside, { text: `add ${line}` }];
}
