import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { node, PodAddresses } from '../../src/cluster/pod-addresses.ts';
import { type ClusterEvent, ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Pod } from '../../src/kube/resources.ts';
import { runs } from '../support/figures.ts';

const empty = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' });
const podKind = { collection: 'Pod', apiVersion: 'v1', kind: 'Pod' } as const;

interface Told {
  readonly namespace?: string;
  readonly name?: string;
  readonly ips?: readonly string[];
  readonly hostNetwork?: boolean;
}

const pod = ({ namespace = 'shop', name = 'web', ips = ['10.0.0.1'], hostNetwork = false }: Told = {}): Pod =>
  normalize({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name },
    spec: { hostNetwork, containers: [] },
    status: { phase: 'Running', podIPs: ips.map((ip) => ({ ip })) },
  }) as Pod;

function following(...steps: readonly ClusterSnapshot[]): PodAddresses {
  const addresses = new PodAddresses();
  for (const step of steps) addresses.follow(step);
  return addresses;
}

describe('an address', () => {
  it('is that of the running Pod that has it, in each of its families', () => {
    const addresses = following(empty.with([pod({ ips: ['10.0.0.1', 'fd00::1'] })]));
    expect(addresses.namespacesAt('10.0.0.1')).toEqual(['shop']);
    expect(addresses.namespacesAt('fd00::1')).toEqual(['shop']);
    expect(addresses.namespacesAt('10.0.0.2')).toEqual([]);
    expect(addresses.namespacesAt('')).toEqual([]);
  });

  it('is the same, seen by a socket that listens on both families', () => {
    expect(following(empty.with([pod()])).namespacesAt('::ffff:10.0.0.1')).toEqual(['shop']);
  });

  it('of a Pod on the host network is the node’s, whoever else claims it', () => {
    const agent = pod({ namespace: 'kube-system', name: 'proxy', hostNetwork: true });
    expect(following(empty.with([agent])).namespacesAt('10.0.0.1')).toEqual([node]);
    expect(
      following(empty.with([agent, pod()]))
        .namespacesAt('10.0.0.1')
        .toSorted(),
    ).toEqual([node, 'shop']);
  });

  it('is nobody’s when the Pod has none yet, has ended, or is gone', () => {
    const running = empty.with([pod()]);
    expect(following(empty.with([pod({ ips: [] })])).size).toBe(0);
    expect(following(running, running.without([pod()])).size).toBe(0);
  });

  it('that was given on belongs to both until the old Pod is gone, in whichever order that is told', () => {
    const [old, next] = [pod({ name: 'old' }), pod({ namespace: 'bank', name: 'next' })];
    const both = empty.with([old, next]);
    expect(
      following(empty.with([old]), both)
        .namespacesAt('10.0.0.1')
        .toSorted(),
    ).toEqual(['bank', 'shop']);
    expect(following(empty.with([old]), both, both.without([old])).namespacesAt('10.0.0.1')).toEqual(['bank']);
    const late = both.without([old]).with([pod({ name: 'old' })]);
    expect(following(both, late, late.without([old])).namespacesAt('10.0.0.1')).toEqual(['bank']);
  });
});

const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1');
const told: fc.Arbitrary<Told> = fc.record({
  namespace: fc.constantFrom('shop', 'bank', '__proto__'),
  name: fc.constantFrom('a', 'b', 'c', 'constructor'),
  ips: fc.uniqueArray(address, { maxLength: 2 }),
  hostNetwork: fc.boolean(),
});
const events = fc.array(
  fc.tuple(told, fc.boolean()).map(([one, gone]): ClusterEvent => ({ object: pod(one), gone })),
  { maxLength: 12 },
);

it('after any events and lists, every address is told as a look through all Pods tells it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(events, fc.boolean()), { maxLength: 6 }), (steps) => {
      const addresses = new PodAddresses();
      const truth = new Map<string, Pod>();
      let snapshot = empty;
      for (const [batch, isList] of steps) {
        if (isList) truth.clear();
        for (const { object, gone } of batch) {
          const key = `${object.metadata.namespace}/${object.metadata.name}`;
          if (gone) truth.delete(key);
          else truth.set(key, object as Pod);
        }
        snapshot = isList ? snapshot.adopting(podKind, empty.applying(batch)) : snapshot.applying(batch);
        addresses.follow(snapshot);
        expect(listed(addresses)).toEqual(expected(truth.values()));
      }
    }),
    { numRuns: runs(300, 20_000) },
  );
});

const all = ['10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1'];
const listed = (addresses: PodAddresses) => all.map((ip) => [ip, addresses.namespacesAt(ip).toSorted()]);
function expected(pods: Iterable<Pod>) {
  const held = [...pods];
  const claimants = (ip: string) => held.filter(({ record }) => record.ips.split(',').includes(ip));
  return all.map((ip) => [
    ip,
    claimants(ip)
      .map(({ pod: { hostNetwork }, metadata }) => (hostNetwork ? node : metadata.namespace))
      .toSorted(),
  ]);
}
