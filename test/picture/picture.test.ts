import { globSync, readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import type { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { dotOf } from '../../src/picture/dot.ts';
import { mermaidOf } from '../../src/picture/mermaid.ts';
import { partsOf } from '../../src/picture/parts.ts';
import { fullTitle, type Picture, type PictureEdge, type PictureNode } from '../../src/picture/picture.ts';
import { pictureOf } from '../../src/picture/picture-of.ts';
import { snapshotOf } from '../admission/reviews.ts';
import { finding } from '../reports/sample.ts';

const cluster = (...texts: readonly string[]): ClusterSnapshot => snapshotOf(...texts.flatMap((text) => loadAll(text) as RawObject[]));
const example = cluster(...globSync('examples/cluster/*.yaml').map((file) => readFileSync(file, 'utf8')));

/** `A → B state kind label`. */
function linesOf({ nodes, edges }: Picture): readonly string[] {
  const titles = new Map(nodes.map((node) => [node.id, fullTitle(node)]));
  return edges.map(({ from, to, state, kind, label }) => `${titles.get(from)} → ${titles.get(to)} ${state} ${kind} ${label}`.trim()).sort();
}

const about = (kind: 'Service' | 'Ingress' | 'NetworkPolicy', name: string, path: Finding['path'], more: Partial<Finding> = {}): Finding =>
  finding({
    subject: { apiVersion: kind === 'Service' ? 'v1' : 'networking.k8s.io/v1', kind, namespace: 'shop', name },
    path,
    what: 'it is wrong',
    ruleId: 'some-rule',
    ...more,
  });

it('the example cluster: ways in, Services, DNS, and what policies let through', () => {
  expect(linesOf(pictureOf(example))).toMatchSnapshot();
  expect(pictureOf(example)).toEqual(pictureOf(example));
});

describe('ways in', () => {
  const shop = `
{ apiVersion: v1, kind: Service, metadata: { namespace: shop, name: web }, spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }, { port: 81, targetPort: 81 }] } }
---
{ apiVersion: apps/v1, kind: Deployment, metadata: { namespace: shop, name: web }, spec: { template: { metadata: { labels: { app: web } }, spec: { containers: [{ ports: [{ name: http, containerPort: 8080 }] }] } } } }
---
{ apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: { namespace: shop, name: in }, spec: { tls: [{ secretName: gone }], defaultBackend: { service: { name: nobody, port: { number: 80 } } } } }`;

  it.each<readonly [string, readonly Finding[], readonly string[]]>([
    [
      'a port that leads nowhere',
      [about('Service', 'web', ['spec', 'ports', 1, 'targetPort'])],
      ['Service web (shop) → Deployment web (shop) broken serve 81→81', 'Service web (shop) → Deployment web (shop) works serve 80→http'],
    ],
    [
      'a hint of low severity',
      [about('Service', 'web', ['spec', 'ports', 0], { severity: 'low' })],
      ['Service web (shop) → Deployment web (shop) works serve 80→http and 81→81'],
    ],
    [
      'a Secret that is missing',
      [about('Ingress', 'in', ['spec', 'tls', 0, 'secretName'])],
      ['Ingress in (shop) → Secret gone (shop) broken tls there is no such Secret'],
    ],
    ['a Service that is missing', [], ['Ingress in (shop) → Service nobody (shop) broken route there is no such Service']],
  ])('%s', (_, findings, expected) => {
    expect(linesOf(pictureOf(cluster(shop), findings))).toEqual(expect.arrayContaining([...expected]));
    const broken = expected.filter((line) => line.includes(' broken ')).length;
    expect(
      linesOf(pictureOf(cluster(shop), findings)).filter((line) => line.includes(' broken ') && !line.includes('nobody')),
    ).toHaveLength(expected.some((line) => line.includes('nobody')) ? 0 : broken);
  });

  it('names that lead nowhere, found or not: a snapshot is drawn that nobody has judged', () => {
    const named = shop
      .replace('name: http', 'name: web')
      .replace('name: nobody, port: { number: 80 }', 'name: web, port: { number: 8080 }');
    expect(linesOf(pictureOf(cluster(named)))).toEqual([
      'Ingress in (shop) → Service web (shop) broken route no port 8080',
      'Outside the cluster → Ingress in (shop) works entry',
      'Service web (shop) → Deployment web (shop) broken serve 80→http',
      'Service web (shop) → Deployment web (shop) works serve 81→81',
    ]);
  });

  it('a node port where none may be, beside the one that may', () => {
    const service =
      '{ apiVersion: v1, kind: Service, metadata: { namespace: shop, name: web }, spec: { type: NodePort, ports: [{ port: 80, nodePort: 30001 }, { port: 81, nodePort: 30002 }] } }';
    expect(linesOf(pictureOf(cluster(service), [about('Service', 'web', ['spec', 'ports', 1, 'nodePort'])]))).toEqual([
      'Outside the cluster → Service web (shop) broken entry node port 30002',
      'Outside the cluster → Service web (shop) works entry NodePort: node port 30001',
    ]);
  });

  it('a selector that selects nothing, with the finding that says so', () => {
    const alone = cluster(shop.split('---')[0] as string);
    const { edges } = pictureOf(alone, [about('Service', 'web', ['spec', 'selector'])]);
    expect(edges).toEqual([expect.objectContaining({ state: 'broken', label: 'selects no Pod', why: 'it is wrong (some-rule)' })]);
    const found = [about('Service', 'web', ['spec', 'ports', 0])];
    for (const { edges: unsaid } of [pictureOf(alone), pictureOf(alone, found)])
      expect(unsaid).toEqual([expect.objectContaining({ state: 'broken', why: 'no workload carries these labels' })]);
    expect(pictureOf(alone.knowing({ coverage: () => 'notGiven' })).edges).toEqual([]);
  });
});

describe('policies', () => {
  const workload = (namespace: string, name: string): string =>
    `{ apiVersion: apps/v1, kind: Deployment, metadata: { namespace: ${namespace}, name: ${name} }, spec: { template: { metadata: { labels: { app: ${name} } }, spec: { containers: [{ ports: [{ containerPort: 80 }] }] } } } }`;
  const closed = (peers: string): string =>
    `{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { namespace: a, name: closed }, spec: { podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress], ingress: [{ from: [${peers}] }] } }`;
  const among = (namespace: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => workload(namespace, `w${index}`));
  const policyLines = (picture: Picture): readonly string[] => linesOf(picture).filter((line) => line.includes(' policy '));

  it('draw few workloads one by one, and the rest of a namespace as one', () => {
    const all = [workload('a', 'db'), ...among('a', 5), ...among('b', 2)];
    expect(policyLines(pictureOf(cluster(...all, closed('{ podSelector: {} }'))))).toEqual([
      'every workload of a → Deployment db (a) works policy 80/TCP',
    ]);
    expect(
      policyLines(
        pictureOf(cluster(...all, closed('{ podSelector: { matchExpressions: [{ key: app, operator: NotIn, values: [w1] }] } }'))),
      ),
    ).toEqual(['every workload of a → Deployment db (a) works policy 80/TCP, but Deployment w1']);
    expect(policyLines(pictureOf(cluster(...all, closed('{ podSelector: { matchLabels: { app: w3 } } }'))))).toEqual([
      'Deployment w3 (a) → Deployment db (a) works policy 80/TCP',
    ]);
  });

  it('say of many namespaces at once what is true of all', () => {
    const all = ['a', 'b', 'c', 'd'].flatMap((namespace) => among(namespace, 2));
    const lines = policyLines(pictureOf(cluster(workload('a', 'db'), ...all, closed('{ namespaceSelector: {} }'))));
    expect(lines).toEqual(['every workload of a, b, c and d → Deployment db (a) works policy 80/TCP']);
  });

  it('depend on the plugin where a block may cover Pods, and name the addresses', () => {
    const { nodes, edges } = pictureOf(cluster(workload('a', 'db'), workload('a', 'web'), closed('{ ipBlock: { cidr: 10.0.0.0/8 } }')));
    expect(edges.map(({ state }) => state).sort()).toEqual(['depends', 'works']);
    expect(nodes.map(({ title }) => title)).toContain('Addresses 10.0.0.0/8');
    expect(edges.find(({ state }) => state === 'depends')?.why).toBe('network plugins differ on whether an ipBlock covers Pods');
  });

  it('tell what they let only some ports through', () => {
    const two = workload('a', 'db').replace('[{ containerPort: 80 }]', '[{ containerPort: 80 }, { containerPort: 81 }]');
    const policy = closed('{ podSelector: {} }').replace('from:', 'ports: [{ port: 81 }], from:');
    expect(policyLines(pictureOf(cluster(two, workload('a', 'web'), policy)))).toEqual([
      'Deployment web (a) → Deployment db (a) works policy 81/TCP',
    ]);
  });

  it('are asked about the ports that they name, where workloads declare none', () => {
    const [db, web] = [workload('a', 'db'), workload('a', 'web')].map((one) => one.replace('{ containerPort: 80 }', ''));
    const only = (ports: string): readonly string[] =>
      policyLines(pictureOf(cluster(db as string, web as string, closed('{ podSelector: {} }').replace('from:', `${ports} from:`))));
    expect(only('ports: [{ port: 5432 }],')).toEqual(['Deployment web (a) → Deployment db (a) works policy 5432/TCP']);
    expect(only('ports: [{ protocol: TCP }],')).toEqual(['Deployment web (a) → Deployment db (a) works policy any TCP port']);
    expect(only('')).toEqual(['Deployment web (a) → Deployment db (a) works policy any port']);
  });

  it('are asked of two that are alike as of any two', () => {
    const all =
      '{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { namespace: a, name: none }, spec: { podSelector: {}, policyTypes: [Ingress] } }';
    expect(policyLines(pictureOf(cluster(...among('a', 2), all)))).toEqual([]);
    const among2 = all.replace('[Ingress]', '[Ingress], ingress: [{ from: [{ podSelector: {} }] }]');
    expect(policyLines(pictureOf(cluster(...among('a', 2), among2)))).toEqual([
      'Deployment w0 (a) → Deployment w1 (a) works policy 80/TCP',
      'Deployment w1 (a) → Deployment w0 (a) works policy 80/TCP',
    ]);
  });

  it('mark what they close, also where it is drawn for another reason', () => {
    const service =
      '{ apiVersion: v1, kind: Service, metadata: { namespace: a, name: s }, spec: { selector: { app: db }, ports: [{ port: 80 }] } }';
    const { nodes } = pictureOf(cluster(workload('a', 'db'), service, closed('')));
    expect(nodes.find(({ kind }) => kind === 'workload')?.isolated).toEqual(['Ingress']);
  });

  it('are left out, and that is said, when they are too many', () => {
    const all = cluster(workload('a', 'db'), ...among('a', 30), closed('{ podSelector: { matchLabels: { app: w3 } } }'));
    const { omitted } = pictureOf(all, [], { steps: 40 });
    expect(omitted.join()).toContain('too many NetworkPolicies to work out all of what they say; left out, at least in part: a');
    expect(pictureOf(all).omitted.join()).not.toContain('too many');
  });

  it('that cut workloads off their DNS break the edge to it where a finding says so', () => {
    const dns = readFileSync('examples/cluster/10-coredns.yaml', 'utf8');
    const policy =
      '{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { namespace: shop, name: closed }, spec: { podSelector: {}, policyTypes: [Egress] } }';
    const world = cluster(dns, workload('shop', 'web'), policy);
    const dnsEdge = (picture: Picture): PictureEdge | undefined => picture.edges.find(({ kind }) => kind === 'dns');
    expect(dnsEdge(pictureOf(world, [about('NetworkPolicy', 'closed', ['spec', 'egress'])]))).toMatchObject({
      state: 'broken',
      why: 'it is wrong (some-rule)',
    });
    expect(dnsEdge(pictureOf(world))).toMatchObject({ state: 'blocked' });
  });
});

describe('parts', () => {
  const nodes = (count: number, namespace: string): readonly PictureNode[] =>
    Array.from({ length: count }, (_, index) => ({
      id: `${namespace}${index}`,
      kind: 'service',
      namespace,
      title: `Service ${index}`,
      isolated: [],
    }));
  const star = (all: readonly PictureNode[], state: PictureEdge['state'] = 'works'): readonly PictureEdge[] =>
    all.slice(1).map(({ id }) => ({ from: (all[0] as PictureNode).id, to: id, kind: 'serve', state, label: '', why: '' }));

  it('are one while it is small; what has no edge is counted', () => {
    const few = nodes(9, 'a');
    const { parts, omitted } = partsOf({ nodes: [...few, ...nodes(2, 'b')], edges: star(few), omitted: [] });
    expect(parts.map(({ namespace, nodes: { length } }) => [namespace, length])).toEqual([['', 9]]);
    expect(omitted).toEqual(['2 objects are not drawn: nothing leads there, and no policy speaks of them.']);
    expect(partsOf({ nodes: few, edges: [], omitted: ['x'] })).toMatchObject({ parts: [] });
  });

  it('are one for each namespace when it is not, what is broken first, and no more than can be read', () => {
    const [a, b] = [nodes(400, 'a'), nodes(5, 'b')];
    const { parts } = partsOf({ nodes: [...a, ...b], edges: [...star(a), ...star(b, 'broken')], omitted: [] });
    expect(parts.map(({ namespace, nodes: { length } }) => [namespace, length])).toEqual([
      ['b', 5],
      ['a', 150],
    ]);
    expect(parts[1]?.omitted).toEqual(['250 of 399 connections are left out here; the table below has all.']);
    const many = Array.from({ length: 50 }, (_, index) => nodes(3, `n${index}`));
    const cut = partsOf({ nodes: many.flat(), edges: many.flatMap((one) => star(one)), omitted: [] });
    expect(cut.parts).toHaveLength(40);
    expect(cut.omitted.join()).toContain('Namespaces whose picture is left out: ');
  });
});

it('as Mermaid: the same nodes and edges', () => {
  const picture = pictureOf(example);
  const lines = mermaidOf(picture).split('\n');
  expect(lines.filter((line) => /^ {2}n\d+ -/.test(line))).toHaveLength(picture.edges.length);
  expect(lines).toContain('  n0["Ingress shop"]');
});

it('as DOT: text is text', () => {
  const hostile = 'a"]; b -> c [label="<b>&lt;\\N\\\n\u202e\\';
  const text = dotOf({ nodes: [{ id: 'x', kind: 'service', namespace: hostile, title: hostile, isolated: [] }], edges: [], omitted: [] });
  expect(text).toContain('label="a\\"]; b -> c [label=\\"<b>&amp;lt;\\\\N\\\\ ?\\\\"');
});
