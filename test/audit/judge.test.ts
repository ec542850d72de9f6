import { expect, it } from 'vitest';
import { judge } from '../../src/audit/judge.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import type { Service } from '../../src/kube/resources.ts';
import { configurationOf } from '../support/audited-world.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { service } from '../support/toy-rules.ts';

/** As if each look at it took so long. */
class SlowClock extends FakeClock {
  private readonly lookMs: number;
  private looks = 0;

  constructor(lookMs: number) {
    super();
    this.lookMs = lookMs;
  }

  override now(): number {
    return super.now() + ++this.looks * this.lookMs;
  }
}

const broken: Service = service({ selector: { app: 'nobody' } });
const judged = (lookMs: number, staleMs = 0) =>
  judge(broken, {
    snapshot: ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete', staleMs: (one) => (one === 'Pod' ? staleMs : 0) }).with([
      broken,
    ]),
    configuration: configurationOf(),
    source: { readByName: async () => new Map() },
    clock: new SlowClock(lookMs),
    signal: new AbortController().signal,
  });

it('an object is judged while reviews can wait for it, and no longer', async () => {
  const [quick, slow] = [await judged(0), await judged(60)];
  expect([quick.surveyed.findings.length, quick.surveyed.skipped]).toEqual([1, []]);
  expect(slow.surveyed.skipped.length).toBeGreaterThan(2);
  expect(new Set(slow.surveyed.skipped.map(({ reason }) => reason))).toEqual(new Set(['deadline']));
  expect(slow.workMs).toBeGreaterThan(100);
});

it('what rules say that look at something stale is withheld, and of others it is not', async () => {
  const { surveyed, isStale } = await judged(0, 60_000);
  expect([isStale, surveyed.findings]).toEqual([true, []]);
  const withheld = surveyed.skipped.map(({ ruleId }) => ruleId);
  expect(withheld).toContain('service-selector-matches-no-pods');
  expect(withheld).not.toContain('service-node-port-policy');
});
