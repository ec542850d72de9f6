/**
 * A server can use a certificate only with its own key. Where key and certificate of a Secret do not belong together, or
 * one of them cannot be read, the controller serves its default certificate, or does not serve the host at all.
 */
import { z } from 'zod';
import { providerAnnotations } from '../cluster/provider-annotations.ts';
import { contentOf, contentsOf, writerOf } from '../cluster/tls-content.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import type { TlsContent } from '../kube/tls-facts.ts';

export const tlsKeyMismatch = defineRule({
  id: 'tls-key-mismatch',
  kinds: ['Ingress'],
  orderClass: 'backward',
  summary: 'The key in a Secret that an Ingress names for TLS is that of its certificate',
  reads: ['Certificate', 'ExternalSecret', 'SealedSecret', 'Secret'],
  // The Secret itself was read by name for this very evaluation.
  confirms: ['Certificate', 'ExternalSecret', 'SealedSecret'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    unreadable: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'secret',
      text: ({ name, wrong, fix }: Mismatch): Explanation => ({
        what: `in Secret ${name}, ${wrong}`,
        why: consequence,
        fixes: [{ text: fix }],
      }),
    },
    differ: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'secret',
      text: ({ name, wrong, fix }: Mismatch): Explanation => ({
        what: `in Secret ${name}, ${wrong}`,
        why: consequence,
        fixes: [{ text: fix }],
      }),
    },
    /** Whoever writes the Secret may be about to write it anew. */
    pending: {
      severity: 'info',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'secret',
      text: ({ name, wrong, writer }: Mismatch & { readonly writer: string }): Explanation => ({
        what: `in Secret ${name}, which ${writer} writes, ${wrong}`,
        why: consequence,
        fixes: [{ text: 'wait for it to be written anew, or see what has changed it' }],
      }),
    },
  },

  fetches: contentOf,
  annotations: () => providerAnnotations,

  *check({ object: ingress, cluster, known, shared, finding }) {
    for (const { secret, content, paths } of contentsOf(ingress, cluster, known)) {
      const { name } = secret.metadata;
      const [path = []] = paths;
      const mismatch = mismatchOf(name, content);
      if (mismatch === undefined) continue;
      const writer = writerOf(ingress, name, { cluster, known, shared });
      if (writer !== undefined) yield finding('pending', path, { ...mismatch, writer });
      else yield finding(content.pair === 'differ' ? 'differ' : 'unreadable', path, mismatch);
    }
  },
});

const consequence = 'The controller serves its default certificate, which browsers refuse, or does not serve the host at all.';

interface Mismatch {
  readonly name: string;
  /** What is wrong with which key of the Secret. */
  readonly wrong: string;
  readonly fix: string;
}

function mismatchOf(name: string, { pair, leaf, keyType, belongsTo }: TlsContent): Mismatch | undefined {
  const types = keyType === leaf?.keyType ? ['', ''] : [` (${keyType})`, ` (${leaf?.keyType})`];
  switch (pair) {
    case undefined:
    case 'match':
      return undefined;
    case 'badCertificate':
      return { name, wrong: 'no certificate can be read in tls.crt', fix: 'put the certificate there as PEM, from BEGIN CERTIFICATE on' };
    case 'badKey':
      return { name, wrong: 'no private key can be read in tls.key', fix: 'put the key there as PEM, from BEGIN PRIVATE KEY on' };
    case 'encryptedKey':
      return { name, wrong: 'a password protects tls.key', fix: 'take the password away: openssl pkey -in FILE -out FILE' };
    case 'differ':
      return belongsTo === undefined
        ? {
            name,
            wrong: `tls.key${types[0]} is not the key of the certificate${types[1]} in tls.crt`,
            fix: 'put the key there for which the certificate was issued',
          }
        : {
            name,
            wrong: `tls.key is the key of certificate ${belongsTo.position} of ${belongsTo.of} in tls.crt, not of the first`,
            fix: 'put that certificate first, and those of its authorities behind it',
          };
  }
}
