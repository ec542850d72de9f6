/** A snapshot file keeps all that rules read: what they say of it is what they say of the cluster. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import type { ConfiguredRule, Rule } from '../../src/engine/rule.ts';
import { formatRef, type RawObject } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { runs } from '../support/figures.ts';
import { judgedOf } from '../support/rule-case.ts';
import { type RuleWorld, resourcesOf, ruleWorld } from '../support/rule-worlds.ts';
import { encoded, everywhere, throughFile } from '../support/snapshot-file.ts';

const options = (id: string): unknown =>
  id === 'service-node-port-policy' ? { ranges: [{ namespaceSelector: { matchLabels: { team: 'a' } }, ports: ['30100-30199'] }] } : {};

function answer(rule: ConfiguredRule, object: RawObject, snapshot: ClusterSnapshot) {
  const subject = judgedOf(object);
  const fetched = new Map(rule.fetches(subject, snapshot).map((ref) => [formatRef(ref), 'absent' as const]));
  const world = snapshot.knowing({ fetched }).with([subject]);
  const { findings, skipped, faults } = evaluate({ object: subject, operation: 'WRITE', before: undefined }, world, [rule], {
    tellsOfOthers: true,
  });
  return { findings, skipped, faults };
}

/** Secrets are in no view of a cluster. */
const listedOf = (objects: readonly RawObject[]) => resourcesOf(objects).filter(({ kind }) => kind !== 'Secret');

const snapshotOf = ({ object, cluster, unrelated }: RuleWorld): ClusterSnapshot =>
  ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(listedOf([...cluster, ...unrelated, object]));

describe.each(rules.map((rule): [string, Rule] => [rule.meta.id, rule]))('%s', (id, rule) => {
  const configured = rule.configure(options(id));
  const worlds = ruleWorld(rule.meta.kinds);

  it('says of the file what it says of the cluster', () =>
    fc.assert(
      fc.property(worlds, (world) => {
        const live = snapshotOf(world);
        expect(answer(configured, world.object, throughFile(live).snapshot)).toEqual(answer(configured, world.object, live));
      }),
      { numRuns: runs(60, 1_000) },
    ));
});

describe('the text', () => {
  it('is the same in whatever order the objects came, and what was there before', () =>
    fc.assert(
      fc.property(ruleWorld(['Service', 'Ingress', 'NetworkPolicy']), (world) => {
        const live = snapshotOf(world);
        const all = listedOf([...world.cluster, ...world.unrelated, world.object]);
        const gone = resourcesOf([{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'gone', namespace: 'shop' }, spec: {} }]);
        const inTurn = all.toReversed().reduce((snapshot, one) => snapshot.with([one]), live.without(all).with(gone));
        expect(encoded(inTurn.without(gone), everywhere)).toBe(encoded(live, everywhere));
      }),
      { numRuns: runs(60, 1_000) },
    ));
});
