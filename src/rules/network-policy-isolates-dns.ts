/**
 * Pods that some egress policy selects may send only what a policy allows. Where none of them allows DNS, every name
 * look-up of these Pods times out, and with it nearly every connection. What counts is all policies together after this
 * write, the resolver that this cluster really has, and the port on which its Pods listen.
 */
import { z } from 'zod';
import { allowEgressToDns, type DnsAllowance, freeName } from '../cluster/allow-dns.ts';
import { asBackends, type Backend, tallyOf } from '../cluster/backends.ts';
import { blockersOf, flowsToDns, whyCut } from '../cluster/dns-access.ts';
import { cutsFromDns } from '../cluster/dns-cuts.ts';
import { ruleReachingDnsOverTcp, selectedBy } from '../cluster/dns-rules.ts';
import { addingUdp, additionTo } from '../cluster/opening.ts';
import { type Left, leftBy, statesOf, subjectsOf } from '../cluster/policy-write.ts';
import { formatResolver, isUdp, mayHoldResolver, type Resolver, resolverOf } from '../cluster/resolver.ts';
import { isolatesIn } from '../cluster/traffic/policy-rules.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { formatRef, type NetworkPolicy, refOf } from '../kube/resources.ts';

/** One for each workload: an update that cuts no other is not denied. */
const defects = ({ backends }: Cut): readonly string[] => backends.map(({ ref }) => formatRef(ref));

export const networkPolicyIsolatesDns = defineRule({
  id: 'network-policy-isolates-dns',
  kinds: ['NetworkPolicy'],
  orderClass: 'forward',
  summary: "The Pods that a NetworkPolicy selects can still ask the cluster's DNS",
  reads: ['Namespace', 'NetworkPolicy', 'Pod', 'Service', 'Template'],
  // Templates are left out: to read each kind of them again would take seven of the ten calls.
  confirms: ['Namespace', 'NetworkPolicy', 'Pod', 'Service'],
  judgesDelete: true,
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    podsCannotResolve: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      text: (cut: Cut) => explain(cut, 'cannot reach'),
      defects,
    },
    /** They could not before this write either. */
    podsStillCannotResolve: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: (cut: Cut) => explain(cut, 'still cannot reach'),
      defects,
    },
    /** Pods that send to single addresses may need no names, or ask what answers at one of their node. */
    onlyAddressesAllowed: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: (cut: Cut) => explain(cut, 'may send to single addresses and cannot reach'),
      defects,
    },
    removalCutsPods: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      text: explainRemoval,
      defects,
    },
  },

  *check({ object: policy, operation, before, cluster, known, elsewhere, shared, finding }) {
    const write = { policy, before, cluster };
    const isolates = statesOf(write).some((one) => isolatesIn(one, 'Egress'));
    if (!isolates && !mayHoldResolver(policy.metadata.namespace, shared.resolver)) return;
    if (subjectsOf(write).size === 0) return;
    const resolver = resolverOf(cluster, shared);
    for (const [message, cut] of cutsFromDns(write, operation, resolver)) {
      const flows = cut.flatMap((workload) => flowsToDns(cluster, workload, resolver));
      const blockers = blockersOf(flows, policy.metadata.namespace, elsewhere);
      const left = leftBy(write, cut, 'Egress');
      const was = left?.was ?? policy;
      const allowance = allowEgressToDns(resolver, was, freeName(known, policy));
      const [backends, of] = [asBackends(cut, known), asBackends(selectedBy(cluster, was), known).length];
      const related = [refOf(resolver.service), ...blockers.map(refOf)];
      const overTcp = ruleReachingDnsOverTcp(cluster, policy, resolver);
      yield finding(
        message,
        left?.path ?? ['spec', 'egress'],
        { policy, left, backends, of, resolver, blockers, allowance, overTcp },
        related,
      );
    }
  },
});

interface Cut {
  readonly policy: NetworkPolicy;
  /** Where an update has left them to other policies. */
  readonly left: Left | undefined;
  readonly backends: readonly Backend[];
  /** How many workloads the policy selects. */
  readonly of: number;
  readonly resolver: Resolver;
  readonly blockers: readonly NetworkPolicy[];
  readonly allowance: DnsAllowance;
  /** The rule of this policy that lets them ask over TCP. */
  readonly overTcp: number | undefined;
}

function explain({ policy, backends, of, resolver, blockers, allowance, overTcp }: Cut, verb: string): Explanation {
  const { line, manifest, name } = allowance;
  const here: Fix = { text: `add ${line}`, patch: [additionTo(policy, 'egress', allowance)] };
  const beside: Fix = { text: `apply NetworkPolicy ${name} with egress ${line}`, manifest };
  const there = `allow ${line} here, and ingress from ${policy.metadata.namespace} in the policies of ${resolver.service.metadata.namespace}`;
  return {
    what: `${tallyOf(backends, of)} ${verb} the cluster's DNS, ${formatResolver(resolver)}`,
    why: whyCut(blockers),
    fixes: [...(overTcp === undefined ? [] : [addingUdp(resolver.ports.filter(isUdp), overTcp)]), here, beside, { text: there }],
  };
}

/** The removal is past help once it is done, so what it does comes first. */
function explainRemoval({ left, backends, blockers, allowance: { line, manifest, name } }: Cut): Explanation {
  const [first, ...others] = backends;
  return {
    what: `DNS is cut off for ${first?.title}${others.length === 0 ? '' : ` and ${others.length} more`}`,
    why: whyCut(blockers),
    fixes:
      left === undefined
        ? [{ text: 'keep this policy, or first apply another one with the same egress', manifest }, { text: 'keep this policy' }]
        : [left.putBack, { text: `apply NetworkPolicy ${name} with egress ${line}`, manifest }, { text: left.putBack.text }],
  };
}
