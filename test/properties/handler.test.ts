/** Laws of the way from review to answer, over random objects in random clusters, with all rules (reliability.md D11). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Handled, handle } from '../../src/admission/handler.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import type { Access } from '../../src/kube/requester.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { namespace, plentyOfTime, portsOf, requestFor, reviewOf } from '../admission/reviews.ts';
import { runs } from '../support/figures.ts';
import { type RuleWorld, relabelled, resourcesOf, ruleWorld } from '../support/rule-worlds.ts';

const kinds = ['Service', 'Ingress', 'NetworkPolicy'] as const;
const configurations = new Map(
  (['observe', 'guided', 'strict'] as const).map((profile) => [
    profile,
    parseConfiguration(
      {
        apiVersion: 'portcullis.dev/v1',
        profile,
        exemptions: { byAnnotation: 'permitted' },
        rules: { 'service-node-port-policy': { options: { ranges: [{ namespaces: ['*'], ports: ['30100-30199'] }] } } },
      },
      rules,
    ),
  ]),
);
type Profile = 'observe' | 'guided' | 'strict';

interface Case {
  readonly world: RuleWorld;
  readonly profile: Profile;
  /** The object as it was, of an update. */
  readonly before?: RawObject;
  readonly dryRun?: boolean;
  /** What the answer to each question for a right is. */
  readonly right?: Access;
  /** Whether the cluster can be read again. */
  readonly isLive?: boolean;
}

const excused = (object: RawObject): RawObject => ({
  ...object,
  metadata: {
    ...(object['metadata'] as RawObject),
    annotations: Object.fromEntries(rules.map(({ meta }) => [`exempt.portcullis.dev/${meta.id}`, 'agreed'])),
  },
});

type Judged = Extract<Handled, { outcome: 'judged' }>;

async function judged(
  object: RawObject,
  { world, profile, before, dryRun = false, right = 'unknown', isLive = true }: Case,
): Promise<Judged> {
  const { namespace: within } = object['metadata'] as { readonly namespace: string };
  const objects = resourcesOf([namespace(within), ...world.cluster, ...world.unrelated]);
  const snapshot = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(objects);
  const ports = portsOf(snapshot, configurations.get(profile) as NonNullable<ReturnType<typeof configurations.get>>, {
    mayUse: async () => right,
    confirm: async () => (isLive ? snapshot : undefined),
    readByName: async (refs) => new Map(refs.map(({ kind, namespace: where, name }) => [`${kind} ${where}/${name}`, 'absent'])),
  });
  const kind = { group: object['kind'] === 'Service' ? '' : 'networking.k8s.io', version: 'v1', kind: object['kind'] };
  const operation = before === undefined ? 'CREATE' : 'UPDATE';
  const request = requestFor(object, { kind, namespace: within, operation, oldObject: before ?? null, dryRun });
  const handled = await handle(reviewOf(request), plentyOfTime, ports);
  if (handled.outcome !== 'judged') throw new Error(`${handled.outcome}: ${JSON.stringify(object)}`);
  return handled;
}

const idsOf = ({ decision }: Judged) => ({
  denied: decision.denials.map(({ fingerprint }) => fingerprint).sort(),
  warned: decision.warnings.map(({ finding }) => finding.fingerprint).sort(),
  audited: decision.audited.map(({ fingerprint }) => fingerprint).sort(),
  exempt: decision.exempted.map(({ finding }) => finding.fingerprint).sort(),
});
const all = (one: Judged): readonly string[] => {
  const { denied, warned, audited, exempt } = idsOf(one);
  return [...denied, ...warned, ...audited, ...exempt].sort();
};

