/** The engine says what the documentation says: on tables computed by hand, and on worlds in which every field of a NetworkPolicy says everything it can. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { type Answer, flow } from '../../src/cluster/traffic/flow.ts';
import { includes } from '../../src/cluster/traffic/ports.ts';
import { trafficOf } from '../../src/cluster/traffic/traffic.ts';
import type { ClusterView } from '../../src/cluster/view.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { fileSource } from '../../src/sources/file-source.ts';
import { manifestsIn } from '../../src/sources/manifests.ts';
import { differences } from '../oracle/comparison.ts';
import { readFixtures } from '../oracle/fixtures.ts';
import type { RawWorld } from '../oracle/raw-objects.ts';
import { outsiders, worlds } from '../oracle/worlds.ts';
import { runs } from '../support/figures.ts';

const minutes = 60_000;

const objectsOf = ({ namespaces, pods, policies }: RawWorld): readonly RawObject[] =>
  [...namespaces, ...pods, ...policies] as readonly unknown[] as readonly RawObject[];

const viewOf = (world: RawWorld): ClusterView =>
  ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(objectsOf(world).flatMap((raw) => normalize(raw) ?? []));

/** The same as a user would give it to us. */
function viewOfFiles(world: RawWorld): ClusterView {
  const text = objectsOf(world)
    .map((raw) => JSON.stringify(raw, undefined, 1))
    .join('\n---\n');
  const { manifests, errors } = manifestsIn({ files: [{ file: 'world.yaml', text, argument: 0 }], errors: [] }, ['world.yaml'], {});
  expect(errors).toEqual([]);
  return fileSource(manifests, { observedAt: 0 }).current();
}

/** On which node a Pod is the engine does not ask: tomorrow it is on another. */
const onNoNode = (world: RawWorld): RawWorld => ({
  ...world,
  pods: world.pods.map((pod) => ({ ...pod, spec: { ...pod.spec, nodeName: undefined } })),
});

describe('the engine and the oracle', () => {
  it.each(readFixtures())('$name', ({ world: given, expected }) => {
    const world = onNoNode(given);
    const ports = expected.map(({ question: { protocol, port } }) => ({ protocol, port }));
    const addresses = expected.flatMap(({ question: { from, to } }) => [from, to].flatMap((party) => ('pod' in party ? [] : [party.ip])));
    expect(differences(world, viewOfFiles(world), [{ protocol: 'TCP', port: 80 }, ...ports], addresses)).toEqual([]);
  });

  it('agree about all Pods, addresses and ports of a world', { timeout: runs(1, 120) * minutes }, () => {
    fc.assert(
      fc.property(worlds, fc.subarray([...outsiders], { maxLength: 1 }), (world, addresses) => {
        expect(differences(world, viewOf(world), world.ports, addresses)).toEqual([]);
      }),
      { numRuns: runs(3_000, 100_000) },
    );
  });

  // Files often hold no Namespace: docs/decisions/0027.
  it('say of namespaces that are not given nothing that their labels could contradict', { timeout: runs(1, 60) * minutes }, () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(worlds, (world) => {
        const [whole, bare] = [viewOf(world), viewOf({ ...world, namespaces: [] })];
        const table = trafficOf(bare);
        for (const from of bare.listAll('Pod'))
          for (const workload of bare.listAll('Pod'))
            for (const port of world.ports) {
              const to = { ...port, workload, serviceAddresses: [] };
              const [known, said] = [flow(whole, from, to).answer, flow(bare, from, to).answer];
              met.add(`${known}, ${said}`);
              if (said !== 'depends') expect(said).toBe(known);
              const [source, destination] = [table.groupOf(from), table.groupOf(workload)];
              if (from === workload || source === undefined || destination === undefined) continue;
              const { allowed, depends } = table.between(source, destination);
              const inTheTable: Answer = includes(allowed, port) ? 'allowed' : includes(depends, port) ? 'depends' : 'denied';
              expect(inTheTable).toBe(said);
            }
      }),
      { numRuns: runs(2_000, 5_000) },
    );
    expect(['allowed, depends', 'denied, depends', 'denied, denied', 'allowed, allowed'].filter((one) => !met.has(one))).toEqual([]);
  });

  it('agree about worlds that come from files', { timeout: runs(1, 60) * minutes }, () => {
    fc.assert(
      fc.property(worlds, (world) => {
        expect(differences(world, viewOfFiles(world), world.ports)).toEqual([]);
      }),
      { numRuns: runs(200, 5_000) },
    );
  });
});
