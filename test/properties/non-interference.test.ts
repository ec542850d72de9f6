/**
 * Non-interference (reliability.md B3): two clusters that differ only in what the requester may not list give byte-equal
 * answers, whatever he writes. Otherwise `--dry-run=server` would be an oracle over every label in the cluster.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { objectAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { namespace, service } from '../admission/reviews.ts';
import {
  allReaders,
  apart,
  both,
  bytesOf,
  declared,
  expectNoDifference,
  mayListRaw,
  type Pair,
  profiles,
  withoutDeclared,
} from '../support/answer-pairs.ts';
import { runs } from '../support/figures.ts';
import { complete } from '../support/objects.ts';
import { ingress, inhabitants, policy, ruleWorld } from '../support/rule-worlds.ts';
import { dependentElsewhere, flannel, ovnKubernetes } from '../support/usual-objects.ts';

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

const pair: fc.Arbitrary<Pair> = fc
  .record({
    world: ruleWorld(kinds),
    other: ruleWorld(kinds),
    operation: fc.constantFrom('CREATE', 'CREATE', 'UPDATE', 'DELETE'),
    dryRun: fc.boolean(),
    profile: fc.constantFrom(...profiles),
    reader: fc.constantFrom(...allReaders),
    readable: everythingIn('readable'),
    hidden: fc.tuple(hiddenPart, hiddenPart),
  })
  .map(({ other, readable, hidden, ...rest }) => {
    const own = String(objectAt(rest.world.object, 'metadata')['namespace']);
    const before = { ...rest.world.object, spec: other.object['kind'] === rest.world.object['kind'] ? other.object['spec'] : {} };
    return {
      ...rest,
      before,
      readable: [namespace('readable'), ...readable.filter((raw) => mayListRaw(rest.reader, raw))],
      hidden: apart(own, rest.reader, hidden),
    };
  });

describe('what the requester may not list', () => {
  it('changes no byte of an answer', async () => {
    const met = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(pair, async (one) => {
        for (const answer of (await expectNoDifference(one, met)).map(bytesOf)) expect(answer).not.toMatch(/hidden-(?:one|two)/);
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
