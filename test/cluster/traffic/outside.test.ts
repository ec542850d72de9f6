/** Connections that begin or end outside the cluster, or at one of its nodes. */
import { describe, expect, it } from 'vitest';
import { ClusterSnapshot } from '../../../src/cluster/snapshot.ts';
import { type Answer, allowedPorts, type Doubt, flow, type Outside } from '../../../src/cluster/traffic/flow.ts';
import { includes } from '../../../src/cluster/traffic/ports.ts';
import { normalize } from '../../../src/kube/normalize.ts';
import type { RawObject, Workload } from '../../../src/kube/resources.ts';

const web: RawObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } },
  spec: { containers: [{ name: 'web', ports: [{ name: 'http', containerPort: 8080 }] }] },
  status: { podIPs: [{ ip: '10.0.0.1' }] },
};

function under(spec: RawObject): { readonly view: ClusterSnapshot; readonly pods: Workload } {
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'policy', namespace: 'shop' },
    spec: { podSelector: {}, ...spec },
  };
  const view = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(
    [web, policy].flatMap((raw) => normalize(raw) ?? []),
  );
  return { view, pods: view.workloads('shop')[0] as Workload };
}

interface Said {
  readonly answer: Answer;
  readonly doubts: readonly Doubt[];
}

const port = { protocol: 'TCP', port: 8080 } as const;

/** The answer for one port, which that for all ports has to agree with. */
function fromOutside(from: Outside, ...ingress: readonly RawObject[]): Said {
  const { view, pods } = under({ policyTypes: ['Ingress'], ingress });
  const to = { workload: pods, ...port, serviceAddresses: [] };
  const said = flow(view, from, to);
  const all = allowedPorts(view, from, to);
  expect([includes(all.allowed, port), includes(all.depends, port)]).toEqual([said.answer === 'allowed', said.answer === 'depends']);
  return said;
}

function toOutside(outside: Outside, serviceAddresses: readonly string[] | undefined, ...egress: readonly RawObject[]): Said {
  const { view, pods } = under({ policyTypes: ['Egress'], egress });
  const to = { workload: outside, ...port, serviceAddresses };
  const said = flow(view, pods, to);
  const all = allowedPorts(view, pods, to);
  expect([includes(all.allowed, port), includes(all.depends, port)]).toEqual([said.answer === 'allowed', said.answer === 'depends']);
  return said;
}

const block = (cidr: string, ...except: readonly string[]): RawObject => ({ ipBlock: { cidr, ...(except.length > 0 && { except }) } });

