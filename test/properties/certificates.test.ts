/** No instant in which a ready replica serves what an API server cannot verify, whatever fails meanwhile. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RotationTimes } from '../../src/certificates/renewal.ts';
import { rotationTimes } from '../../src/certificates/shared-authority.ts';
import { objectsAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { AuthorityWorld, bareConfiguration, emptySecret, secretPath } from '../support/authority-world.ts';
import { runs } from '../support/figures.ts';

const start = Date.parse('2026-11-21T09:00:00Z');
const [secondMs, minuteMs, hourMs] = [1_000, 60_000, 3_600_000];
const dayMs = 24 * hourMs;
const timeout = runs(300_000, 12 * hourMs);
/** How far an API server may be behind etcd. */
const lagMs = 15_000;

/** The same numbers for the same seed (mulberry32). */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const withBundles = (configuration: RawObject, change: (caBundle: unknown, index: number) => unknown): RawObject => ({
  ...configuration,
  webhooks: objectsAt(configuration, 'webhooks').map((entry, index) => {
    const clientConfig = entry['clientConfig'] as RawObject;
    return { ...entry, clientConfig: { ...clientConfig, caBundle: change(clientConfig['caBundle'], index) } };
  }),
});

/** What others do to the objects that are ours. */
function meddle(world: AuthorityWorld, chance: () => number): void {
  const acts: readonly (() => void)[] = [
    () => world.objects.set(secretPath, emptySecret),
    () => world.objects.delete(secretPath),
    () => world.objects.set(secretPath, { ...emptySecret, ...world.objects.get(secretPath), metadata: emptySecret.metadata }),
    () => world.edit((configuration) => withBundles(configuration, () => undefined)),
    () => world.edit((configuration) => withBundles(configuration, (caBundle, index) => (index === 1 ? undefined : caBundle))),
    () => world.edit((configuration) => withBundles(configuration, () => Buffer.from('nonsense').toString('base64'))),
    () => world.edit(() => undefined),
  ];
  acts[Math.floor(chance() * acts.length)]?.();
}

/** The chart is installed again: what is missing is made, empty. */
function reinstall(world: AuthorityWorld): void {
  if (world.objects.get(secretPath) === undefined) world.objects.set(secretPath, emptySecret);
  if (world.entries().length === 0) world.edit(() => bareConfiguration);
}

const expectGood = (world: AuthorityWorld): void => {
  const violations = world.violations(lagMs);
  if (violations.length > 0) expect.fail(`${violations.join('; ')} at ${new Date(world.now).toISOString()}; ${world.describe()}`);
};

/** Everybody goes on with nothing in the way, by steps of this length. */
async function calm(world: AuthorityWorld, forMs: number, stepMs: number): Promise<void> {
  for (const end = world.now + forMs; world.now < end; world.now += stepMs) {
    world.beginRounds();
    for (;;) {
      await world.settled();
      expectGood(world);
      const [call] = world.waiting;
      if (call !== undefined) world.answer(call, 'well');
      else if (world.replicas.some(({ process, dueAt }) => !process.isInRound && dueAt <= world.now)) world.beginRounds();
      else break;
    }
  }
}

const isDone = (world: AuthorityWorld): boolean => world.replicas.every((replica) => world.isReady(replica));

async function worldOf(times: RotationTimes, paceMs: number, clocks: readonly (readonly [rate: number, skewMs: number])[]) {
  const world = new AuthorityWorld(times, paceMs, start);
  for (const [rate, skewMs] of clocks) await world.add(rate, skewMs);
  world.leaders.add(0);
  return world;
}

