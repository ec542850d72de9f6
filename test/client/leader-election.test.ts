import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/client/clock.ts';
import { KubeError } from '../../src/client/kube-client.ts';
import { type Leadership, leaderElection } from '../../src/client/leader-election.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeObjects, type Way } from '../support/fake-objects.ts';
import { runs } from '../support/figures.ts';

const path = '/apis/coordination.k8s.io/v1/namespaces/portcullis/leases/portcullis-leader';
/** As the chart makes it: without a spec. */
const empty = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'portcullis-leader', namespace: 'portcullis' } };

/** A clock that runs faster or slower than the others, and began elsewhere. */
function drifting(base: FakeClock, rate: number, offset: number): Clock {
  const now = (): number => base.now() * rate + offset;
  return { now, wallNow: now, random: () => base.random(), after: (ms, action) => base.after(ms / rate, action) };
}

function world() {
  const clock = new FakeClock();
  const objects = new FakeObjects();
  objects.set(path, empty);
  const told: string[] = [];
  const candidate = (identity: string, { way, on = clock }: { way?: Way; on?: Clock } = {}): Leadership =>
    leaderElection({
      client: objects.client(way),
      namespace: 'portcullis',
      name: 'portcullis-leader',
      identity,
      clock: on,
      onChange: (leads) => told.push(`${identity} ${leads ? 'leads' : 'ends'}`),
      onFollow: (leader) => told.push(`${identity} follows ${leader}`),
      onProblem: (problem) => told.push(`${identity}: ${problem.message}`),
    });
  const spec = (): RawObject => (objects.get(path)?.['spec'] ?? {}) as RawObject;
  return { clock, objects, told, candidate, spec };
}

const failing: Way = async () => {
  throw new KubeError(503, 'ServiceUnavailable', 'not now');
};

describe('the leader', () => {
  it('is the first to write its name into the empty Lease', async () => {
    const { clock, candidate, spec } = world();
    const [a, b] = [candidate('a'), candidate('b')];
    await clock.advance(60_000);
    expect([a.leads(), b.leads()]).toEqual([true, false]);
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 1 });
    expect(spec()['renewTime']).toMatch(/^1970-01-01T00:17:\d\d\.\d{6}Z$/);
  });

  it('is named to who follows, once', async () => {
    const { clock, candidate, told } = world();
    const a = candidate('a');
    await clock.advance(1_000);
    candidate('b');
    await clock.advance(60_000);
    await a.close();
    await clock.advance(60_000);
    expect(told).toEqual(['a leads', 'b follows a', 'a ends', 'b leads']);
  });

  it('hands over within seconds when it shuts down', async () => {
    const { clock, candidate, spec } = world();
    const [a, b] = [candidate('a'), candidate('b')];
    await clock.advance(10_000);
    const term = a.term();
    await a.close();
    expect([a.leads(), term.aborted, spec()['holderIdentity']]).toEqual([false, true, undefined]);
    await clock.advance(5_000);
    expect(b.leads()).toBe(true);
    expect(spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 2 });
  });

  it('is replaced within 30 s when it dies', async () => {
    const { clock, candidate } = world();
    let isDead = false;
    const dead: Way = (_, perform) => (isDead ? new Promise(() => {}) : Promise.resolve(perform()));
    candidate('a', { way: dead });
    const b = candidate('b');
    clock.chance = 1;
    await clock.advance(20_000);
    isDead = true;
    await clock.advance(30_000);
    expect(b.leads()).toBe(true);
  });

  it('ends its term 10 s after the last renewal that succeeded, before anybody else may begin', async () => {
    const { clock, candidate, told } = world();
    let isCut = false;
    const a = candidate('a', { way: (call, perform, stale) => (isCut ? failing(call, perform, stale) : Promise.resolve(perform())) });
    await clock.advance(1_000);
    const term = a.term();
    isCut = true;
    await clock.advance(8_500);
    expect([a.leads(), term.aborted]).toEqual([true, false]);
    await clock.advance(1_000);
    expect([a.leads(), term.aborted]).toEqual([false, true]);
    expect(told).toEqual(['a leads', 'a: not now', 'a ends']);
    isCut = false;
    await clock.advance(10_000);
    expect(a.leads()).toBe(true);
    expect(a.term()).not.toBe(term);
  });

  it('counts its term from when it asked, not from when it was answered', async () => {
    const { clock, candidate } = world();
    const slow: Way = async ({ method }, perform) => {
      const answer = perform();
      if (method === 'PUT') await new Promise((resolve) => void clock.after(9_000, () => resolve(undefined)));
      return answer;
    };
    const a = candidate('a', { way: slow });
    await clock.advance(9_500);
    expect(a.leads()).toBe(true);
    await clock.advance(1_000);
    expect(a.leads()).toBe(false);
  });

  it('does not lead on after its machine has slept', async () => {
    const { clock, candidate } = world();
    const a = candidate('a');
    await clock.advance(1_000);
    const term = a.term();
    clock.jump(3_600_000);
    expect(a.leads()).toBe(false);
    expect(term.aborted).toBe(false);
    expect(a.term().aborted && term.aborted).toBe(true);
  });

  it.each([
    ['is gone', (objects: FakeObjects) => objects.delete(path), /not found/],
    ['names another', (objects: FakeObjects) => objects.set(path, { ...empty, spec: { holderIdentity: 'x' } }), undefined],
  ])('ends its term at once where the Lease %s, and makes none', async (_, spoil, problem) => {
    const { clock, objects, candidate, told } = world();
    const a = candidate('a');
    await clock.advance(1_000);
    expect(a.leads()).toBe(true);
    spoil(objects);
    const had = objects.get(path);
    await clock.advance(2_000);
    expect(a.leads()).toBe(false);
    expect(told.slice(1)).toEqual(problem === undefined ? ['a ends', 'a follows x'] : ['a ends', expect.stringMatching(problem)]);
    expect(objects.get(path)).toEqual(had);
  });
});

