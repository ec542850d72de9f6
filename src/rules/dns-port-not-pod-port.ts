/**
 * A NetworkPolicy is about the ports of Pods, behind the translation of the Service. Where the Service has 53 and the
 * Pods of the cluster's DNS listen on another port, as on OpenShift, a rule that opens 53 opens nothing, and the Pods that
 * it is for stay without name resolution.
 */
import { z } from 'zod';
import { tallyOf } from '../cluster/backends.ts';
import { type Askers, askersCutOff, dnsFaultOf, opensPorts, portsForDns } from '../cluster/dns-rules.ts';
import { formatResolver, type Resolver, resolverOf } from '../cluster/resolver.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { flowYaml } from '../kube/flow-yaml.ts';
import { listed } from '../kube/listed.ts';
import type { NetworkPolicyPort } from '../kube/policy-parts.ts';
import { formatRef, refOf } from '../kube/resources.ts';

export const dnsPortNotPodPort = defineRule({
  id: 'dns-port-not-pod-port',
  kinds: ['NetworkPolicy'],
  orderClass: 'backward',
  summary: "A rule that is meant for the cluster's DNS opens the port on which its Pods listen",
  reads: ['Namespace', 'NetworkPolicy', 'Pod', 'Service', 'Template'],
  // Templates are left out: to read each kind of them again would take seven of the ten calls.
  confirms: ['Namespace', 'NetworkPolicy', 'Pod', 'Service'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    otherPort: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      text: ({ opened, others, resolver, askers: { backends, of }, path }: OtherPort): Explanation => {
        const ports = [...others, ...portsOf(resolver)];
        return {
          what: `the Pods of the cluster's DNS listen on other ports than ${listed(numbersOf(opened))}: ${formatResolver(resolver)}`,
          why: `A policy is about Pod ports. No policy lets ${tallyOf(backends, of)} ask it, so every name look-up times out.`,
          fixes: [
            { text: `use ${flowYaml(ports.map(asWritten))}`, patch: [{ op: 'replace', path, value: ports }] },
            { text: `open ${listed(numbersOf(resolver.ports))}` },
          ],
        };
      },
      // One for each workload: an update that cuts no other is not denied.
      defects: ({ askers }: OtherPort) => askers.backends.map(({ ref }) => formatRef(ref)),
    },
  },

  *check({ object: policy, cluster, known, shared, finding }) {
    if (!opensPorts(policy)) return;
    const resolver = resolverOf(cluster, shared);
    const fault = dnsFaultOf(cluster, policy, resolver);
    if (fault?.link !== 'ports') return;
    const askers = askersCutOff(cluster, known, policy, resolver);
    if (askers === undefined) return;
    const { ports = [], to: peers } = policy.spec.egress[fault.rule] ?? {};
    const opened = portsForDns({ peers, ports }, resolver);
    // Without peers the rule is also for resolvers outside the cluster, which listen on 53: nothing is taken from it.
    const others = peers === undefined ? ports : ports.filter((port) => !opened.includes(port));
    const path = ['spec', 'egress', fault.rule, 'ports'];
    yield finding('otherPort', path, { opened, others, resolver, askers, path }, [refOf(resolver.service)]);
  },
});

interface OtherPort {
  /** The ports of the rule that are meant for DNS. */
  readonly opened: readonly NetworkPolicyPort[];
  readonly others: readonly NetworkPolicyPort[];
  readonly resolver: Resolver;
  readonly askers: Askers;
  readonly path: FieldPath;
}

const numbersOf = (ports: readonly NetworkPolicyPort[]): readonly string[] => [...new Set(ports.map(({ port }) => `${port}`))];

/** Both protocols of each: long answers come over TCP. */
const portsOf = ({ ports }: Resolver): readonly NetworkPolicyPort[] =>
  [...new Set(ports.map(({ port }) => port))].flatMap((port): readonly NetworkPolicyPort[] => [
    { protocol: 'UDP', port },
    { protocol: 'TCP', port },
  ]);

/** TCP needs no word. */
const asWritten = ({ protocol, port, endPort }: NetworkPolicyPort) => ({
  ...(port !== undefined && { port }),
  ...(endPort !== undefined && { endPort }),
  ...(protocol !== 'TCP' && { protocol }),
});
