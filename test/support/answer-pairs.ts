/** The same request to two clusters that differ in what the requester may not list, and what is said to it (reliability.md B3). */
import { expect } from 'vitest';
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
import { namespace, plentyOfTime, portsOf, requestFor, reviewOf } from '../admission/reviews.ts';
import { disclosures } from '../properties/declared-disclosures.ts';
import { type RuleWorld, resourcesOf } from './rule-worlds.ts';

export const profiles = ['observe', 'guided', 'strict'] as const;
type Profile = (typeof profiles)[number];
export const declared = disclosures.map(({ ruleId }) => ruleId);

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
export const whole = new Map(profiles.map((profile) => [profile, configurationOf(profile, [])]));
export const withoutDeclared = new Map(profiles.map((profile) => [profile, configurationOf(profile, declared)]));

/** Whose rights: to nothing else, to a namespace, to one kind everywhere. */
const readers = {
  'his own namespace': () => false,
  'a second namespace': ({ namespace: where }: Listing) => where === 'readable',
  'Deployments of all namespaces': ({ kind }: Listing) => kind === 'Deployment',
  'a second namespace, but no Pods': ({ kind, namespace: where }: Listing) => where === 'readable' && kind !== 'Pod',
  'namespaces, and nothing in them': ({ kind }: Listing) => kind === 'Namespace',
  'all but policies': ({ kind }: Listing) => kind !== 'NetworkPolicy',
} as const;
type Reader = keyof typeof readers;

export interface Pair {
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

const listingOf = (raw: RawObject): Listing => ({
  group: groupOf(String(raw['apiVersion'])),
  kind: String(raw['kind']),
  namespace: stringAt(objectAt(raw, 'metadata'), 'namespace') ?? '',
});

/** Of what one pair could hold, that which its reader may list, and for each cluster that which he may not. */
export function apart(own: string, reader: Reader, hidden: Pair['hidden']): Pair['hidden'] {
  const secretly = (some: readonly RawObject[]) =>
    some.filter((raw) => {
      const listing = listingOf(raw);
      return listing.namespace !== own && !mayListOf(reader)(listing);
    });
  return [secretly(hidden[0]), secretly(hidden[1])];
}

export const allReaders = Object.keys(readers) as Reader[];
const mayListOf = (reader: Reader): ((listing: Listing) => boolean) => readers[reader];
export const mayListRaw = (reader: Reader, raw: RawObject): boolean => mayListOf(reader)(listingOf(raw));

type Judged = Extract<Handled, { outcome: 'judged' }>;

export async function judged(one: Pair, hidden: readonly RawObject[], configurations: typeof whole, mayRead: boolean): Promise<Judged> {
  const { world, operation, before, dryRun, profile, reader, readable } = one;
  const { object } = world;
  const within = String(objectAt(object, 'metadata')['namespace']);
  const old = operation === 'CREATE' ? [] : [operation === 'DELETE' ? object : before];
  const held = resourcesOf([namespace(within), ...world.cluster, ...old, ...readable, ...hidden]);
  const snapshot = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(held);
  const byName = new Map(held.map((resource) => [formatRef(refOf(resource)), resource]));
  const mayList = mayListOf(reader);
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

export const bytesOf = ({ answer }: Judged): string => JSON.stringify(answer);
export const both = async (one: Pair, configurations = whole, mayRead = false): Promise<readonly [Judged, Judged]> => [
  await judged(one, one.hidden[0], configurations, mayRead),
  await judged(one, one.hidden[1], configurations, mayRead),
];

/** Whatever comes of them. */
export const findingsOf = ({ denials, warnings, audited }: Judged['decision']): readonly Finding[] => [
  ...denials,
  ...warnings.map(({ finding }) => finding),
  ...audited,
];

/** What a rule says, by field. */
type Said = ReadonlyMap<string, string>;

function saidOf({ decision }: Judged, ruleId: string): Said {
  return new Map(
    findingsOf(decision)
      .filter((one) => one.ruleId === ruleId)
      .map((one) => [formatPath(one.path), JSON.stringify(one)]),
  );
}

/** The answers are equal, but for what is declared; `met` counts that. */
export async function expectNoDifference(one: Pair, met: Map<string, number>): Promise<readonly [Judged, Judged]> {
  const [first, second] = await both(one);
  if (bytesOf(first) === bytesOf(second)) return [first, second];
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
  return [first, second];
}
