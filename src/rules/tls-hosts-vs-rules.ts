/**
 * The TLS entries of an Ingress say for which hosts its certificates are, its rules which hosts it serves. Where a host
 * stands in one place only, usually because of a slip of the pen, the host is served without its certificate, or the
 * certificate for nobody.
 */
import { z } from 'zod';
import { isCertainTypo } from '../cluster/near-miss.ts';
import { hasAliases, tlsAnnotations, tlsElsewhere } from '../cluster/provider-annotations.ts';
import {
  coveredBy,
  type HostAt,
  hostsWithoutTls,
  hostsWithTlsIn,
  nearestHost,
  ruleHostsOf,
  servesAnyHost,
  wildcardOver,
} from '../cluster/tls-hosts.ts';
import type { ClusterView } from '../cluster/view.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { listed } from '../kube/listed.ts';
import type { Ingress } from '../kube/resources.ts';

export const tlsHostsVsRules = defineRule({
  id: 'tls-hosts-vs-rules',
  kinds: ['Ingress'],
  orderClass: 'self-contained',
  summary: 'The hosts of the TLS entries of an Ingress are the hosts of its rules',
  reads: ['Ingress'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    noRuleServesHost: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'self',
      defects: ({ unused }: Unused) => unused.map(({ host }) => host),
      text: ({ unused: [first, ...more], meant, served }: Unused): Explanation => ({
        what: `no rule serves ${first.host}${more.length > 0 ? ` or any other of the ${more.length + 1} hosts of this TLS entry` : ''}; the rules serve ${listed(served)}`,
        why:
          meant === undefined
            ? 'The certificate is used for no host of this Ingress.'
            : `The host ${meant} is served without its certificate.`,
        fixes: [
          ...correctionsOf(first, meant, served),
          { text: more.length > 0 ? 'add a rule for one of them, or remove the TLS entry' : 'add a rule for it, or remove it here' },
        ],
      }),
    },
    hostWithoutTls: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects: ({ hosts }: { readonly hosts: readonly string[] }) => hosts,
      text: ({ hosts, covered }: { readonly hosts: readonly string[]; readonly covered: readonly string[] }): Explanation => ({
        what: `no TLS entry covers ${listed(hosts)}; those of this Ingress cover ${listed(covered)}`,
        why: 'It is served without TLS, or with the default certificate of the controller, which browsers refuse.',
        fixes: [{ text: 'add it to the hosts of a TLS entry whose certificate covers it, or serve it from an Ingress without TLS' }],
      }),
    },
  },
  annotations: () => tlsAnnotations,

  *check({ object: ingress, cluster, finding }) {
    const { tls } = ingress.spec;
    const { annotations } = ingress.metadata;
    if (tls.length === 0 || tls.some(({ hosts }) => hosts.length === 0)) return;
    const served = ruleHostsOf(ingress).map(({ host }) => host);
    const bare = tlsElsewhere(annotations) === undefined ? withoutTlsAnywhere(ingress, cluster) : [];
    const candidates = bare.slice(0, mostCompared).map(({ host }) => host);
    const meantBy = new Set<string>();
    if (!servesAnyHost(ingress) && !hasAliases(annotations))
      for (const { unused, meant } of strayHosts(ingress, served, candidates, cluster)) {
        if (meant !== undefined) meantBy.add(meant);
        yield finding('noRuleServesHost', unused[0].path, { unused, meant, served });
      }
    const left = bare.filter(({ host }) => !meantBy.has(host));
    const [first] = left;
    const covered = tls.flatMap(({ hosts }) => hosts);
    if (first !== undefined) yield finding('hostWithoutTls', first.path, { hosts: left.map(({ host }) => host), covered });
  },
});

/** Hosts of an entry that no rule serves. */
interface Stray {
  readonly unused: readonly [HostAt, ...HostAt[]];
  /** The host of a rule that was probably meant. */
  readonly meant: string | undefined;
}
interface Unused extends Stray {
  readonly served: readonly string[];
}

const correctionsOf = ({ host, path }: HostAt, meant: string | undefined, served: readonly string[]): readonly Fix[] =>
  meant === undefined
    ? []
    : [
        {
          text: `did you mean ${meant}?`,
          ...editTowards(isCertainTypo(host, meant, served), [{ op: 'replace', path, value: meant }]),
        },
      ];

/** Controllers take the certificate of a host from any Ingress of the namespace that serves it. */
function withoutTlsAnywhere(ingress: Ingress, cluster: ClusterView): readonly HostAt[] {
  const bare = hostsWithoutTls(ingress);
  if (bare.length === 0) return bare;
  // What is bare here is not among its own.
  const withTls = hostsWithTlsIn(ingress.metadata.namespace, cluster);
  return bare.filter(({ host }) => !withTls.has(host));
}

/** So many hosts of an entry are looked at for a slip of the pen, and so many of all entries. */
const mostCompared = 20;
const mostComparedInAll = 200;

/** A certificate may be for more hosts than this Ingress serves: an entry that serves one of its rules is used. */
function* strayHosts(
  { spec }: Ingress,
  served: readonly string[],
  bare: readonly string[],
  cluster: ClusterView,
): Generator<Stray, void, undefined> {
  const isServed = coveredBy(served);
  let left = mostComparedInAll;
  const wildcards = new Set(served.map(wildcardOver));
  for (const [index, { hosts }] of spec.tls.entries()) {
    cluster.step();
    const all = hosts.map((host, at): HostAt => ({ host, path: ['spec', 'tls', index, 'hosts', at] }));
    const unused = all.filter(({ host }) => !isServed(host) && !wildcards.has(host.toLowerCase()));
    const compared = bare.length === 0 ? [] : unused.slice(0, Math.min(left, mostCompared));
    left -= compared.length;
    const slips = compared.map((one): Stray => ({ unused: [one], meant: nearestHost(one.host, bare) }));
    const meant = slips.filter((one) => one.meant !== undefined);
    const [first, ...more] = unused;
    if (meant.length > 0) yield* meant;
    else if (first !== undefined && unused.length === all.length) yield { unused: [first, ...more], meant: undefined };
  }
}
