/**
 * Non-interference (reliability.md B3): two clusters that differ only in what the requester may not list give byte-equal
 * answers, whatever he writes. Otherwise `--dry-run=server` would be an oracle over every label in the cluster.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Handled, handle } from '../../src/admission/handler.ts';
import type { Listing } from '../../src/cluster/elsewhere.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { type Configuration, parseConfiguration } from '../../src/config/settings.ts';
import type { Finding } from '../../src/engine/finding.ts';
import { formatPath } from '../../src/kube/field-path.ts';
import { groupOf } from '../../src/kube/normalize.ts';
import { objectAt, stringAt } from '../../src/kube/read.ts';
import { formatRef, type RawObject, refOf } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { namespace, plentyOfTime, portsOf, requestFor, reviewOf, service } from '../admission/reviews.ts';
import { runs } from '../support/figures.ts';
import { complete } from '../support/objects.ts';
import { ingress, inhabitants, policy, type RuleWorld, resourcesOf, ruleWorld } from '../support/rule-worlds.ts';
import { dependentElsewhere, flannel, ovnKubernetes } from '../support/usual-objects.ts';
import { disclosures } from './declared-disclosures.ts';

const profiles = ['observe', 'guided', 'strict'] as const;
type Profile = (typeof profiles)[number];
const declared = disclosures.map(({ ruleId }) => ruleId);

const configurationOf = (profile: Profile, off: readonly string[]): Configuration =>
  parseConfiguration(
    {
      apiVersion: 'portcullis.dev/v1',
      profile,
      exemptions: { byAnnotation: 'permitted' },
      rules: {
        'service-node-port-policy': { options: { ranges: [{ namespaces: ['*'], ports: ['30100-30199'] }] } },
        ...Object.fromEntries(off.map((id) => [id, { mode: 'off' }])),
      },
    },
    rules,
  );
const whole = new Map(profiles.map((profile) => [profile, configurationOf(profile, [])]));
const withoutDeclared = new Map(profiles.map((profile) => [profile, configurationOf(profile, declared)]));

/** Whose rights: to nothing else, to a namespace, to one kind everywhere. */
const readers = {
  'his own namespace': () => false,
  'a second namespace': ({ namespace: where }: Listing) => where === 'readable',
  'Deployments of all namespaces': ({ kind }: Listing) => kind === 'Deployment',
  'a second namespace, but no Pods': ({ kind, namespace: where }: Listing) => where === 'readable' && kind !== 'Pod',
} as const;
type Reader = keyof typeof readers;

interface Pair {
  readonly world: RuleWorld;
  /** The object before, of an update. */
  readonly before: RawObject;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly dryRun: boolean;
  readonly profile: Profile;
  readonly reader: Reader;
  /** The same in both clusters. */
  readonly readable: readonly RawObject[];
  /** What stands in the one cluster and what in the other, as far as the reader may not list it. */
  readonly hidden: readonly [readonly RawObject[], readonly RawObject[]];
}

const kinds = ['Service', 'Ingress', 'NetworkPolicy'] as const;
const secret = (where: string): fc.Arbitrary<object> =>
  fc.constantFrom('web', 'api', 'db').map((name) => ({ kind: 'Secret', metadata: { name, namespace: where }, type: 'kubernetes.io/tls' }));
const everythingIn = (where: string): fc.Arbitrary<readonly RawObject[]> =>
  fc
    .tuple(inhabitants(where), fc.array(fc.oneof(ingress(where), policy(where), secret(where)), { maxLength: 3 }))
    .map((some) => some.flat().map((one) => complete(JSON.parse(JSON.stringify(one)))));
const namespaceNamed = (name: string): fc.Arbitrary<RawObject> =>
  fc.constantFrom({}, { team: 'a' }, { app: 'web' }).map((labels) => namespace(name, { labels }));
/** Beside the resolver. What is about the resolver itself, policies too, every Pod finds out with each look-up. */
const besideResolver: fc.Arbitrary<readonly RawObject[]> = everythingIn('kube-system').map((all) =>
  all.filter(({ kind }) => kind !== 'NetworkPolicy'),
);
/** On the address that some Services of the worlds claim for themselves. */
const answering = service('vip', { clusterIP: '203.0.113.5', clusterIPs: ['203.0.113.5'] }, { namespace: 'hidden-one' });
const hiddenPart: fc.Arbitrary<readonly RawObject[]> = fc
  .record({
    one: everythingIn('hidden-one'),
    its: namespaceNamed('hidden-one'),
    two: fc.option(everythingIn('hidden-two'), { nil: undefined }),
    readable: everythingIn('readable'),
    system: besideResolver,
    answers: fc.boolean(),
    plugin: fc.constantFrom([], [], [flannel], [ovnKubernetes]),
    ends: fc.subarray([...dependentElsewhere]),
  })
  .map(({ one, its, two, readable, system, answers, plugin, ends }) => [
    ...[its, ...one, ...readable, ...system, ...[...plugin, ...ends].map((each) => complete(each))],
    ...(answers ? [answering] : []),
    ...(two === undefined ? [] : [namespace('hidden-two'), ...two]),
  ]);

const listingOf = (raw: RawObject): Listing => ({
  group: groupOf(String(raw['apiVersion'])),
  kind: String(raw['kind']),
  namespace: stringAt(objectAt(raw, 'metadata'), 'namespace') ?? '',
});

