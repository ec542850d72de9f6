import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpenToOthers } from '../../src/cluster/dns-openness.ts';
import type { Resolver } from '../../src/cluster/resolver.ts';
import { type Answer, type Destination, flow } from '../../src/cluster/traffic/flow.ts';
import { type OraclePod, oracleAnswer } from '../oracle/traffic.ts';
import { runs } from '../support/figures.ts';
import { builtFrom, namespaceNames, trafficWorld } from '../support/traffic-worlds.ts';

const connection = fc.record({
  protocol: fc.constantFrom('TCP' as const, 'UDP' as const),
  port: fc.constantFrom(53, 80, 5353),
  serviceAddresses: fc.constantFrom<readonly string[] | undefined>([], ['10.96.0.10'], undefined),
});

/** What holds of all of them, or `depends`. */
function joined(answers: readonly Answer[]): Answer {
  const [first = 'depends', ...others] = answers;
  return others.every((other) => other === first) ? first : 'depends';
}

describe('traffic', () => {
  it('is what the API documentation says, for every pair of workloads', { timeout: 60_000 }, () => {
    const seen: Record<Answer, number> = { allowed: 0, denied: 0, depends: 0 };
    fc.assert(
      fc.property(trafficWorld, connection, (world, { protocol, port, serviceAddresses }) => {
        const { view, ends } = builtFrom(world);
        for (const [from, senders] of ends)
          for (const [workload, receivers] of ends) {
            const { answer, doubts } = flow(view, from, { workload, protocol, port, serviceAddresses });
            const each = senders.flatMap((sender) =>
              receivers.map((receiver) => oracleAnswer(world, { from: sender, to: receiver, protocol, port, serviceAddresses })),
            );
            // A label of single Pods is not looked up: unknown, and never wrong.
            const expected = answer === 'depends' && doubts.includes('label') ? 'depends' : joined(each);
            expect(answer).toBe(expected);
            expect(doubts.length > 0 || answer !== 'depends').toBe(true);
            seen[answer]++;
          }
      }),
      { numRuns: runs(20_000, 200_000) },
    );
    // The worlds are such that each answer is often right.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(2_000);
  });

  it('lets others in to the resolver exactly if some Pod of another namespace, there or to come, gets in', { timeout: 60_000 }, () => {
    const seen = { open: 0, closed: 0 };
    fc.assert(
      fc.property(trafficWorld, fc.constantFrom(53, 5353), (world, port) => {
        const { view, ends } = builtFrom(world);
        const toCome = namespaceNames.map(
          (namespace): OraclePod => ({ namespace, name: 'new', labels: {}, ips: undefined, hostNetwork: false, ports: [] }),
        );
        for (const [workload, receivers] of ends) {
          const destination: Destination = { workload, protocol: 'UDP', port, serviceAddresses: [] };
          const outside = [...ends.flatMap(([, pods]) => pods), ...toCome].filter(
            ({ namespace, hostNetwork }) => namespace !== workload.metadata.namespace && !hostNetwork,
          );
          // Their own egress is not the question: a Pod to come may be bound by none.
          const world2 = {
            ...world,
            policies: world.policies.filter(({ metadata }) => metadata.namespace === workload.metadata.namespace),
          };
          const answers = outside.flatMap((from) =>
            receivers.map((to) => oracleAnswer(world2, { from, to, protocol: 'UDP', port, serviceAddresses: [] })),
          );
          const resolver = { destinations: [destination], nodeAgents: [] } as unknown as Resolver;
          const open = isOpenToOthers(view, resolver);
          const exact = answers.some((answer) => answer !== 'denied');
          const aboutOnePod = JSON.stringify(world.policies).includes('pod-name');
          if (aboutOnePod || ends.some(([, pods]) => pods.some(({ hostNetwork }) => hostNetwork))) expect(open || !exact).toBe(true);
          else expect(open).toBe(exact);
          seen[open ? 'open' : 'closed']++;
        }
      }),
      { numRuns: runs(8_000, 80_000) },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(1_000);
  });
});
