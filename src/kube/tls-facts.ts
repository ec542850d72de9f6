/** What is kept of the content of a Secret for TLS: facts, from which nobody can make the certificate or its key again. */

/** What a certificate and its key say, and nothing of their bytes: `sources/secret-content.ts` makes it, and drops them. */
export interface TlsContent {
  /** Keys of the Secret that controllers look for, and that are not there or empty. */
  readonly lacks: readonly ('tls.crt' | 'tls.key')[];
  /** The first certificate, which servers present as theirs. */
  readonly leaf?: CertificateFacts;
  /** Whether the key is that of the certificate; undefined where one of them is lacking. */
  readonly pair?: 'match' | 'differ' | 'badCertificate' | 'badKey' | 'encryptedKey';
  /** `rsa`, `ec`, `ed25519`: of the key that is there. */
  readonly keyType?: string;
  /** Where the key is that of another certificate of the chain: which one of how many, from 1. */
  readonly belongsTo?: { readonly position: number; readonly of: number };
}

export interface CertificateFacts {
  /** The DNS names for which it is, in lower case. */
  readonly names: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly keyType: string;
}