/** What befalls one candidate for some seconds. */
const kinds = ['cut', 'lost', 'slow', 'stale', 'killed', 'closed'] as const;
type Kind = (typeof kinds)[number];
const trouble = fc.record({
  who: fc.nat({ max: 3 }),
  kind: fc.constantFrom(...kinds),
  at: fc.nat({ max: 150 }),
  seconds: fc.integer({ min: 1, max: 40 }),
});
type Trouble = typeof trouble extends fc.Arbitrary<infer T> ? T : never;

const tickMs = 250;
/** Either way of a slow call. */
const slowMs = 8_000;
const begun = 1_000_000;

/** One place in which a candidate runs, is killed or shut down, and is started again. */
class Place {
  private readonly base: ReturnType<typeof world>;
  private readonly clock: Clock;
  private readonly troubles: readonly Trouble[];
  private readonly name: string;
  private running: { isDead: boolean; readonly leadership: Leadership } | undefined;
  private starts = 0;

  constructor(base: ReturnType<typeof world>, name: string, rate: number, troubles: readonly Trouble[]) {
    this.base = base;
    this.name = name;
    this.clock = drifting(base.clock, rate, rate * 1e6);
    this.troubles = troubles;
  }

  has(kind: Kind, agoMs = 0): boolean {
    const second = (this.base.clock.now() - agoMs - begun) / 1_000;
    return this.troubles.some((one) => one.kind === kind && second >= one.at && second < one.at + one.seconds);
  }

  /** Also of calls that were slow when they began. */
  isCalm(): boolean {
    return kinds.every((kind) => !this.has(kind)) && !this.has('slow', slowMs) && !this.has('slow', 2 * slowMs);
  }

  leads(): boolean {
    return this.running?.leadership.leads() ?? false;
  }

  async tick(): Promise<void> {
    if (this.has('killed') && this.running !== undefined) this.running.isDead = true;
    if (this.has('killed') || this.has('closed')) {
      void this.running?.leadership.close();
      this.running = undefined;
    } else this.running ??= this.start();
  }

  private start(): { isDead: boolean; readonly leadership: Leadership } {
    this.starts += 1;
    const process = { isDead: false };
    const leadership = this.base.candidate(`${this.name}-${this.starts}`, { on: this.clock, way: this.way(process) });
    return Object.assign(process, { leadership });
  }

  private way(process: { readonly isDead: boolean }): Way {
    const { clock } = this.base;
    const slowly = (): Promise<void> => new Promise((resolve) => (this.has('slow') ? void clock.after(slowMs, resolve) : resolve()));
    return async ({ method }, perform, stale) => {
      await slowly();
      if (process.isDead) return new Promise(() => {});
      if (this.has('cut')) throw new KubeError(503, 'ServiceUnavailable', 'cut');
      const answer = method === 'GET' && this.has('stale') ? stale() : perform();
      await slowly();
      if (this.has('lost')) throw new Error('the connection was cut');
      return answer;
    };
  }
}

describe('however calls fail, processes die and clocks drift', () => {
  it('there are never two leaders, and always one again within 30 s', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0.9, max: 1.2, noNaN: true }), { minLength: 2, maxLength: 4 }),
        fc.array(trouble, { maxLength: 14 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (rates, troubles, chance) => {
          const base = world();
          base.clock.chance = chance;
          const places = rates.map(
            (rate, who) =>
              new Place(
                base,
                `p${who}`,
                rate,
                troubles.filter((one) => one.who === who),
              ),
          );
          let leaderlessMs = 0;
          for (let ms = 0; ms < 240_000; ms += tickMs) {
            for (const place of places) await place.tick();
            await base.clock.advance(tickMs);
            const leaders = places.filter((place) => place.leads()).length;
            expect(leaders, `after ${ms} ms`).toBeLessThanOrEqual(1);
            leaderlessMs = leaders === 0 && places.every((place) => place.isCalm()) ? leaderlessMs + tickMs : 0;
            expect(leaderlessMs).toBeLessThan(30_000);
          }
        },
      ),
      { numRuns: runs(40, 2_000) },
    ));
});
