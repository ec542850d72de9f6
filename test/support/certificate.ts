/** Certificates for servers of a test, signed by an authority of its own. */
import { generate } from 'selfsigned';

export interface Authority {
  readonly cert: string;
  readonly key: string;
}

export interface ServingCertificate {
  readonly cert: string;
  readonly key: string;
}

// selfsigned signs with SHA-1 unless told otherwise, which TLS refuses.
const strong = { keyType: 'ec', algorithm: 'sha256' } as const;

export async function newAuthority(name: string): Promise<Authority> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    ...strong,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { cert, key };
}

/** For these DNS names and the loopback address. */
export async function newCertificate(authority: Authority, names: readonly string[]): Promise<ServingCertificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: names[0] ?? 'localhost' }], {
    ...strong,
    ca: authority,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [...names.map((value) => ({ type: 2, value }) as const), { type: 7, ip: '127.0.0.1' }] },
    ],
  });
  return { cert, key };
}
