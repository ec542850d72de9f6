/** A serving certificate, its key, and whether they can be used. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

export interface ServingCertificate {
  /** The chain, leaf first, and its key: PEM. */
  readonly cert: string;
  readonly key: string;
  /** When the leaf ends, in epoch milliseconds. */
  readonly notAfter: number;
  /** When the CA ends, where we know it. */
  readonly caNotAfter?: number;
}

/** Where the webhook has its certificate from. A source that renews calls each listener with what is to be served next. */
export interface CertificateSource {
  current(): ServingCertificate;
  onChange(listener: (certificate: ServingCertificate) => void): void;
  close(): void | Promise<void>;
}

/** Throws an Error, in plain words, if this pair cannot be served: half-written, of two different pairs, over, or for other names. */
export function checkedKeypair(cert: string, key: string, nowMs: number, calledBy?: string): ServingCertificate {
  const leaf = reading('the certificate', () => new X509Certificate(cert));
  const privateKey = reading('the key', () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(privateKey)) throw new Error('the key does not belong to the certificate');
  const notAfter = leaf.validToDate.getTime();
  if (notAfter <= nowMs) throw new Error(`the certificate ended at ${leaf.validToDate.toISOString()}`);
  // Go reads no common name (crypto/x509, VerifyHostname).
  if (calledBy !== undefined && leaf.checkHost(calledBy, { subject: 'never' }) === undefined)
    throw new Error(`the certificate is not for ${calledBy}, by which the API server calls: it is for ${leaf.subjectAltName ?? 'no name'}`);
  // The leaf alone was read so far. This reads the whole chain, of which the end may not be written yet.
  reading('the certificate chain', () => createSecureContext({ cert, key }));
  if (!cert.trimEnd().endsWith('-----END CERTIFICATE-----')) throw new Error('the certificate chain is not complete');
  return { cert, key, notAfter };
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`${what} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
