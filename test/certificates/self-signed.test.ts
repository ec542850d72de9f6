import { X509Certificate } from 'node:crypto';
import { expect, it, onTestFinished, vi } from 'vitest';
import { serviceNames } from '../../src/certificates/authority.ts';
import { certificatesIn, chainsTo } from '../../src/certificates/pem.ts';
import { type SelfSignedOptions, selfSigned } from '../../src/certificates/self-signed.ts';
import { FakeClock } from '../support/fake-clock.ts';

const now = Date.parse('2026-11-21T09:00:00Z');
const dayMs = 86_400_000;

async function started(options: Partial<SelfSignedOptions> = {}) {
  const clock = new FakeClock(now);
  const source = await selfSigned({ names: [], clock, ...options });
  onTestFinished(async () => source.close());
  return { clock, source };
}

it('makes a leaf for all the names, signed by a CA that a client can trust', async () => {
  const { source } = await started({ names: [...serviceNames('portcullis', 'security'), '10.0.0.7'] });
  const ca = new X509Certificate(source.ca());
  const leaf = new X509Certificate(source.current().cert);
  expect(ca.ca && leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  for (const name of ['localhost', 'portcullis.security.svc', 'portcullis.security.svc.cluster.local'])
    expect(leaf.checkHost(name)).toBe(name);
  for (const ip of ['127.0.0.1', '10.0.0.7']) expect(leaf.checkIP(ip)).toBe(ip);
  expect(leaf.checkHost('portcullis.other.svc')).toBeUndefined();
  expect(leaf.validFromDate.getTime()).toBe(now - 3_600_000);
  expect(source.current()).toMatchObject({ notAfter: now + 90 * dayMs, caNotAfter: now + 365 * dayMs });
});

it('makes another CA each time', async () => {
  const [{ source: one }, { source: other }] = await Promise.all([started(), started()]);
  expect(chainsTo(one.current().cert, certificatesIn(one.ca()), now)).toBe(true);
  expect(chainsTo(one.current().cert, certificatesIn(other.ca()), now)).toBe(false);
});

it('is renewed for years, and a client that knows the authorities of yesterday can always verify it', async () => {
  const told: string[] = [];
  const { clock, source } = await started({ onAuthority: (ca) => told.push(ca) });
  let ofYesterday = certificatesIn(source.ca());
  let leaves = 0;
  source.onChange(() => {
    leaves += 1;
  });
  for (let day = 0; day < 3 * 365; day += 0.5) {
    clock.jump(dayMs / 2 - 60_000);
    await clock.advance(60_000);
    await vi.waitUntil(() => clock.waits.length > 0, { interval: 0 });
    const trusted = ofYesterday;
    if (day % 1 === 0) ofYesterday = certificatesIn(source.ca());
    expect(chainsTo(source.current().cert, trusted, clock.wallNow()), `day ${day}`).toBe(true);
  }
  expect(leaves).toBeGreaterThan(15);
  // Each new one is announced beside the old one, and left alone after it.
  expect(told.map((ca) => certificatesIn(ca).length)).toEqual([2, 1, 2, 1, 2, 1, 2, 1].slice(0, told.length));
  expect(told.length).toBeGreaterThanOrEqual(8);
});
