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

const dnsName = (value: string) => ({ type: 2, value }) as const;
const ipAddress = (ip: string) => ({ type: 7, ip }) as const;

/** For these DNS names, the loopback address and `addresses`, for a year or until `notAfter`. */
export async function newCertificate(
  authority: Authority,
  names: readonly string[],
  { notAfter, addresses = [] }: { readonly notAfter?: Date; readonly addresses?: readonly string[] } = {},
): Promise<ServingCertificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: names[0] ?? 'localhost' }], {
    ...strong,
    ca: authority,
    ...(notAfter && { notAfterDate: notAfter }),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [...names.map(dnsName), ...['127.0.0.1', ...addresses].map(ipAddress)] },
    ],
  });
  return { cert, key };
}

/** With which a client tells who it is: by this common name, and these DNS names. `for: 'server'` is not meant for that. */
export async function newClientCertificate(
  authority: Authority,
  commonName: string,
  options: { readonly dnsNames?: readonly string[]; readonly notAfter?: Date; readonly for?: 'client' | 'server' } = {},
): Promise<ServingCertificate> {
  const { dnsNames = [], notAfter, for: purpose = 'client' } = options;
  const { cert, private: key } = await generate([{ name: 'commonName', value: commonName }], {
    ...strong,
    ca: authority,
    // An hour that is over, where it has ended already.
    ...(notAfter && { notAfterDate: notAfter, notBeforeDate: new Date(Math.min(Date.now(), notAfter.getTime()) - 3_600_000) }),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', clientAuth: purpose === 'client', serverAuth: purpose === 'server' },
      ...(dnsNames.length === 0 ? [] : [{ name: 'subjectAltName' as const, altNames: dnsNames.map(dnsName) }]),
    ],
  });
  return { cert, key };
}
