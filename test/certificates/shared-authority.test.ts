import { expect, it, onTestFinished, vi } from 'vitest';
import { type Authority, makeAuthority, serviceNames } from '../../src/certificates/authority.ts';
import { caBundles } from '../../src/certificates/ca-bundle.ts';
import { chainsTo } from '../../src/certificates/pem.ts';
import { secretStore } from '../../src/certificates/secret-store.ts';
import { sharedAuthority } from '../../src/certificates/shared-authority.ts';
import { type KubeClient, KubeError } from '../../src/client/kube-client.ts';
import { onlyOne } from '../../src/client/leader-election.ts';
import { bareConfiguration, configurationPath, emptySecret, secretPath } from '../support/authority-world.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeObjects } from '../support/fake-objects.ts';

const now = Date.parse('2026-11-21T09:00:00Z');
const [hourMs, dayMs] = [3_600_000, 86_400_000];

/** Alone, with its own rounds: `fails` answers calls in the place of the objects. */
async function started(fails?: (path: string) => KubeError | undefined) {
  const clock = new FakeClock(now);
  const objects = new FakeObjects();
  objects.set(secretPath, emptySecret);
  objects.set(configurationPath, bareConfiguration);
  const world = {
    fails,
    problems: [] as string[],
    steps: [] as string[],
    between: (): void => {},
  };
  const client = objects.client(async ({ method, path }, perform) => {
    const failure = world.fails?.(path);
    if (failure !== undefined) throw failure;
    const answer = perform();
    if (method === 'GET') world.between();
    return answer;
  }) as KubeClient;
  const source = await sharedAuthority({
    store: secretStore(client, 'portcullis', 'portcullis-ca'),
    bundles: caBundles(client, 'portcullis'),
    names: serviceNames('portcullis', 'portcullis'),
    leadership: onlyOne,
    onStored: (change) => world.steps.push(change),
    onPublished: () => world.steps.push('published'),
    onProblem: ({ message }) => world.problems.push(message),
    clock,
  });
  source.start();
  onTestFinished(() => source.close());
  /** Keys are made by other threads, of which no clock of ours knows. */
  const advance = async (ms: number): Promise<void> => {
    await vi.waitUntil(() => clock.waits.length > 0, { interval: 0 });
    await clock.advance(ms);
    await vi.waitUntil(() => clock.waits.length > 0, { interval: 0 });
  };
  return { clock, objects, source, world, advance };
}

const down = (): KubeError => new KubeError(503, 'ServiceUnavailable', 'not now');

it('is ready two seconds after it has found an empty Secret and no bundle', async () => {
  const { source, world, advance } = await started();
  expect(source.lacks()).toEqual([expect.stringContaining('there is no certificate yet')]);
  for (let second = 0; second < 2; second += 1) await advance(1_000);
  expect(source.lacks()).toEqual([]);
  expect(world.steps).toEqual(['created', 'published']);
  expect(source.current()).toMatchObject({ notAfter: now + 90 * dayMs, caNotAfter: now + 365 * dayMs });
});

it('renews the leaf within a minute after the machine has slept, with no API server too', async () => {
  const { clock, source, world, advance } = await started();
  for (let second = 0; second < 2; second += 1) await advance(1_000);
  const changes: number[] = [];
  source.onChange(({ notAfter }) => changes.push(notAfter));
  world.fails = down;
  clock.jump(61 * dayMs);
  await advance(60_000);
  expect(changes).toEqual([source.current().notAfter]);
  expect(source.current().notAfter).toBeGreaterThan(clock.wallNow() + 89 * dayMs);
  expect(source.lacks()).toEqual([]);
  expect(world.problems).toEqual(['not now']);
});

it('is not ready once it could not read for half an overlap: what trusted it may have been dropped', async () => {
  const { source, world, advance } = await started();
  for (let second = 0; second < 2; second += 1) await advance(1_000);
  world.fails = down;
  await advance(11.9 * hourMs);
  expect(source.lacks()).toEqual([]);
  await advance(0.2 * hourMs);
  expect(source.lacks()).toEqual(['what the API servers trust could not be read for too long: the certificate may be out of use']);
  world.fails = undefined;
  await advance(1_000);
  expect(source.lacks()).toEqual([]);
});

it('does not rotate what it cannot publish', async () => {
  const fails = (path: string) => (path.startsWith(configurationPath) ? new KubeError(403, 'Forbidden', 'forbidden') : undefined);
  const { clock, source, world, advance } = await started(fails);
  for (let second = 0; second < 3; second += 1) await advance(1_000);
  expect(source.lacks()).toEqual([]);
  clock.jump(300 * dayMs);
  await advance(60_000);
  expect(world.steps).toEqual(['created']);
  expect(world.problems).toEqual([expect.stringMatching(/^the webhook configuration portcullis may not be read/)]);
});

it('complains once of a write that is refused again and again, and does not hammer', async () => {
  const { objects, source, world, advance } = await started();
  for (let second = 0; second < 2; second += 1) await advance(1_000);
  const refused = vi.fn(() => new KubeError(403, 'Forbidden', 'may not patch'));
  world.fails = (path) => (path.includes('fieldManager') ? refused() : undefined);
  objects.set(configurationPath, bareConfiguration);
  await advance(20_000);
  expect(world.problems).toEqual(['may not patch']);
  expect(refused.mock.calls.length).toBeLessThan(25);
  expect(source.lacks()).toHaveLength(3);
});

it('publishes nothing older than what another leader has published between its two reads', async () => {
  const { objects, source, world, advance } = await started();
  for (let second = 0; second < 2; second += 1) await advance(1_000);
  const other = objects.client() as KubeClient;
  const signal = new AbortController().signal;
  const [store, bundles] = [secretStore(other, 'portcullis', 'portcullis-ca'), caBundles(other, 'portcullis')];
  const next = await makeAuthority(now);
  const stored = await store.read(signal);
  const previous = [stored.state.current as Authority];
  const trusted = [next, ...previous];
  const live = await bundles.read(signal);
  let others: readonly Promise<void>[] | undefined;
  // Objects in memory are changed when these return.
  world.between = () => {
    others ??= [store.write(stored, { current: next, previous }, signal), bundles.publish(live, trusted, signal)];
  };
  await advance(10_000);
  await Promise.all(others ?? [Promise.reject(new Error('nothing was read'))]);
  await advance(10_000);
  const { entries } = await bundles.read(signal);
  expect(entries.map((entry) => entry.trusted.map(({ id }) => id))).toEqual(entries.map(() => trusted.map(({ id }) => id)));
  expect(world.steps.filter((step) => step === 'published')).toEqual(['published']);
  expect(source.lacks()).toEqual([]);
});

it('trusts on what it remembers where Secret and bundles are emptied at once', async () => {
  const { objects, source, advance } = await started();
  for (let second = 0; second < 2; second += 1) await advance(1_000);
  const before = source.current().cert;
  objects.set(secretPath, emptySecret);
  objects.set(configurationPath, bareConfiguration);
  await advance(10_000);
  await advance(1_000);
  const { entries } = await caBundles(objects.client() as KubeClient, 'portcullis').read(new AbortController().signal);
  expect(entries.map(({ trusted }) => trusted.length)).toEqual([2, 2, 2]);
  expect(entries.every(({ trusted }) => chainsTo(before, trusted, now))).toBe(true);
});