describe('an address outside', () => {
  const here: Outside = { address: '203.0.113.7' };

  it.each<readonly [string, RawObject, Answer]>([
    ['a block that holds it', { from: [block('203.0.113.0/24')] }, 'allowed'],
    ['every IPv4 address', { from: [block('0.0.0.0/0')] }, 'allowed'],
    ['every IPv6 address', { from: [block('::/0')] }, 'denied'],
    ['a block that excepts it', { from: [block('203.0.113.0/24', '203.0.113.4/30')] }, 'denied'],
    ['a block that excepts another', { from: [block('203.0.113.0/24', '203.0.113.8/30')] }, 'allowed'],
    [
      'one block that excepts it and one that does not',
      { from: [block('0.0.0.0/0', '203.0.113.0/24'), block('203.0.113.7/32')] },
      'allowed',
    ],
    ['every Pod of every namespace', { from: [{ namespaceSelector: {}, podSelector: {} }] }, 'denied'],
    ['nobody in particular', {}, 'allowed'],
    ['a named port of the Pod', { ports: [{ port: 'http' }] }, 'allowed'],
    ['another port', { ports: [{ port: 8081 }] }, 'denied'],
  ])('gets in by %s', (_, rule, answer) => expect(fromOutside(here, rule)).toMatchObject({ answer, doubts: [] }));

  it('of IPv6 is held by blocks of IPv6, however it is written', () => {
    const six: Outside = { address: '2001:DB8:0:0::7' };
    expect(fromOutside(six, { from: [block('2001:db8::/64')] }).answer).toBe('allowed');
    expect(fromOutside(six, { from: [block('2001:db8::/64', '2001:db8::/125')] }).answer).toBe('denied');
    expect(fromOutside(six, { from: [block('0.0.0.0/0')] }).answer).toBe('denied');
  });

  it.each(['010.0.0.0/8', '10.0.0.0/33', '10.0.0.0', '::ffff:0:0/96', 'all', '', '1.2.3.4/5/6'])(
    'is not judged by %j, which plugins read as they like',
    (cidr) => {
      expect(fromOutside(here, { from: [block(cidr)] })).toMatchObject({ answer: 'depends', doubts: ['block'] });
      expect(fromOutside(here, { from: [block(cidr)] }, {}).answer).toBe('allowed');
    },
  );

  it('is not judged by an exception that cannot be read, if the block holds it', () => {
    expect(fromOutside(here, { from: [block('203.0.113.0/24', '203.0.113/30')] })).toMatchObject({ answer: 'depends', doubts: ['block'] });
    expect(fromOutside(here, { from: [block('198.51.100.0/24', '203.0.113/30')] }).answer).toBe('denied');
  });

  it('gets in where nothing isolates, and answers as an address that is none', () => {
    const { view, pods } = under({ policyTypes: ['Egress'] });
    expect(flow(view, { address: 'nonsense' }, { workload: pods, ...port, serviceAddresses: [] }).answer).toBe('allowed');
    expect(fromOutside({ address: 'nonsense' }, { from: [block('0.0.0.0/0')] }).doubts).toEqual(['block']);
  });

  it('is reached by block alone, and by no named port', () => {
    expect(toOutside(here, [], { to: [block('203.0.113.0/24')] }).answer).toBe('allowed');
    expect(toOutside(here, [], { to: [{ namespaceSelector: {} }] }).answer).toBe('denied');
    expect(toOutside(here, [], { ports: [{ port: 'http' }] }).answer).toBe('denied');
    expect(toOutside(here, [], { ports: [{ port: 8080 }] }).answer).toBe('allowed');
  });

  it('behind a Service is judged before or after its translation', () => {
    const rule = { to: [block('203.0.113.0/24')] };
    expect(toOutside(here, ['10.96.0.9'], rule)).toMatchObject({ answer: 'depends', doubts: ['address'] });
    expect(toOutside(here, undefined, rule)).toMatchObject({ answer: 'depends', doubts: ['address'] });
    expect(toOutside(here, ['10.96.0.9'], { to: [block('203.0.113.0/24'), block('10.96.0.0/12')] }).answer).toBe('depends');
    expect(toOutside(here, ['10.96.0.9'], { to: [block('0.0.0.0/0')] }).answer).toBe('allowed');
    expect(toOutside(here, ['10.96.0.9'], { to: [block('192.0.2.0/24')] }).answer).toBe('denied');
  });
});

describe('an address of a node', () => {
  const node: Outside = { address: '192.168.0.5', ofNode: true };

  it('always gets to the Pods of that node, and which node it is nobody says', () => {
    expect(fromOutside(node)).toMatchObject({ answer: 'depends', doubts: ['sameNode'] });
    expect(fromOutside({ address: node.address })).toMatchObject({ answer: 'denied', doubts: [] });
  });

  it('is held by a block as the plugin likes', () => {
    expect(fromOutside(node, { from: [block('192.168.0.0/16')] })).toMatchObject({ answer: 'depends', doubts: ['address', 'sameNode'] });
    expect(toOutside(node, [], { to: [block('192.168.0.0/16')] })).toMatchObject({ answer: 'depends', doubts: ['address'] });
    expect(toOutside(node, [], { to: [block('10.0.0.0/8')] }).answer).toBe('denied');
  });
});
