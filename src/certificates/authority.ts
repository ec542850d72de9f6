/** Makes certificate authorities and the serving certificates that they sign: ECDSA P-256, SHA-256. */
import { createPrivateKey, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { type Certificate, readCertificate } from './pem.ts';

/** A certificate that may sign others, with the key it does so with, PEM. */
export interface Authority extends Certificate {
  readonly key: string;
}

/** How long what we make is good for, in milliseconds from now. All of it is renewed after two thirds. */
export interface Lifetimes {
  readonly authorityMs: number;
  readonly leafMs: number;
}

const dayMs = 24 * 60 * 60 * 1000;
/** For clocks that are behind ours. */
const graceMs = 60 * 60 * 1000;

export const lifetimes: Lifetimes = { authorityMs: 365 * dayMs, leafMs: 90 * dayMs };

const strong = {
  keyType: 'ec',
  curve: 'P-256',
  // The default, sha1, is refused by TLS: "CA signature digest algorithm too weak".
  algorithm: 'sha256',
} as const;

/** Under a name that no other has: who verifies finds an issuer by its name. Takes about 5 ms. */
export async function makeAuthority(nowMs: number, { authorityMs }: Lifetimes = lifetimes): Promise<Authority> {
  const generate = await generator();
  const { cert, private: key } = await generate([{ name: 'commonName', value: `portcullis-ca-${randomBytes(6).toString('hex')}` }], {
    ...strong,
    notBeforeDate: new Date(nowMs - graceMs),
    notAfterDate: new Date(nowMs + authorityMs),
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { ...readCertificate(cert), key };
}

/** A serving certificate for these DNS names and IP addresses, and its key. It never outlives its authority. */
export async function signLeaf(
  { pem, key, notAfter }: Authority,
  names: readonly string[],
  nowMs: number,
  { leafMs }: Lifetimes = lifetimes,
): Promise<{ readonly cert: string; readonly key: string }> {
  const generate = await generator();
  const leaf = await generate([{ name: 'commonName', value: 'portcullis' }], {
    ...strong,
    ca: { key, cert: pem },
    notBeforeDate: new Date(nowMs - graceMs),
    notAfterDate: new Date(Math.min(nowMs + leafMs, notAfter)),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [...new Set(names)].map(altName) },
    ],
  });
  return { cert: leaf.cert, key: leaf.private };
}

/** An authority from what was stored; undefined if it is none that can sign, or if the key is another one's. */
export function readAuthority(cert: string, key: string): Authority | undefined {
  try {
    const certificate = readCertificate(cert);
    const isOurs = certificate.x509.ca && certificate.x509.checkPrivateKey(createPrivateKey(key));
    return isOurs ? { ...certificate, key } : undefined;
  } catch {
    return undefined;
  }
}

/** Costs 90 ms to load, which is not to be paid by those who bring their certificate. */
const generator = async () => (await import('selfsigned')).generate;

const altName = (name: string) => (isIP(name) === 0 ? ({ type: 2, value: name } as const) : ({ type: 7, ip: name } as const));

/** The names by which an API server, or anybody in the cluster, calls a Service; the third is the one that API servers use. */
export const serviceNames = (service: string, namespace: string, clusterDomain = 'cluster.local'): readonly string[] => [
  service,
  `${service}.${namespace}`,
  calledName(service, namespace),
  `${service}.${namespace}.svc.${clusterDomain}`,
];

/** What an API server verifies the certificate of a Service by (apiserver/pkg/util/webhook/client.go, ServerName). */
export const calledName = (service: string, namespace: string): string => `${service}.${namespace}.svc`;
