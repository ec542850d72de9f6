import { beforeAll, describe, expect, it } from 'vitest';
import { bundlesOf, servedCertificate } from '../../src/commands/certificate-facts.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { type Authority, newAuthority, newCertificate, type ServingCertificate } from '../support/certificate.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const registration = (...bundles: readonly (string | undefined)[]): RawObject => ({
  webhooks: bundles.map((ca, index) => ({ name: `e${index}`, clientConfig: ca === undefined ? {} : { caBundle: base64(ca) } })),
});
const secret = (data: Readonly<Record<string, string>>, annotations: RawObject = {}): RawObject => ({
  metadata: { annotations },
  data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)])),
});
const now = Date.now();

let ours: Authority;
let other: Authority;
let leaf: ServingCertificate;
beforeAll(async () => {
  [ours, other] = [await newAuthority('ours'), await newAuthority('other')];
  leaf = await newCertificate(ours, ['portcullis.portcullis.svc']);
});

it('tells what a caBundle holds', () => {
  const bundles = bundlesOf(registration(undefined, 'nothing', `${other.cert}\n${ours.cert}`));
  expect([bundles.get('e0'), bundles.get('e1')]).toEqual(['empty', 'unreadable']);
  expect(bundles.get('e2')).toMatchObject([{ subject: 'CN=other' }, { subject: 'CN=ours' }]);
});

describe('a Secret of somebody', () => {
  const judged = (data: Readonly<Record<string, string>>, ...bundles: readonly string[]) =>
    servedCertificate({ secret: secret(data), keepsAuthority: false }, registration(...bundles), now);

  it('is trusted by a bundle that holds its authority, or itself', () => {
    const { trustedBy, certificate, source } = judged(
      { 'tls.crt': leaf.cert },
      other.cert,
      ours.cert,
      leaf.cert,
      `${other.cert}${ours.cert}`,
    );
    expect([...trustedBy.values()]).toEqual([false, true, true, true]);
    expect(certificate?.names).toEqual(['portcullis.portcullis.svc']);
    expect(source).toBe('given');
  });

  it('says where its authority stands, if it is its own', () => {
    expect(judged({ 'tls.crt': leaf.cert, 'ca.crt': ours.cert }).authorityKey).toBe('ca.crt');
    expect(judged({ 'tls.crt': leaf.cert, 'ca.crt': other.cert }).authorityKey).toBeUndefined();
    expect(judged({ 'tls.crt': ours.cert }).authorityKey).toBe('tls.crt');
    expect(judged({ 'tls.crt': leaf.cert }).authorityKey).toBeUndefined();
  });

  it('holds nothing where there is no certificate', () => {
    expect(judged({}, ours.cert)).toMatchObject({ certificate: undefined });
    expect(judged({ 'tls.crt': 'x' }, ours.cert).trustedBy.get('e0')).toBe(false);
  });

  it('is trusted all the same after its end, which is said elsewhere', async () => {
    const { cert } = await newCertificate(ours, ['a'], { notAfter: new Date(now + 60_000) });
    const later = servedCertificate({ secret: secret({ 'tls.crt': cert }), keepsAuthority: false }, registration(ours.cert), now + 120_000);
    expect(later.trustedBy.get('e0')).toBe(true);
  });

  it("is cert-manager's by its annotation", () => {
    const kept = secret({ 'tls.crt': leaf.cert }, { 'cert-manager.io/certificate-name': 'webhook' });
    expect(servedCertificate({ secret: kept, keepsAuthority: false }, {}, now)).toMatchObject({
      source: 'cert-manager',
      certificateName: 'webhook',
    });
  });
});

it('takes the authority for the certificate where the process keeps it, and never its key', () => {
  const kept = secret({ 'ca.crt': ours.cert, 'ca.key': ours.key });
  const facts = servedCertificate({ secret: kept, keepsAuthority: true }, registration(ours.cert, other.cert), now);
  expect(facts).toMatchObject({ source: 'auto', isAuthority: true, authorityKey: 'ca.crt', certificate: { subject: 'CN=ours' } });
  expect([...facts.trustedBy.values()]).toEqual([true, false]);
  expect(JSON.stringify(facts)).not.toMatch(/PRIVATE|KEY/);
});
