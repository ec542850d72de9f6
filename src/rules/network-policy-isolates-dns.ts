/**
 * Pods that some egress policy selects may send only what a policy allows. Where none of them allows DNS, every name
 * look-up of these Pods times out, and with it nearly every connection. What counts is all policies together after this
 * write, the resolver that this cluster really has, and the port on which its Pods listen.
 */
import { z } from 'zod';
import { allowEgressToDns, type DnsAllowance, freeName } from '../cluster/allow-dns.ts';
import { asBackends, type Backend, tallyOf } from '../cluster/backends.ts';
import { areCut, blockersOf, flowsToDns, hasPartIn, sendToAddressesOnly, whyCut } from '../cluster/dns-access.ts';
import { dnsFaultOf, mayNotAsk, selectedBy } from '../cluster/dns-rules.ts';
import { additionTo } from '../cluster/opening.ts';
import { asksResolver, formatResolver, mayHoldResolver, type Resolver, resolverOf } from '../cluster/resolver.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule, type Operation } from '../engine/rule.ts';
import { formatRef, type NetworkPolicy, refOf, type Workload } from '../kube/resources.ts';

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
    /** Pods that send to single addresses may need no names. */
    onlyAddressesAllowed: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: (cut: Cut) => explain(cut, 'may send to single addresses only and cannot reach'),
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
    if (!policy.spec.policyTypes.includes('Egress') && !mayHoldResolver(policy.metadata.namespace, shared.resolver)) return;
    const selected = selectedBy(cluster, policy);
    if (selected.length === 0) return;
    const resolver = resolverOf(cluster, shared);
    // Where a rule of this policy is meant for DNS and fails, that is the nearer cause, for other rules to name.
    const fault = operation === 'WRITE' ? dnsFaultOf(cluster, policy, resolver) : undefined;
    const isCut = (workload: Workload): boolean => {
      const flows = flowsToDns(cluster, workload, resolver);
      if (!asksResolver(workload, resolver) || !areCut(flows)) return false;
      return operation === 'DELETE' || (hasPartIn(policy, flows) && !(fault !== undefined && mayNotAsk(flows)));
    };
    // Taking a policy away has cut only what certainly worked before it.
    const couldResolve = (workload: Workload): boolean =>
      before === undefined ||
      flowsToDns(before(), workload, resolver).some(({ answer }) => (operation === 'DELETE' ? answer === 'allowed' : answer !== 'denied'));
    const verdict = verdictOn(operation, selected.filter(isCut), couldResolve, (workload) =>
      sendToAddressesOnly(flowsToDns(cluster, workload, resolver)),
    );
    if (verdict === undefined) return;
    const [message, cut] = verdict;
    const flows = cut.flatMap((workload) => flowsToDns(cluster, workload, resolver));
    const blockers = blockersOf(flows, policy.metadata.namespace, elsewhere);
    const allowance = allowEgressToDns(resolver, policy, freeName(known, policy));
    const [backends, of] = [asBackends(cut, known), asBackends(selected, known).length];
    const related = [refOf(resolver.service), ...blockers.map(refOf)];
    yield finding(message, ['spec', 'egress'], { policy, operation, backends, of, resolver, blockers, allowance }, related);
  },
});

interface Cut {
  readonly policy: NetworkPolicy;
  readonly operation: Operation;
  readonly backends: readonly Backend[];
  /** How many workloads the policy selects. */
  readonly of: number;
  readonly resolver: Resolver;
  readonly blockers: readonly NetworkPolicy[];
  readonly allowance: DnsAllowance;
}

type MessageId = 'podsCannotResolve' | 'podsStillCannotResolve' | 'onlyAddressesAllowed' | 'removalCutsPods';

/** What is to be said, and of which workloads: first of those that this write has cut and that need names. */
function verdictOn(
  operation: Operation,
  cut: readonly Workload[],
  couldResolve: (workload: Workload) => boolean,
  needsNoNames: (workload: Workload) => boolean,
): readonly [MessageId, readonly Workload[]] | undefined {
  const fresh = cut.filter(couldResolve);
  if (operation === 'DELETE') return fresh.length > 0 ? ['removalCutsPods', fresh] : undefined;
  if (cut.length === 0) return undefined;
  const certain = fresh.filter((workload) => !needsNoNames(workload));
  if (certain.length > 0) return ['podsCannotResolve', certain];
  return fresh.length > 0 ? ['onlyAddressesAllowed', fresh] : ['podsStillCannotResolve', cut];
}

function explain({ policy, backends, of, resolver, blockers, allowance }: Cut, verb: string): Explanation {
  const { line, manifest, name } = allowance;
  const here: Fix = { text: `add ${line}`, patch: [additionTo(policy, 'egress', allowance)] };
  const beside: Fix = { text: `apply NetworkPolicy ${name} with egress ${line}`, manifest };
  const there = `allow ${line} here, and ingress from ${policy.metadata.namespace} in the policies of ${resolver.service.metadata.namespace}`;
  return {
    what: `${tallyOf(backends, of)} ${verb} the cluster's DNS, ${formatResolver(resolver)}`,
    why: whyCut(blockers),
    fixes: [here, beside, { text: there }],
  };
}

/** The removal is past help once it is done, so what it does comes first. */
function explainRemoval({ backends, blockers, allowance }: Cut): Explanation {
  const [first, ...others] = backends;
  return {
    what: `DNS is cut off for ${first?.title}${others.length === 0 ? '' : ` and ${others.length} more`}`,
    why: whyCut(blockers),
    fixes: [
      { text: 'keep this policy, or first apply another one with the same egress', manifest: allowance.manifest },
      { text: 'keep this policy' },
    ],
  };
}
