/** What is public of the certificates in a Secret and in a `caBundle`. No byte of a key leaves these functions. */
import { type Certificate, certificatesIn, chainsTo } from '../certificates/pem.ts';
import type { Bundle, CertificateFacts, ServedCertificate } from '../doctor/facts.ts';
import { given, objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';

/** Entry → what its `caBundle` holds. */
export const bundlesOf = (registration: RawObject): ReadonlyMap<string, Bundle> =>
  new Map([...authoritiesOf(registration)].map(([entry, bundle]) => [entry, typeof bundle === 'string' ? bundle : bundle.map(factsOf)]));

function authoritiesOf(registration: RawObject): ReadonlyMap<string, 'empty' | 'unreadable' | readonly Certificate[]> {
  return new Map(
    objectsAt(registration, 'webhooks').map((webhook) => {
      const bundle = stringAt(objectAt(webhook, 'clientConfig'), 'caBundle') ?? '';
      const found = certificatesIn(decoded(bundle));
      return [stringAt(webhook, 'name') ?? '', bundle === '' ? 'empty' : found.length === 0 ? 'unreadable' : found];
    }),
  );
}

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

const factsOf = ({ notBefore, notAfter, x509 }: Certificate): CertificateFacts => ({
  subject: x509.subject.replaceAll('\n', ', '),
  notBefore,
  notAfter,
  names: (x509.subjectAltName ?? '').split(', ').flatMap((name) => (name.startsWith('DNS:') ? [name.slice('DNS:'.length)] : [])),
});

export interface Secret {
  readonly secret: RawObject;
  /** The process keeps its authority there and signs what it serves in memory: the authority stands for the certificate. */
  readonly keepsAuthority: boolean;
}

/** `now`: epoch milliseconds. A certificate that has ended is judged as it was in its last moment. */
export function servedCertificate({ secret, keepsAuthority }: Secret, registration: RawObject, now: number): ServedCertificate {
  const inKey = (key: string): readonly Certificate[] => certificatesIn(decoded(stringAt(objectAt(secret, 'data'), key) ?? ''));
  const [authorities, chain] = [inKey('ca.crt'), inKey('tls.crt')];
  const served = keepsAuthority ? authorities[0] : chain[0];
  const certificateName = stringAt(objectAt(objectAt(secret, 'metadata'), 'annotations'), 'cert-manager.io/certificate-name');
  const at = served === undefined ? now : Math.max(served.notBefore, Math.min(now, served.notAfter - 1));
  const isTrusted = (roots: readonly Certificate[]): boolean =>
    served !== undefined && chainsTo([served, ...chain].map(({ pem }) => pem).join(''), roots, at);
  const isOwnAuthority = served?.x509.checkIssued(served.x509) ?? false;
  return {
    source: keepsAuthority ? 'auto' : certificateName === undefined ? 'given' : 'cert-manager',
    certificate: served && factsOf(served),
    isAuthority: keepsAuthority,
    authorityKey: isTrusted(authorities) ? 'ca.crt' : isOwnAuthority ? 'tls.crt' : undefined,
    ...given('certificateName', certificateName),
    trustedBy: new Map([...authoritiesOf(registration)].map(([entry, bundle]) => [entry, typeof bundle !== 'string' && isTrusted(bundle)])),
  };
}