const pair: fc.Arbitrary<Pair> = fc
  .record({
    world: ruleWorld(kinds),
    other: ruleWorld(kinds),
    operation: fc.constantFrom('CREATE', 'CREATE', 'UPDATE', 'DELETE'),
    dryRun: fc.boolean(),
    profile: fc.constantFrom(...profiles),
    reader: fc.constantFrom(...(Object.keys(readers) as Reader[])),
    readable: everythingIn('readable'),
    hidden: fc.tuple(hiddenPart, hiddenPart),
  })
  .map(({ other, readable, hidden, ...rest }) => {
    const mayList = readers[rest.reader] as (listing: Listing) => boolean;
    const own = String(objectAt(rest.world.object, 'metadata')['namespace']);
    const isHidden = (listing: Listing): boolean => listing.namespace !== own && !mayList(listing);
    const secretly = (some: readonly RawObject[]) => some.filter((raw) => isHidden(listingOf(raw)));
    const before = { ...rest.world.object, spec: other.object['kind'] === rest.world.object['kind'] ? other.object['spec'] : {} };
    return {
      ...rest,
      before,
      readable: [namespace('readable'), ...readable.filter((raw) => mayList(listingOf(raw)))],
      hidden: [secretly(hidden[0]), secretly(hidden[1])],
    };
  });

type Judged = Extract<Handled, { outcome: 'judged' }>;

async function judged(one: Pair, hidden: readonly RawObject[], configurations: typeof whole, mayRead: boolean): Promise<Judged> {
  const { world, operation, before, dryRun, profile, reader, readable } = one;
  const { object } = world;
  const within = String(objectAt(object, 'metadata')['namespace']);
  const old = operation === 'CREATE' ? [] : [operation === 'DELETE' ? object : before];
  const held = resourcesOf([namespace(within), ...world.cluster, ...old, ...readable, ...hidden]);
  const snapshot = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(held);
  const byName = new Map(held.map((resource) => [formatRef(refOf(resource)), resource]));
  const mayList = readers[reader] as (listing: Listing) => boolean;
  const kind = { group: groupOf(String(object['apiVersion'])), version: 'v1', kind: object['kind'] };
  const request = requestFor(operation === 'DELETE' ? null : object, {
    kind,
    namespace: within,
    name: objectAt(object, 'metadata')['name'],
    operation,
    oldObject: old[0] ?? null,
    dryRun,
  });
  const handled = await handle(
    reviewOf(request),
    plentyOfTime,
    portsOf(snapshot, configurations.get(profile) as Configuration, {
      mayUse: async () => 'denied',
      mayList: async (_, listing) => (mayRead || mayList(listing) ? 'allowed' : 'denied'),
      readByName: async (refs) => new Map(refs.map((ref) => [formatRef(ref), byName.get(formatRef(ref)) ?? 'absent'])),
    }),
  );
  if (handled.outcome !== 'judged') throw new Error(`${handled.outcome}: ${JSON.stringify(object)}`);
  return handled;
}

const bytesOf = ({ answer }: Judged): string => JSON.stringify(answer);
const both = async (one: Pair, configurations = whole, mayRead = false): Promise<readonly [Judged, Judged]> => [
  await judged(one, one.hidden[0], configurations, mayRead),
  await judged(one, one.hidden[1], configurations, mayRead),
];

/** What a rule says, by field. */
type Said = ReadonlyMap<string, string>;

function saidOf({ decision }: Judged, ruleId: string): Said {
  const { denials, warnings, audited } = decision;
  const all: readonly Finding[] = [...denials, ...warnings.map(({ finding }) => finding), ...audited];
  return new Map(all.filter((one) => one.ruleId === ruleId).map((one) => [formatPath(one.path), JSON.stringify(one)]));
}

describe('what the requester may not list', () => {
  it('changes no byte of an answer', async () => {
    const met = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(pair, async (one) => {
        const [first, second] = await both(one);
        for (const answer of [bytesOf(first), bytesOf(second)]) expect(answer).not.toMatch(/hidden-(?:one|two)/);
        if (bytesOf(first) === bytesOf(second)) return;
        const [third, fourth] = await both(one, withoutDeclared);
        expect(bytesOf(fourth)).toBe(bytesOf(third));
        const bare = await judged(one, [], whole, false);
        for (const { ruleId, extent } of disclosures) {
          const [here, there, nothing] = [first, second, bare].map((answer) => saidOf(answer, ruleId)) as [Said, Said, Said];
          if (JSON.stringify([...here]) === JSON.stringify([...there])) continue;
          met.set(ruleId, (met.get(ruleId) ?? 0) + 1);
          if (extent === 'text') continue;
          for (const path of new Set([...here.keys(), ...there.keys()]))
            expect(new Set([here, there, nothing].map((said) => said.get(path))).size).toBeLessThanOrEqual(2);
        }
      }),
      { numRuns: runs(600, 100_000) },
    );
    console.log(`non-interference: ${runs(600, 100_000)} pairs; declared disclosures met: ${JSON.stringify(Object.fromEntries(met))}`);
  }, 3_600_000);

  it('changes answers where he may, or the law would say nothing', async () => {
    let different = 0;
    for (const one of fc.sample(pair, { seed: 1, numRuns: 300 })) {
      const [first, second] = await both(one, withoutDeclared, true);
      if (bytesOf(first) !== bytesOf(second)) different++;
    }
    expect(different).toBeGreaterThan(5);
  });

  it('is read by no rule that is not known', () => {
    const ids = new Set(rules.map(({ meta }) => meta.id));
    expect(declared.filter((id) => !ids.has(id))).toEqual([]);
  });
});
