/**
 * A rule that opens port 53 is meant for the cluster's DNS. Where its selectors hold none of what answers there, the Pods
 * that it is for stay without name resolution: a label copied from another cluster, a namespace label that nobody set, a
 * podSelector without the namespace.
 */
import { z } from 'zod';
import { allowEgressToDns, type DnsAllowance } from '../cluster/allow-dns.ts';
import { tallyOf } from '../cluster/backends.ts';
import { differenceFrom } from '../cluster/dns-difference.ts';
import { type Askers, askersCutOff, dnsFaultOf, isForDnsAlone, opensPorts } from '../cluster/dns-rules.ts';
import { formatResolver, type Resolver, resolverOf } from '../cluster/resolver.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { formatRef, refOf } from '../kube/resources.ts';

export const dnsRuleMissesResolver = defineRule({
  id: 'dns-rule-misses-resolver',
  kinds: ['NetworkPolicy'],
  orderClass: 'forward',
  summary: "A rule that is meant for the cluster's DNS holds the Pods that answer there",
  reads: ['Namespace', 'NetworkPolicy', 'Pod', 'Service', 'Template'],
  // Templates are left out: to read each kind of them again would take seven of the ten calls.
  confirms: ['Namespace', 'NetworkPolicy', 'Pod', 'Service'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    peersMiss: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      text: ({ difference, resolver, askers: { backends, of }, path, allowance, replaces }: Missed): Explanation => ({
        what: `this rule does not hold the cluster's DNS, ${formatResolver(resolver)}: ${difference}`,
        why: `No policy lets ${tallyOf(backends, of)} ask it: every name look-up times out, and with it most connections.`,
        fixes: [fixWith(allowance, path, replaces), { text: `select the Pods of ${formatResolver(resolver)}` }],
      }),
      // One for each workload: an update that cuts no other is not denied.
      defects: ({ askers }: Missed) => askers.backends.map(({ ref }) => formatRef(ref)),
    },
  },

  *check({ object: policy, cluster, known, shared, finding }) {
    if (!opensPorts(policy)) return;
    const resolver = resolverOf(cluster, shared);
    const fault = dnsFaultOf(cluster, policy, resolver);
    if (fault?.link !== 'peers') return;
    const askers = askersCutOff(cluster, known, policy, resolver);
    if (askers === undefined) return;
    const path = ['spec', 'egress', fault.rule];
    const difference = differenceFrom(cluster, resolver, policy, fault.rule);
    const allowance = allowEgressToDns(resolver, policy, policy.metadata.name);
    const replaces = isForDnsAlone(policy, fault.rule, resolver);
    yield finding('peersMiss', path, { difference, resolver, askers, path, allowance, replaces }, [refOf(resolver.service)]);
  },
});

interface Missed {
  /** `namespace kube-system is not one with name=kube-system`. */
  readonly difference: string;
  readonly resolver: Resolver;
  readonly askers: Askers;
  readonly path: FieldPath;
  readonly allowance: DnsAllowance;
  /** Another rule may stand in its place, since it opens nothing else. */
  readonly replaces: boolean;
}

const fixWith = ({ line, entry }: DnsAllowance, path: FieldPath, replaces: boolean): Fix =>
  replaces
    ? { text: `use ${line}`, patch: [{ op: 'replace', path, value: entry }] }
    : { text: `add ${line}`, patch: [{ op: 'add', path: ['spec', 'egress', '-'], value: entry }] };
