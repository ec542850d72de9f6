import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { selfSigned, serviceNames } from '../../src/certificates/self-signed.ts';

const now = Date.parse('2026-11-21T09:00:00Z');

it('makes a leaf for all the names, signed by a CA that a client can trust', async () => {
  const source = await selfSigned([...serviceNames('portcullis', 'security'), '10.0.0.7'], now);
  const ca = new X509Certificate(source.ca);
  const leaf = new X509Certificate(source.current().cert);
  expect(ca.ca && leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  for (const name of ['localhost', 'portcullis.security.svc', 'portcullis.security.svc.cluster.local'])
    expect(leaf.checkHost(name)).toBe(name);
  for (const ip of ['127.0.0.1', '10.0.0.7']) expect(leaf.checkIP(ip)).toBe(ip);
  expect(leaf.checkHost('portcullis.other.svc')).toBeUndefined();
  expect(leaf.validFromDate.getTime()).toBe(now - 3_600_000);
  expect(source.current().notAfter).toBe(now + 365 * 86_400_000);
});

it('makes another CA each time', async () => {
  const [one, other] = await Promise.all([selfSigned([], now), selfSigned([], now)]);
  const leaf = new X509Certificate(one.current().cert);
  expect(leaf.verify(new X509Certificate(other.ca).publicKey)).toBe(false);
});
