import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allPorts,
  formatPorts,
  includes,
  intersection,
  noPorts,
  type Ports,
  portMatches,
  portsNamedBy,
  stretchesOf,
  union,
  without,
} from '../../../src/cluster/traffic/ports.ts';
import type { NetworkPolicyPort } from '../../../src/kube/policy-parts.ts';
import type { ContainerPort, Protocol, Workload } from '../../../src/kube/resources.ts';

const protocols: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];
const podWith = (...ports: ContainerPort[]): Workload => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'web' },
  pod: { labels: {}, ports, probePorts: [], hostNetwork: false, dnsPolicy: 'ClusterFirst', nameservers: [] },
});
const named = (...ports: NetworkPolicyPort[]): Ports => portsNamedBy(ports, { address: '192.0.2.1' });

/** The ends of the range, the middle of it, and neighbours: what is true there is true everywhere. */
const probed = [0, 1, 2, 3, 79, 80, 81, 82, 83, 65_534, 65_535, 65_536];
const membersOf = (ports: Ports): ReadonlySet<string> =>
  new Set(
    protocols.flatMap((protocol) => probed.filter((port) => includes(ports, { protocol, port })).map((port) => `${port}/${protocol}`)),
  );

const number = fc.constantFrom(...probed);
const portList = fc.array(
  fc.record({ protocol: fc.constantFrom(...protocols), port: number, endPort: number }, { requiredKeys: ['protocol'] }),
  { maxLength: 5 },
);

describe('sets of ports', () => {
  it('are joined, met and cut like sets', () => {
    fc.assert(
      fc.property(portList, portList, (one, other) => {
        const [a, b] = [named(...one), named(...other)];
        const [these, those] = [membersOf(a), membersOf(b)];
        expect(membersOf(union(a, b))).toEqual(these.union(those));
        expect(membersOf(intersection(a, b))).toEqual(these.intersection(those));
        expect(membersOf(without(a, b))).toEqual(these.difference(those));
        expect(union(a, b)).toEqual(union(b, a));
        expect(without(a, b).length === 0).toBe(these.isSubsetOf(those));
      }),
    );
  });

  it('hold a port exactly if the list names it', () => {
    fc.assert(
      fc.property(portList, fc.constantFrom(...protocols), fc.constantFrom(1, 2, 80, 82, 65_535), (list, protocol, port) => {
        const isNamed = list.some(
          (one) => one.protocol === protocol && (one.port === undefined || (one.port <= port && port <= (one.endPort ?? one.port))),
        );
        expect(includes(named(...list), { protocol, port })).toBe(isNamed);
        expect(portMatches(list, podWith(), { protocol, port })).toBe(isNamed);
      }),
    );
  });

  it.each([
    ['a range that runs backwards', { protocol: 'TCP', port: 90, endPort: 80 }],
    ['a number that no port has', { protocol: 'TCP', port: 70_000 }],
    ['no number', { protocol: 'TCP', port: Number.NaN }],
  ] as const)('hold nothing of %s', (_, port) => expect(named(port)).toEqual([]));

  it('cut a range at what can be a port', () => {
    expect(stretchesOf(named({ protocol: 'SCTP', port: -5, endPort: 99_999 }))).toEqual([{ protocol: 'SCTP', from: 1, to: 65_535 }]);
  });

  it('do not run from one protocol into the next', () => {
    const ends = named({ protocol: 'TCP', port: 65_535 }, { protocol: 'UDP', port: 1 });
    expect(stretchesOf(ends)).toHaveLength(2);
    expect(includes(ends, { protocol: 'TCP', port: 65_536 })).toBe(false);
  });

  it.each([
    [allPorts, 'any port'],
    [noPorts, ''],
    [named({ protocol: 'UDP' }), 'any UDP port'],
    [named({ protocol: 'UDP', port: 53 }, { protocol: 'TCP', port: 9000, endPort: 9010 }), '9000-9010/TCP, 53/UDP'],
    [named(...protocols.map((protocol) => ({ protocol }))), 'any port'],
    [named({ protocol: 'TCP' }, { protocol: 'UDP' }), 'any TCP port, any UDP port'],
    [without(allPorts, named({ protocol: 'SCTP', port: 1 })), 'any TCP port, any UDP port, 2-65535/SCTP'],
  ])('are told as %#', (ports, text) => expect(formatPorts(ports)).toBe(text));
});

describe('a named port', () => {
  const http: NetworkPolicyPort = { protocol: 'TCP', port: 'http' };

  it('is every port of that name and protocol of the destination, in whichever container', () => {
    const pod = podWith(
      { name: 'http', containerPort: 8080, protocol: 'TCP' },
      { name: 'http', containerPort: 8081, protocol: 'TCP' },
      { name: 'http', containerPort: 8080, protocol: 'UDP' },
      { containerPort: 9090, protocol: 'TCP' },
    );
    expect(formatPorts(portsNamedBy([http], pod))).toBe('8080-8081/TCP');
    expect(portMatches([http], pod, { protocol: 'TCP', port: 8081 })).toBe(true);
    expect(portMatches([http], pod, { protocol: 'UDP', port: 8080 })).toBe(false);
    expect(portMatches([http], pod, { protocol: 'TCP', port: 9090 })).toBe(false);
  });

  it('is none where the destination declares none, or is an address', () => {
    for (const destination of [podWith(), { address: '192.0.2.1' }]) {
      expect(portsNamedBy([http], destination)).toEqual([]);
      expect(portMatches([http], destination, { protocol: 'TCP', port: 80 })).toBe(false);
    }
  });
});
