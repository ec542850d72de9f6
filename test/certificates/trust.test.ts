import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Authority, makeAuthority, serviceNames, signLeaf } from '../../src/certificates/authority.ts';
import { caBundles } from '../../src/certificates/ca-bundle.ts';
import { watchTrust } from '../../src/certificates/trust.ts';
import { type KubeClient, KubeError } from '../../src/client/kube-client.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { bareConfiguration, configurationPath } from '../support/authority-world.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeObjects, type Way } from '../support/fake-objects.ts';

const now = Date.parse('2026-11-21T09:00:00Z');
let ours: Authority;
let theirs: Authority;
let leaf: { readonly cert: string };
beforeAll(async () => {
  [ours, theirs] = await Promise.all([makeAuthority(now), makeAuthority(now)]);
  leaf = await signLeaf(ours, serviceNames('portcullis', 'portcullis'), now);
});

const trusting = (...bundles: readonly (readonly Authority[])[]) => ({
  ...bareConfiguration,
  webhooks: bareConfiguration.webhooks.map((entry, index) => {
    const caBundle = Buffer.from((bundles[index] ?? []).map(({ pem }) => pem).join('\n')).toString('base64');
    return { ...entry, clientConfig: { ...entry.clientConfig, caBundle } };
  }),
});

const trustingUs = (): RawObject => trusting([ours], [ours], [ours]);

async function watched(configuration?: () => RawObject, way?: Way) {
  const clock = new FakeClock(now);
  const objects = new FakeObjects();
  if (configuration !== undefined) objects.set(configurationPath, configuration());
  const problems: string[] = [];
  const written: string[] = [];
  const client = objects.client(way) as KubeClient;
  const watch = watchTrust({
    bundles: caBundles({ ...client, send: async (method) => Promise.reject(new Error(`${written.push(method)}`)) }, 'portcullis'),
    served: () => leaf.cert,
    onProblem: ({ message }) => problems.push(message),
    clock,
  });
  onTestFinished(() => watch.close());
  return { clock, objects, problems, written, lacks: (cert = leaf.cert) => watch.lacks(cert) };
}

const refusing =
  (status: number, reason: string): Way =>
  async () => {
    throw new KubeError(status, reason, `${reason} by the fake`);
  };

describe('a replica is ready', () => {
  it('when every entry trusts its certificate, and not before it knows', async () => {
    const { clock, written, lacks } = await watched(() => trusting([ours], [theirs, ours], [ours]));
    expect(lacks()).toEqual(['the webhook configuration portcullis has not been read yet']);
    await clock.advance(1_000);
    expect(lacks()).toEqual([]);
    expect(written).toEqual([]);
  });

  it('when there is no configuration: nobody calls it', async () => {
    const { clock, lacks } = await watched();
    await clock.advance(1_000);
    expect(lacks()).toEqual([]);
  });

  it('when it may not read the configuration, which it says once', async () => {
    const { clock, problems, lacks } = await watched(undefined, refusing(403, 'Forbidden'));
    await clock.advance(60_000);
    expect(lacks()).toEqual([]);
    expect(problems).toEqual([expect.stringMatching(/^the webhook configuration portcullis may not be read/)]);
  });
});

describe('a replica is not ready', () => {
  it('when an entry trusts another authority, or none, and says which', async () => {
    const { clock, objects, lacks } = await watched(() => trusting([ours], [theirs]));
    await clock.advance(1_000);
    expect(lacks()).toEqual([
      'the certificate does not chain to the caBundle of entry system.portcullis.dev of the webhook configuration',
      'entry delete.portcullis.dev of the webhook configuration has no caBundle',
    ]);
    objects.set(configurationPath, trustingUs());
    await clock.advance(1_000);
    expect(lacks()).toEqual([]);
  });

  it('when its certificate lacks the name by which it is called', async () => {
    const { clock, lacks } = await watched(trustingUs);
    await clock.advance(1_000);
    const { cert } = await signLeaf(ours, serviceNames('other', 'portcullis'), now);
    expect(lacks(cert)[0]).toBe(
      'the certificate is not for portcullis.portcullis.svc, by which entry validate.portcullis.dev of the webhook configuration calls',
    );
  });

  it('when its certificate is over', async () => {
    const { clock, lacks } = await watched(trustingUs);
    clock.jump(91 * 86_400_000);
    await clock.advance(10_000);
    expect(lacks()).toHaveLength(3);
  });
});

it('keeps its verdict while the API server does not answer', async () => {
  let isDown = false;
  const { clock, objects, problems, lacks } = await watched(trustingUs, async (call, perform, stale) =>
    isDown ? refusing(503, 'ServiceUnavailable')(call, perform, stale) : perform(),
  );
  await clock.advance(1_000);
  isDown = true;
  objects.set(configurationPath, trusting([theirs]));
  await clock.advance(3_600_000);
  expect(lacks()).toEqual([]);
  expect(problems).toEqual(['ServiceUnavailable by the fake']);
  isDown = false;
  await clock.advance(10_000);
  expect(lacks()).toHaveLength(3);
});

it('reads each second until it is ready, and then each ten', async () => {
  let reads = 0;
  const { clock, objects } = await watched(
    () => trusting([theirs]),
    async (_, perform) => {
      reads += 1;
      return perform();
    },
  );
  await clock.advance(9_000);
  expect(reads).toBeGreaterThanOrEqual(9);
  objects.set(configurationPath, trustingUs());
  await clock.advance(1_000);
  reads = 0;
  await clock.advance(90_000);
  expect(reads).toBeGreaterThanOrEqual(9);
  expect(reads).toBeLessThanOrEqual(13);
});
