/** Host names of Ingresses and certificates: which covers which, and which an Ingress serves with TLS and which without. */
import type { FieldPath } from '../kube/field-path.ts';
import { onceFor } from '../kube/once-for.ts';
import type { Ingress } from '../kube/resources.ts';
import { indexOfIngresses } from './ingress-index.ts';
import { nearestWord } from './near-miss.ts';

/** A host with the field that names it. */
export interface HostAt {
  readonly host: string;
  readonly path: FieldPath;
}

/**
 * Whether some of the hosts covers one. Case does not matter, and `*` stands for one whole label, not for several and not
 * for none (RFC 6125, 6.4.3); so a wildcard is covered by itself only.
 */
export function coveredBy(hosts: Iterable<string>): (host: string) => boolean {
  const all = new Set(Array.from(hosts, (host) => host.toLowerCase()));
  return (host) => all.has(host.toLowerCase()) || (!host.startsWith('*') && all.has(wildcardOver(host)));
}

/** `*.example.com` of `shop.example.com`. */
export const wildcardOver = (host: string): string => `*${host.slice(host.indexOf('.')).toLowerCase()}`;

/** Hosts of the rules, each once. */
export function ruleHostsOf({ spec }: Ingress): readonly HostAt[] {
  const hosts = new Map<string, HostAt>();
  for (const [index, { host }] of spec.rules.entries())
    if (host !== undefined && !hosts.has(host)) hosts.set(host, { host, path: ['spec', 'rules', index, 'host'] });
  return [...hosts.values()];
}

/** Whether it serves hosts that it does not name. */
export const servesAnyHost = ({ spec }: Ingress): boolean =>
  spec.rules.length === 0 || spec.defaultBackend !== undefined || spec.rules.some(({ host }) => host === undefined);

/** Hosts of its rules that no TLS entry covers; an entry without hosts is for all of them. */
export function hostsWithoutTls(ingress: Ingress): readonly HostAt[] {
  const { tls } = ingress.spec;
  if (tls.some(({ hosts }) => hosts.length === 0)) return [];
  const isCovered = coveredBy(tls.flatMap(({ hosts }) => hosts));
  return ruleHostsOf(ingress).filter(({ host }) => !isCovered(host));
}

/** Hosts that some Ingress of the namespace serves with TLS. */
export const hostsWithTlsIn = indexOfIngresses((ingresses, step): ReadonlySet<string> => {
  const hosts = new Set<string>();
  for (const ingress of ingresses)
    for (const host of hostsWithTls(ingress)) {
      step();
      hosts.add(host);
    }
  return hosts;
});

/** Made once for each: a state differs from the one before in one Ingress, mostly. */
const hostsWithTls = onceFor(servedWithTls);

function servedWithTls(ingress: Ingress): readonly string[] {
  if (ingress.spec.tls.length === 0) return [];
  const bare = new Set(hostsWithoutTls(ingress).map(({ host }) => host));
  return ruleHostsOf(ingress).flatMap(({ host }) => (bare.has(host) ? [] : host));
}

/** The host that was probably meant. What two hosts have in common at their ends, mostly the domain, makes them no more alike. */
export const nearestHost = (host: string, candidates: readonly string[]): string | undefined =>
  candidates.find((candidate) => {
    const [own, other] = different(host.split('.'), candidate.split('.'));
    return own !== '' && other !== '' && nearestWord(own, [other]) !== undefined;
  });

function different(own: readonly string[], other: readonly string[]): readonly [string, string] {
  const shorter = Math.min(own.length, other.length);
  let start = 0;
  while (start < shorter && own[start] === other[start]) start++;
  let end = 0;
  while (end < shorter - start && own.at(-1 - end) === other.at(-1 - end)) end++;
  return [own.slice(start, own.length - end).join('.'), other.slice(start, other.length - end).join('.')];
}
