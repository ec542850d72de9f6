/** Certificates in PEM: one, or a bundle of several. */
import { X509Certificate } from 'node:crypto';

export interface Certificate {
  /** Its SHA-256: what makes it this one and no other. */
  readonly id: string;
  /** From when until when it is good, in epoch milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly pem: string;
  readonly x509: X509Certificate;
}

/** The first certificate of a text; throws if there is none. */
export function readCertificate(pem: string): Certificate {
  const x509 = new X509Certificate(pem);
  return {
    id: x509.fingerprint256,
    notBefore: x509.validFromDate.getTime(),
    notAfter: x509.validToDate.getTime(),
    pem: x509.toString(),
    x509,
  };
}

/** All certificates of a text, each once. What cannot be read is passed over: who verifies by this text does not read it either. */
export function certificatesIn(text: string): readonly Certificate[] {
  const found = new Map<string, Certificate>();
  for (const block of blocksIn(text)) {
    const certificate = readable(block);
    if (certificate !== undefined) found.set(certificate.id, certificate);
  }
  return [...found.values()];
}

const [begin, end] = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----'];

/** Each from its beginning to the next end. A pattern would look for the end anew from each beginning where there is none. */
function* blocksIn(text: string): Generator<string> {
  for (let from = text.indexOf(begin); from !== -1; ) {
    const until = text.indexOf(end, from);
    if (until === -1) return;
    yield text.slice(from, until + end.length);
    from = text.indexOf(begin, until);
  }
}

function readable(block: string): Certificate | undefined {
  try {
    return readCertificate(block);
  } catch {
    return undefined;
  }
}

export const isValid = ({ notBefore, notAfter }: Certificate, nowMs: number): boolean => notBefore <= nowMs && nowMs < notAfter;

/**
 * Whether a chain, leaf first, leads to one of these roots, each step signed and in its time: as Go verifies it, for which
 * the certificates after the leaf may come in any order and may be too many.
 */
export function chainsTo(chain: string, roots: readonly Certificate[], nowMs: number): boolean {
  const [leaf, ...between] = certificatesIn(chain);
  if (leaf === undefined || !isValid(leaf, nowMs)) return false;
  const reached = [leaf];
  for (const one of reached) {
    if (roots.some((root) => root.id === one.id || (isValid(root, nowMs) && isSignedBy(one, root)))) return true;
    for (const next of between) {
      if (!reached.includes(next) && next.x509.ca && isValid(next, nowMs) && isSignedBy(one, next)) reached.push(next);
    }
  }
  return false;
}

const isSignedBy = (one: Certificate, issuer: Certificate): boolean =>
  one.x509.checkIssued(issuer.x509) && one.x509.verify(issuer.x509.publicKey);
