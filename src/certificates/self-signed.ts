/** A CA and a leaf of our own making, for a `serve` without certificate files. The CA's key is forgotten once the leaf is signed. */
import { isIP } from 'node:net';
import { type CertificateSource, checkedKeypair, type ServingCertificate } from './keypair.ts';

const dayMs = 24 * 60 * 60 * 1000;
const hourMs = 60 * 60 * 1000;
const lifetimeDays = 365;

export interface SelfSigned extends CertificateSource {
  /** What a client has to trust: the `caBundle` of a webhook configuration, in PEM. */
  readonly ca: string;
}

/**
 * Valid for a year from now, for these DNS names and IP addresses beside localhost: a process that runs as long as that
 * should be given files. Takes about 20 ms.
 */
export async function selfSigned(names: readonly string[], nowMs: number): Promise<SelfSigned> {
  // Costs 90 ms to load, which is not to be paid by those who bring their certificate.
  const { generate } = await import('selfsigned');
  const common = {
    keyType: 'ec',
    curve: 'P-256',
    // The default, sha1, is refused by TLS: "CA signature digest algorithm too weak".
    algorithm: 'sha256',
    // An hour of grace for clocks that are behind ours.
    notBeforeDate: new Date(nowMs - hourMs),
    notAfterDate: new Date(nowMs + lifetimeDays * dayMs),
  } as const;
  const ca = await generate([{ name: 'commonName', value: 'portcullis-ca' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const leaf = await generate([{ name: 'commonName', value: 'portcullis' }], {
    ...common,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: altNames(names) },
    ],
  });
  const certificate: ServingCertificate = {
    ...checkedKeypair(leaf.cert, leaf.private, nowMs),
    caNotAfter: common.notAfterDate.getTime(),
  };
  return { ca: ca.cert, current: () => certificate, onChange: () => {}, close: () => {} };
}

const altNames = (names: readonly string[]) =>
  [...new Set(['localhost', '127.0.0.1', '::1', ...names])].map((name) =>
    isIP(name) === 0 ? ({ type: 2, value: name } as const) : ({ type: 7, ip: name } as const),
  );

/** The names by which an API server calls a Service. */
export const serviceNames = (service: string, namespace: string): readonly string[] => [
  service,
  `${service}.${namespace}`,
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
];