const laws: Readonly<Record<string, (world: RuleWorld, profile: Profile) => Promise<void>>> = {
  'an answer is well formed, and no rule fails': async (world, profile) => {
    const { answer, decision } = await judged(world.object, { world, profile });
    const { allowed, status, warnings = [] } = answer.response;
    expect(decision.faults).toEqual([]);
    expect([allowed, status?.code]).toEqual(decision.denials.length === 0 ? [true, undefined] : [false, 422]);
    expect(warnings.length).toBeLessThanOrEqual(5);
  },
  'the same write is answered the same': async (world, profile) => {
    const [one, other] = [await judged(world.object, { world, profile }), await judged(world.object, { world, profile })];
    expect(other.answer).toEqual(one.answer);
  },
  'a stricter profile lets nothing through that a milder one denies, and finds the same': async (world) => {
    const [observe, guided, strict] = [
      await judged(world.object, { world, profile: 'observe' }),
      await judged(world.object, { world, profile: 'guided' }),
      await judged(world.object, { world, profile: 'strict' }),
    ];
    expect(idsOf(observe).denied).toEqual([]);
    expect(idsOf(strict).denied).toEqual(expect.arrayContaining([...idsOf(guided).denied]));
    expect(all(strict)).toEqual(all(guided));
  },
  'a cluster that cannot be read again turns denials into warnings, and makes none': async (world, profile) => {
    const [sure, unsure] = [await judged(world.object, { world, profile }), await judged(world.object, { world, profile, isLive: false })];
    expect(idsOf(sure).denied).toEqual(expect.arrayContaining([...idsOf(unsure).denied]));
    expect(all(unsure)).toEqual(all(sure));
  },
  'a dry-run finds the same, and denies no more': async (world, profile) => {
    const [write, dryRun] = [await judged(world.object, { world, profile }), await judged(world.object, { world, profile, dryRun: true })];
    expect(all(dryRun)).toEqual(all(write));
    expect(idsOf(write).denied).toEqual(expect.arrayContaining([...idsOf(dryRun).denied]));
  },
  'an update that changes nothing is never denied': async (world, profile) => {
    for (const object of [world.object, relabelled(world.object)])
      expect((await judged(object, { world, profile, before: world.object })).answer.response.allowed).toBe(true);
  },
  'whoever has the right exempts from everything, and whoever has not from nothing': async (world, profile) => {
    const object = excused(world.object);
    const plain = await judged(world.object, { world, profile });
    expect(all(await judged(object, { world, profile, right: 'allowed' }))).toEqual(
      idsOf(await judged(object, { world, profile, right: 'allowed' })).exempt,
    );
    for (const right of ['denied', 'unknown'] as const) {
      const { denied, exempt } = idsOf(await judged(object, { world, profile, right }));
      expect([denied, exempt]).toEqual([idsOf(plain).denied, []]);
    }
  },
  'an old annotation excuses nothing that an update brings': async (world, profile) => {
    const fine = { ...excused(world.object), spec: world.object['kind'] === 'NetworkPolicy' ? { podSelector: {} } : {} };
    const update = { world, profile, before: fine };
    const bare = await judged(world.object, { ...update, before: { ...world.object, spec: fine.spec } });
    expect(idsOf(await judged(excused(world.object), { ...update, right: 'denied' })).denied).toEqual(idsOf(bare).denied);
  },
};

describe('a review', () => {
  it('finds something in some of the worlds, or the laws would say nothing', async () => {
    const seen = new Set<string>();
    for (const world of fc.sample(ruleWorld(kinds), { seed: 1, numRuns: 200 })) {
      const { decision } = await judged(world.object, { world, profile: 'strict' });
      seen.add(decision.denials.length > 0 ? 'deny' : decision.warnings.length > 0 ? 'warn' : 'allow');
    }
    expect([...seen].sort()).toEqual(['allow', 'deny', 'warn']);
  });

  it.each(Object.entries(laws))('%s', { timeout: 3_600_000 }, (_, law) =>
    fc.assert(fc.asyncProperty(ruleWorld(kinds), fc.constantFrom<Profile>('observe', 'guided', 'strict'), law), {
      numRuns: runs(200, 12_500),
    }),
  );
});
