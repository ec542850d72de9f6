/**
 * A controller looks for the certificate of an Ingress under `tls.crt` of the Secret, and for its key under `tls.key`. Where
 * one of them is lacking, it serves its default certificate, which no client trusts. The type `kubernetes.io/tls` has the
 * API server hold one to both keys, and some controllers take no other.
 */
import { z } from 'zod';
import { providerAnnotations } from '../cluster/provider-annotations.ts';
import { contentOf, contentsOf, writerOf } from '../cluster/tls-content.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';

export const tlsSecretMalformed = defineRule({
  id: 'tls-secret-malformed',
  kinds: ['Ingress'],
  orderClass: 'backward',
  summary: 'A Secret that an Ingress names for TLS holds a certificate and a key, and is of the type for them',
  reads: ['Certificate', 'ExternalSecret', 'SealedSecret', 'Secret'],
  // The Secret itself was read by name for this very evaluation.
  confirms: ['Certificate', 'ExternalSecret', 'SealedSecret'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    lacksKeys: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'secret',
      text: ({ name, namespace, lacks }: Malformed): Explanation => ({
        what: `Secret ${name} holds no ${lacks}`,
        why: 'The controller serves its default certificate, which browsers refuse.',
        fixes: [
          { text: `name a TLS Secret, or make ${name} one: kubectl create secret tls ${name} -n ${namespace} --cert=FILE --key=FILE` },
        ],
      }),
    },
    /** Whoever writes the Secret has not done so yet. */
    pending: {
      severity: 'info',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'secret',
      text: ({ name, lacks, writer }: Malformed & { readonly writer: string }): Explanation => ({
        what: `Secret ${name} holds no ${lacks} yet; ${writer} brings it`,
        why: 'Until it is there, the controller serves its default certificate.',
        fixes: [{ text: 'wait for it, or see what keeps it from coming' }],
      }),
    },
    otherType: {
      severity: 'low',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'secret',
      text: ({ name, type }: { readonly name: string; readonly type: string }): Explanation => ({
        what: `Secret ${name} is of type ${type}, not kubernetes.io/tls`,
        why: 'Some controllers take no other type, and nothing holds a Secret of this one to both keys.',
        fixes: [{ text: 'make it anew with type kubernetes.io/tls: the type of a Secret cannot be changed' }],
      }),
    },
  },

  fetches: contentOf,
  annotations: () => providerAnnotations,

  *check({ object: ingress, cluster, known, shared, finding }) {
    for (const { secret, content, paths } of contentsOf(ingress, cluster, known)) {
      const { name, namespace } = secret.metadata;
      const [path = []] = paths;
      if (content.lacks.length > 0) {
        const writer = writerOf(ingress, name, { cluster, known, shared });
        const malformed = { name, namespace, lacks: content.lacks.join(' and no ') };
        yield writer === undefined ? finding('lacksKeys', path, malformed) : finding('pending', path, { ...malformed, writer });
      } else if ((secret.type ?? 'Opaque') !== 'kubernetes.io/tls') {
        yield finding('otherType', path, { name, type: secret.type || 'Opaque' });
      }
    }
  },
});

interface Malformed {
  readonly name: string;
  readonly namespace: string;
  /** `tls.crt and no tls.key`. */
  readonly lacks: string;
}
