import { describe, expect, it } from 'vitest';
import { asServed, whoAnswersOn } from '../../src/cluster/external-ips.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject, Service } from '../../src/kube/resources.ts';

const service = (name: string, spec: RawObject, ip?: string): Service =>
  normalize({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec,
    status: ip === undefined ? {} : { loadBalancer: { ingress: [{ ip }] } },
  }) as Service;

const dying = (service: Service): Service => ({ ...service, metadata: { ...service.metadata, deletionTimestamp: '2026-11-20T00:00:00Z' } });

describe('whoAnswersOn', () => {
  const subject = service('web', { clusterIP: '10.96.0.9', ports: [{ port: 443 }] }, '203.0.113.9');
  const held = [
    subject,
    service('dns', { clusterIP: '10.96.0.10', ports: [{ port: 53, protocol: 'UDP' }] }),
    service('edge', { ports: [{ port: 443 }] }, '203.0.113.5'),
    service('v6', { clusterIP: 'fd00::10', ports: [{ port: 53 }] }, 'FD00::0:20'),
    service('old', { clusterIP: '010.096.0.11', ports: [{ port: 53 }] }),
    dying(service('dying', { clusterIP: '10.96.0.12', ports: [{ port: 443 }] }, '203.0.113.7')),
    service('udp', { ports: [{ port: 443, protocol: 'UDP' }] }, '203.0.113.6'),
  ];
  const known = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(held);
  const told = (address: string): readonly string[] =>
    (whoAnswersOn([asServed(address)], subject, known, () => {}).get(asServed(address)) ?? []).map(
      ({ service: { metadata }, by }) => `${metadata.name}: ${by}`,
    );

  it.each([
    ['10.96.0.10', ['dns: clusterIP']],
    ['203.0.113.5', ['edge: load balancer address']],
    ['203.0.113.6', []],
    ['10.96.0.9', []],
    ['203.0.113.9', []],
    ['192.0.2.1', []],
    ['FD00:0::10', ['v6: clusterIP']],
    ['fd00::20', []],
    ['10.96.0.11', ['old: clusterIP']],
    ['::ffff:10.96.0.10', ['dns: clusterIP']],
    ['10.96.0.12', []],
    ['203.0.113.7', []],
  ])('%s: %j', (address, expected) => expect(told(address)).toEqual(expected));

  it('reads the addresses of each Service once, whatever asks, and looks at the clock meanwhile', () => {
    let reads = 0;
    let steps = 0;
    const other = service('dns', { clusterIP: '10.96.0.10', ports: [{ port: 53 }] });
    const spec = new Proxy(other.spec, {
      get(target, key) {
        if (key === 'clusterIPs') reads++;
        return Reflect.get(target, key);
      },
    });
    const world = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with([subject, { ...other, spec }]);
    for (const address of ['10.96.0.10', '192.0.2.1', '10.96.0.10']) whoAnswersOn([address], subject, world, () => steps++);
    expect([reads, steps]).toEqual([1, 6]);
  });
});
