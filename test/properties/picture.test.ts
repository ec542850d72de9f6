/** Workloads that the picture draws as one are one to every policy. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { flow } from '../../src/cluster/traffic/flow.ts';
import { alikeIn } from '../../src/picture/alike.ts';
import { runs } from '../support/figures.ts';
import { builtFrom, namespaceNames, trafficWorld } from '../support/traffic-worlds.ts';

it('each member of a set has the same flows as the one that stands for it', { timeout: 60_000 }, () => {
  let together = 0;
  fc.assert(
    fc.property(trafficWorld, fc.constantFrom(53, 80), (world, port) => {
      // Twice the same workloads: else few are alike.
      const { view, ends } = builtFrom({
        ...world,
        workloads: world.workloads.flatMap((one) => [one, { ...one, pods: [] }, { ...one, pods: [] }]),
      });
      const policies = view.listAll('NetworkPolicy');
      for (const { workload, members } of namespaceNames.flatMap((namespace) => alikeIn(view, namespace, policies))) {
        together += members.length - 1;
        for (const member of members)
          for (const [other] of ends.filter(([each]) => each !== workload && each !== member.workload)) {
            const to = { workload: other, protocol: 'TCP', port, serviceAddresses: [] } as const;
            expect(flow(view, member.workload, to).answer).toBe(flow(view, workload, to).answer);
            const back = { protocol: 'TCP', port, serviceAddresses: [] } as const;
            expect(flow(view, other, { ...back, workload: member.workload }).answer).toBe(flow(view, other, { ...back, workload }).answer);
          }
      }
    }),
    { numRuns: runs(300, 10_000) },
  );
  expect(together).toBeGreaterThan(50);
});