describe('six years', () => {
  it(
    'of three replicas with clocks that drift, restarts, and others who meddle',
    () =>
      fc.assert(
        fc.asyncProperty(fc.integer(), async (seed) => {
          const chance = chanceOf(seed);
          const clocks = [1.00002, 0.99998, 1].map((rate) => [rate, (chance() - 0.5) * 20 * minuteMs] as const);
          const world = await worldOf(rotationTimes, 6 * hourMs, clocks);
          await calm(world, minuteMs, 10 * secondMs);
          expect(isDone(world)).toBe(true);
          for (const end = start + 6 * 365 * dayMs; world.now < end; ) {
            await calm(world, 6 * hourMs, 6 * hourMs);
            for (const replica of world.replicas) if (chance() < 0.01) await world.restart(replica);
            if (chance() < 0.03) {
              world.leaders.clear();
              world.leaders.add(Math.floor(chance() * world.replicas.length));
            }
            if (chance() < 0.002) {
              meddle(world, chance);
              await calm(world, minuteMs, 10 * secondMs);
              reinstall(world);
            }
            if (chance() < 0.05) await calm(world, 2 * minuteMs, 10 * secondMs);
          }
          await calm(world, 5 * minuteMs, 10 * secondMs);
          expect(isDone(world), world.describe()).toBe(true);
          // Each signs for eight months at most.
          expect(world.stored.filter((what) => /:(created|promoted)$/.test(what)).length).toBeGreaterThanOrEqual(9);
        }),
        { numRuns: runs(1, 12) },
      ),
    timeout,
  );
});

/** As the real ones, of which an hour is grace at the beginning, in minutes: the next authority after an hour. */
const short: RotationTimes = {
  authorityMs: 2 * hourMs,
  leafMs: hourMs,
  overlapMs: 5 * minuteMs,
  steadyMs: 2 * minuteMs,
  settleMs: 30 * secondMs,
};

/** One thing that happens: a call goes on, somebody dies, time passes. */
async function happens(world: AuthorityWorld, chance: () => number): Promise<void> {
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(chance() * list.length)];
  const call = pick(world.waiting);
  if (call !== undefined && chance() < 0.85) {
    const how = chance();
    world.answer(call, how < 0.9 ? 'well' : how < 0.93 ? 'stale' : how < 0.97 ? 'unheard' : 'refused');
    return;
  }
  const replica = pick(world.replicas);
  const what = chance();
  if (replica === undefined) return;
  if (what < 0.006) await world.restart(replica);
  else if (what < 0.012) replica.cutUntil = world.now + chance() * 6 * minuteMs;
  else if (what < 0.03) world.leaders.add(replica.index);
  else if (what < 0.06 && world.leaders.size > 1) world.leaders.delete(replica.index);
  else if (what < 0.065 && world.isWhole()) meddle(world, chance);
  else if (what < 0.08) reinstall(world);
  else if (what < 0.2) world.haunt();
  else world.now += chance() * 6 * secondMs;
  world.giveUp();
}

describe('whatever comes in between', () => {
  it(
    'is two who lead, who die at any step, who read what is old, and who are answered late or never',
    () =>
      fc.assert(
        fc.asyncProperty(fc.integer(), async (seed) => {
          const chance = chanceOf(seed);
          // Beside an overlap of minutes, much more than beside one of a day.
          const clocks = [1.005, 0.995, 1].map((rate) => [rate, (chance() - 0.5) * 30 * secondMs] as const);
          const world = await worldOf(short, 10 * secondMs, clocks);
          for (const end = start + 90 * minuteMs; world.now < end; ) {
            world.beginRounds();
            await world.settled();
            expectGood(world);
            await happens(world, chance);
          }
          reinstall(world);
          world.leaders.clear();
          world.leaders.add(0);
          world.giveUp();
          await calm(world, 3 * short.overlapMs, 10 * secondMs);
          expect(isDone(world), world.replicas.map(({ process }) => process.authority.lacks()).join()).toBe(true);
        }),
        // The short form repeats one seed; the long one takes another each time. One world in some hundreds, 11, still ends badly:
        // docs/decisions/0014-own-authority.md.
        { numRuns: runs(4, 500), seed: runs(1, Math.trunc(Date.now() / 1000)) },
      ),
    timeout,
  );
});
