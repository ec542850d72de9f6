/**
 * Each node takes traffic for an externalIP of a Service to its Pods, whoever the address belongs to. So a Service can draw
 * traffic to itself that is meant for another one, or for a host outside (CVE-2020-8554). Kubernetes has deprecated the
 * field. Addresses may be allowed by namespace; those that Services of the cluster answer on are never allowed.
 */
import { z } from 'zod';
import { isHeadless } from '../cluster/backends.ts';
import type { Elsewhere } from '../cluster/elsewhere.ts';
import { type Answering, asServed, whoAnswersOn } from '../cluster/external-ips.ts';
import { choosesNamespace } from '../cluster/namespace-choice.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { holderAmong, parseBlock } from '../kube/cidr.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { listed } from '../kube/listed.ts';
import { formatRef, refOf, type Service } from '../kube/resources.ts';
import { choosesSome, chosenNamespaces } from './options/chosen-namespaces.ts';

const block = z.string().refine((text) => parseBlock(text), 'is not an address block, as 203.0.113.0/24');
const entry = z
  .strictObject({ ...chosenNamespaces, cidrs: z.array(block).describe('Address blocks, as `203.0.113.0/24`; an empty list allows none') })
  .refine(...choosesSome);

export const serviceExternalIps = defineRule({
  id: 'service-external-ips',
  kinds: ['Service'],
  orderClass: 'self-contained',
  summary: 'The externalIPs of a Service belong to it, and its namespace may use them',
  reads: ['Namespace', 'Service'],
  since: '0.1.0',

  options: z.strictObject({
    allowed: z
      .array(entry)
      .default([])
      .describe('Who may use which addresses. Entries that match a namespace add up; one that none matches is not restricted'),
    clusterRanges: z
      .array(block)
      .default([])
      .describe("The cluster's own address blocks, those of Services (`--service-cluster-ip-range`) and of Pods: never allowed"),
  }),

  messages: {
    overlapsCluster: {
      severity: 'critical',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'foreign',
      text: ({ ip, whose, fixes }: Misused & { readonly whose: string }): Explanation => ({
        what: `externalIP ${ip} is ${whose}`,
        why: 'Every node would send traffic for that address to the Pods of this Service instead (CVE-2020-8554).',
        fixes,
      }),
    },
    notAllowed: {
      severity: 'medium',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'self',
      text: ({ ip, namespace, allowed, fixes }: Misused & { readonly allowed: readonly string[] }): Explanation => ({
        what: `externalIP ${ip} is not among the addresses of namespace ${namespace}: ${allowed.length === 0 ? 'none' : listed(allowed)}`,
        why: 'The configuration gives this namespace those addresses only; the field is deprecated in Kubernetes too (KEP-5707).',
        fixes,
      }),
    },
  },

  *check({ object: service, cluster, known, elsewhere, options, finding }) {
    const { metadata, spec } = service;
    const { externalIPs = [] } = spec;
    // kube-proxy passes over both (pkg/proxy/util ShouldSkipService), and the API server says so.
    if (externalIPs.length === 0 || spec.type === 'ExternalName' || isHeadless(service)) return;
    const step = (): void => cluster.step();
    const served = externalIPs.map((ip) => {
      step();
      return asServed(ip);
    });
    const answering = whoAnswersOn(served, service, known, step);
    const namedOf = firstNamed(answering, metadata.namespace, elsewhere);
    const allowed = cidrsOf(options.allowed, metadata.namespace, cluster);
    const [rangeOf, allowedOf] = [holderAmong(options.clusterRanges), holderAmong(allowed ?? [])];
    for (const [index, ip] of externalIPs.entries()) {
      step();
      const address = served[index] as string;
      const path = ['spec', 'externalIPs', index];
      const misused = { ip, namespace: metadata.namespace, fixes: fixesFor(externalIPs.length) };
      const range = rangeOf(address);
      const other = answering.get(address)?.[0];
      if (other !== undefined) {
        const named = namedOf(address);
        // By its name it can be read live before the denial.
        const read = (named ?? other).service.metadata;
        cluster.get('Service', read.namespace, read.name);
        yield finding('overlapsCluster', path, { ...misused, whose: whoseText(named) }, named === undefined ? [] : [refOf(named.service)]);
      } else if (range !== undefined)
        yield finding('overlapsCluster', path, { ...misused, whose: `in ${range}, which is the cluster's own` });
      else if (allowed !== undefined && allowedOf(address) === undefined) yield finding('notAllowed', path, { ...misused, allowed });
    }
  },
});

interface Misused {
  readonly ip: string;
  readonly namespace: string;
  readonly fixes: readonly [...Fix[], Fix];
}

/** By address, the first that may be told of: looked for once, however often the address stands there. */
function firstNamed(answering: ReturnType<typeof whoAnswersOn>, own: string, elsewhere: Elsewhere | undefined) {
  const known = new Map<string, Answering | undefined>();
  return (address: string): Answering | undefined => {
    if (!known.has(address))
      known.set(
        address,
        answering.get(address)?.find(({ service }) => mayBeNamed(service, own, elsewhere)),
      );
    return known.get(address);
  };
}

const mayBeNamed = ({ metadata }: Service, own: string, elsewhere: Elsewhere | undefined): boolean =>
  metadata.namespace === own || elsewhere?.get('Service', metadata.namespace, metadata.name) !== undefined;

const whoseText = (named: Answering | undefined): string =>
  named === undefined
    ? 'an address on which a Service of another namespace answers'
    : `the ${named.by} of ${formatRef(refOf(named.service))}`;

/** The blocks of all entries that match the namespace; undefined if none does. */
function cidrsOf(entries: readonly z.infer<typeof entry>[], namespace: string, cluster: ClusterView): readonly string[] | undefined {
  const matching = entries.filter((one) => choosesNamespace(one, namespace, cluster));
  return matching.length === 0 ? undefined : matching.flatMap((one) => one.cidrs);
}

const last: Fix = { text: 'use an address of your own, or type LoadBalancer' };

/** To take out one of several would move the others to other places: the message names the places as they are. */
const fixesFor = (of: number): Misused['fixes'] =>
  of > 1
    ? [last]
    : [
        {
          text: 'remove it; to be reached from outside, use type LoadBalancer or an Ingress',
          patch: [{ op: 'remove', path: externalIPsField }],
        },
        last,
      ];

/** All of it: an empty list would say nothing. */
const externalIPsField: FieldPath = ['spec', 'externalIPs'];
