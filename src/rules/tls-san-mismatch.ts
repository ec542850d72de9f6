/**
 * Browsers compare the host that they asked for with the names in the certificate. A host that none of them covers is
 * refused, though the certificate is valid: `*.example.com` covers one label, neither `example.com` nor `a.b.example.com`,
 * and the common name counts no more.
 */
import { z } from 'zod';
import { providerAnnotations } from '../cluster/provider-annotations.ts';
import { contentOf, contentsOf, type NamedContent, writerOf } from '../cluster/tls-content.ts';
import { coveredBy } from '../cluster/tls-hosts.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { listed } from '../kube/listed.ts';
import type { Ingress } from '../kube/resources.ts';

export const tlsSanMismatch = defineRule({
  id: 'tls-san-mismatch',
  kinds: ['Ingress'],
  orderClass: 'backward',
  summary: 'The certificate of a TLS entry covers the hosts of the entry',
  reads: ['Certificate', 'ExternalSecret', 'SealedSecret', 'Secret'],
  // The Secret itself was read by name for this very evaluation.
  confirms: ['Certificate', 'ExternalSecret', 'SealedSecret'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    notCovered: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'secret',
      defects: ({ name, hosts }: Uncovered) => hosts.map((host) => `${name} ${host}`),
      text: ({ name, hosts, names }: Uncovered): Explanation => ({
        what: `the certificate of Secret ${name} does not cover ${listed(hosts)}; it is for ${names.length === 0 ? 'no DNS name' : listed(names)}`,
        why: 'Browsers refuse it for what it does not cover.',
        fixes: [{ text: 'name a Secret whose certificate covers it, have one issued for it, or correct the host' }],
      }),
    },
    /** Whoever writes the Secret does so again when an Ingress asks for another host. */
    pending: {
      severity: 'info',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'secret',
      defects: ({ name, hosts }: Uncovered) => hosts.map((host) => `${name} ${host}`),
      text: ({ name, hosts, writer }: Uncovered & { readonly writer: string }): Explanation => ({
        what: `the certificate of Secret ${name} does not cover ${listed(hosts)} yet; ${writer} writes it`,
        why: 'Until it does, browsers refuse the certificate for it.',
        fixes: [{ text: 'wait for it, or see what keeps it from being issued anew' }],
      }),
    },
  },

  fetches: contentOf,
  annotations: () => providerAnnotations,

  *check({ object: ingress, cluster, known, shared, finding }) {
    for (const named of contentsOf(ingress, cluster, known)) {
      const { name } = named.secret.metadata;
      const names = named.content.leaf?.names ?? [];
      for (const { path, hosts } of uncovered(ingress, named)) {
        const writer = writerOf(ingress, name, { cluster, known, shared });
        const data = { name, hosts, names };
        yield writer === undefined ? finding('notCovered', path, data) : finding('pending', path, { ...data, writer });
      }
    }
  },
});

interface Uncovered {
  readonly name: string;
  readonly hosts: readonly string[];
  /** Of the certificate. */
  readonly names: readonly string[];
}

/** By entry that names the Secret, the hosts for which its certificate is not. */
function* uncovered({ spec }: Ingress, { content: { leaf }, paths }: NamedContent) {
  if (leaf === undefined) return;
  const isCovered = coveredBy(leaf.names);
  for (const [, , index] of paths) {
    const hosts = (spec.tls[Number(index)]?.hosts ?? []).filter((host) => !isCovered(host));
    if (hosts.length > 0) yield { path: ['spec', 'tls', Number(index), 'hosts'], hosts };
  }
}
