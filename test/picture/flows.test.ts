/** Who may talk to whom: the same answers as connection by connection, put together and named. */
import { globSync, readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import type { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { type Answer, flow } from '../../src/cluster/traffic/flow.ts';
import { includes } from '../../src/cluster/traffic/ports.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { explainedFlow } from '../../src/picture/explained-flow.ts';
import { flowDifference } from '../../src/picture/flow-difference.ts';
import { flowMapOf } from '../../src/picture/flow-map.ts';
import { flowPicture } from '../../src/picture/flow-picture.ts';
import { flowReport } from '../../src/picture/flow-report.ts';
import type { FlowSet } from '../../src/picture/flow-sets.ts';
import { snapshotOf } from '../admission/reviews.ts';

const cluster = (...objects: readonly RawObject[]): ClusterSnapshot => snapshotOf(...objects);
const example = cluster(...globSync('examples/cluster/*.yaml').flatMap((file) => loadAll(readFileSync(file, 'utf8')) as RawObject[]));

const workload = (namespace: string, name: string, kind = 'Deployment', more: RawObject = {}): RawObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { namespace, name },
  spec: {
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', ports: [{ name: 'http', containerPort: 8080 }] }], ...more },
    },
  },
});
const policy = (namespace: string, name: string, spec: RawObject): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { namespace, name },
  spec,
});
const to = (app: string): RawObject => ({ podSelector: { matchLabels: { app } } });
const deny = policy('shop', 'deny', { podSelector: {}, policyTypes: ['Ingress'] });
const letIn = (app: string, from: RawObject, ports: readonly RawObject[] = [{ port: 'http' }]): RawObject =>
  policy('shop', `to-${app}`, { ...to(app), ingress: [{ from: [from], ports }] });

const everywhere = (): boolean => true;

function linesOf(view: ClusterSnapshot, isMeant: (namespace: string) => boolean = everywhere): readonly string[] {
  return flowReport(view, flowMapOf(view, isMeant), isMeant).flows.map(
    ({ section, from, to: target, answer, ports, why }) => `${section}: ${from.name} ${answer} ${target.name} ${ports} (${why})`,
  );
}

describe('flowMapOf', () => {
  const worlds: readonly (readonly [string, ClusterSnapshot])[] = [
    ['the example', example],
    [
      'labels, blocks, host network and named ports',
      cluster(
        ...['web', 'api', 'db'].flatMap((name) => [workload('shop', name), workload('pay', name)]),
        workload('pay', 'agent', 'DaemonSet', { hostNetwork: true }),
        workload('shop', 'agent', 'DaemonSet', { hostNetwork: true }),
        deny,
        letIn('web', { ipBlock: { cidr: '0.0.0.0/0' } }),
        letIn('api', { namespaceSelector: {}, ...to('web') }),
        letIn('db', to('api'), [{ port: 5432 }, { port: 8000, endPort: 9000, protocol: 'UDP' }]),
        policy('pay', 'out', {
          podSelector: {},
          policyTypes: ['Egress'],
          egress: [{ to: [to('db')] }, { ports: [{ port: 53, protocol: 'UDP' }] }],
        }),
        policy('pay', 'by-hash', { podSelector: { matchLabels: { 'pod-template-hash': 'x' } } }),
      ),
    ],
  ];

  it.each(worlds)('says of each pair what the engine says of it: %s', (_, view) => {
    const { sets, lines, pairs } = flowMapOf(view);
    const probes = [80, 8080, 5432, 53, 8500].flatMap((port) => (['TCP', 'UDP'] as const).map((protocol) => ({ port, protocol })));
    const toldOf = (from: FlowSet, target: FlowSet, probe: (typeof probes)[number]): Answer =>
      lines.find((line) => line.from.includes(from) && line.to.includes(target) && includes(line.ports, probe))?.answer ?? 'denied';
    const members = sets.flatMap((set) => set.members.map((member) => ({ set, workload: member.workloads[0] })));
    let different = 0;
    for (const from of members)
      for (const target of members.filter((one) => one !== from)) {
        different++;
        for (const probe of probes)
          expect(toldOf(from.set, target.set, probe)).toBe(
            flow(view, from.workload, { ...probe, workload: target.workload, serviceAddresses: [] }).answer,
          );
      }
    expect(pairs.allowed + pairs.depends + pairs.denied).toBe(different);
  });
});

describe('flowReport', () => {
  it('tells of the example in few lines, what is open first', () => expect(linesOf(example)).toMatchSnapshot());

  it('calls uncertain what hangs on labels of a namespace whose object is not there', () => {
    const teamA = { namespaceSelector: { matchLabels: { team: 'a' } } };
    const files = [workload('shop', 'web'), workload('pay', 'one'), letIn('web', teamA)];
    const namespaceOf = (name: string, labels: RawObject): RawObject => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels },
    });
    const toWeb = (view: ClusterSnapshot): string =>
      linesOf(view)
        .filter((line) => line.includes('shop/web') && line.includes('TCP'))
        .join();
    expect(toWeb(cluster(...files))).toContain(
      'depends shop/web 8080/TCP (the labels of the namespace are not known, by NetworkPolicy shop/to-web)',
    );
    expect(toWeb(cluster(...files, namespaceOf('pay', { team: 'a' }), namespaceOf('shop', {})))).toContain('allowed shop/web 8080/TCP');
    expect(toWeb(cluster(...files, namespaceOf('pay', {}), namespaceOf('shop', {})))).toBe('');
  });

  it('puts workloads together that no policy tells apart, and names them as short as can be', () => {
    const names = Array.from({ length: 8 }, (_, at) => `w${at}`);
    const view = cluster(...names.map((name) => workload('shop', name)), workload('pay', 'one'), deny, letIn('w3', { podSelector: {} }));
    const lines = linesOf(view).join('\n');
    expect(lines).toContain('isolated: every workload denied every workload of shop (but shop/w3)  (isolated by NetworkPolicy shop/deny)');
    expect(lines).toContain('allowed: every workload of shop allowed shop/w3 8080/TCP (by NetworkPolicy shop/to-w3)');
    expect(lines).toContain('denied: pay/one denied shop/w3  (isolated by NetworkPolicy shop/deny and shop/to-w3)');
    expect(lines).toContain('open: outside allowed pay/one any port (no policy isolates them)');
  });

  it('cuts neither names nor what is said of several workloads', () => {
    const names = Array.from({ length: 10 }, (_, at) => `w${at}-service-of-the-eu-west-1-region`);
    const worlds = ['payments-production', 'shop'].flatMap((namespace) => names.map((name) => workload(namespace, name)));
    const values = names.slice(0, 5);
    const shut = policy('payments-production', 'deny-everything-to-those-of-the-region', {
      podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values }] },
      policyTypes: ['Ingress'],
    });
    const lines = linesOf(cluster(...worlds, shut)).join('\n');
    expect(lines).not.toContain('…');
    expect(lines).toContain(`5 workloads of payments-production (${names[0]}, ${names[1]} and 3 more)`);
    expect(lines).toContain('isolated by NetworkPolicy payments-production/deny-everything-to-those-of-the-region');
    const alone = linesOf(cluster(...worlds.slice(0, 3), shut)).join('\n');
    expect(alone).not.toContain('…');
  });

  it('tells two workloads of one name apart by their kind', () => {
    const view = cluster(workload('shop', 'web'), workload('shop', 'web', 'StatefulSet'));
    expect(linesOf(view).join()).toContain('every workload of shop');
    expect(flowMapOf(view).sets.flatMap(({ members }) => members.map(({ name }) => name))).toEqual([
      'shop/deployment/web',
      'shop/statefulset/web',
    ]);
  });

  it('says on what it depends', () => {
    const block = { ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } };
    const lines = linesOf(cluster(workload('shop', 'web'), workload('shop', 'db'), deny, letIn('web', block)));
    expect(lines).toContain('outside: outside (0.0.0.0/0 but 10.0.0.0/8) allowed shop/web 8080/TCP (by NetworkPolicy shop/to-web)');
    expect(lines).toContain(
      'depends: every workload of shop depends shop/web 8080/TCP (network plugins differ on whether an ipBlock covers Pods, by NetworkPolicy shop/deny and shop/to-web)',
    );
  });

  it('keeps to some namespaces, and to whom these talk', () => {
    const view = cluster(...['a', 'b', 'c'].map((namespace) => workload(namespace, 'web')));
    const lines = linesOf(view, (namespace) => namespace === 'a');
    expect(lines.filter((line) => !line.includes('a/web'))).toEqual([]);
    expect(lines).toContain('allowed: a/web allowed b/web and c/web any port (no policy isolates either)');
    expect(lines).toContain('allowed: every workload allowed a/web any port (no policy isolates either)');
  });

  it('says what is true of all Pods of a workload, and what of some', () => {
    const pod = (name: string, version: string): RawObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        namespace: 'shop',
        name,
        labels: { app: 'web', version },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', controller: true }],
      },
      spec: { containers: [{ name: 'main', ports: [{ name: 'http', containerPort: 8080 }] }] },
      status: { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }] },
    });
    const closed = policy('shop', 'old', { podSelector: { matchLabels: { version: '1' } }, ingress: [{ ports: [{ port: 8080 }] }] });
    const lines = linesOf(cluster(workload('shop', 'api'), pod('web-0', '1'), pod('web-1', '2'), closed));
    expect(lines).toContain('allowed: every workload of shop allowed shop/web 8080/TCP (by NetworkPolicy shop/old)');
    expect(lines).toContain(
      'depends: every workload of shop depends shop/web 1-8079/TCP, 8081-65535/TCP, any UDP port, any SCTP port (its Pods differ, by NetworkPolicy shop/old)',
    );
  });
});

describe('what a workload is', () => {
  const pod = (name: string, owner?: readonly [kind: string, name: string], more: RawObject = {}): RawObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'shop',
      name,
      labels: { app: 'web' },
      ...(owner && { ownerReferences: [{ apiVersion: 'x/v1', kind: owner[0], name: owner[1], controller: true }] }),
    },
    spec: { containers: [{ name: 'main' }], ...more },
  });
  const namesIn = (...objects: readonly RawObject[]): readonly string[] =>
    flowMapOf(cluster(...objects)).sets.flatMap(({ members }) => members.map(({ name }) => name));

  it('Pods that nobody made are each one, however alike, and talk to each other', () => {
    const closed = policy('shop', 'closed', { podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }] });
    const view = cluster(pod('a'), pod('b'), closed);
    expect(linesOf(view)).toContain('allowed: every workload of shop allowed every workload of shop 80/TCP (by NetworkPolicy shop/closed)');
    expect(flowMapOf(view).pairs).toEqual({ allowed: 2, depends: 0, denied: 0 });
    expect(flowMapOf(cluster(pod('a'), pod('b'), deny)).pairs).toEqual({ allowed: 0, depends: 0, denied: 2 });
    expect(namesIn(pod('a'), pod('b'))).toEqual(['shop/a', 'shop/b']);
  });

  it('what plugins answer differently they do so between two alike Pods, too', () => {
    const view = cluster(pod('a', undefined, { hostNetwork: true }), pod('b', undefined, { hostNetwork: true }), deny);
    expect(flowMapOf(view).pairs).toEqual({ allowed: 0, depends: 2, denied: 0 });
  });

  it('static Pods are not one for having one node', () =>
    expect(namesIn(pod('etcd-a', ['Node', 'a']), pod('kube-scheduler-a', ['Node', 'a']))).toEqual([
      'shop/etcd-a',
      'shop/kube-scheduler-a',
    ]));

  it('Pods of a maker whose kind is not known are one, named after the first', () =>
    expect(namesIn(pod('pg-1', ['Cluster', 'pg']), pod('pg-2', ['Cluster', 'pg']), pod('pg-3', ['Cluster', 'pg']))).toEqual([
      'shop/pg-1 and 2 more',
    ]));
});

describe('flowPicture', () => {
  it('has a box for each set, and one for what is outside', () => {
    const { nodes, edges } = flowPicture(flowReport(example, flowMapOf(example), everywhere));
    expect(nodes.map(({ namespace, title }) => `${namespace}/${title}`).sort()).toMatchInlineSnapshot(`
      [
        "/Outside the cluster",
        "/every workload of sandbox; kube-system/coredns, monitoring/prometheus and traefik/traefik",
        "kube-system/coredns",
        "monitoring/prometheus",
        "sandbox/backend, frontend",
        "shop/backend",
        "shop/database",
        "shop/frontend",
        "traefik/traefik",
      ]
    `);
    expect(edges.every(({ state }) => state === 'works')).toBe(true);
    expect(nodes.find(({ title }) => title === 'database')?.isolated).toEqual(['Ingress', 'Egress']);
  });

  it('of very many arrows leaves out what is open to everybody, and says so', () => {
    const names = Array.from({ length: 420 }, (_, at) => `w${at}`);
    const chain = names.map((name, at) => letIn(name, to(`w${at + 1}`)));
    const view = cluster(...names.map((name) => workload('shop', name)), ...chain);
    const { edges, omitted } = flowPicture(flowReport(view, flowMapOf(view), everywhere));
    expect(edges).toHaveLength(400);
    expect(omitted).toEqual(['20 of 420 lines are not drawn: narrow it down with -n, or see -o json.']);
  });
});

describe('flowDifference', () => {
  const world = [workload('shop', 'web'), workload('shop', 'db'), workload('pay', 'web')];
  const told = (before: readonly RawObject[], after: readonly RawObject[]): readonly string[] =>
    flowDifference(cluster(...before), cluster(...after)).changes.map(
      ({ change, from, to: target, ports, why, pairs }) => `${change} ${from.name} → ${target.name} ${ports} ${pairs} (${why})`,
    );

  it('is nothing between equal states', () => {
    expect(flowDifference(example, example)).toMatchObject({ changes: [], added: [], removed: [] });
  });

  it('tells what a policy takes, and what it gives back', () => {
    const closed = [...world, letIn('db', to('web'), [{ port: 5432 }])];
    expect(told(world, closed)).toEqual(
      [
        'lost shop/web → shop/db 1-5431/TCP, 5433-65535/TCP, any UDP port, any SCTP port 1 (isolated by NetworkPolicy shop/to-db)',
        'lost outside → shop/db any port 1 ()',
        'lost pay/web → shop/db any port 1 (isolated by NetworkPolicy shop/to-db)',
      ].toSorted(),
    );
    expect(told(closed, world).map((line) => line.split(' ')[0])).toEqual(['gained', 'gained', 'gained']);
  });

  it('of what is outside, tells blocks apart of which something else becomes', () => {
    const fromBlock = (cidr: string): RawObject => letIn('db', { ipBlock: { cidr } }, [{ port: 5432 }]);
    const outsideOf = (before: readonly RawObject[], after: readonly RawObject[]): readonly string[] =>
      told([workload('shop', 'db'), ...before], [workload('shop', 'db'), ...after]);
    const rest = '1-5431/TCP, 5433-65535/TCP, any UDP port, any SCTP port';
    expect(outsideOf([], [fromBlock('10.0.0.0/8')])).toEqual([
      `lost outside (10.0.0.0/8) → shop/db ${rest} 1 ()`,
      'lost outside (but 10.0.0.0/8) → shop/db any port 1 ()',
    ]);
    expect(outsideOf([fromBlock('10.0.0.0/8')], [fromBlock('10.0.0.0/16')])).toEqual([
      'lost outside (10.0.0.0/8 but 10.0.0.0/16) → shop/db 5432/TCP 1 ()',
    ]);
    const halves = policy('shop', 'to-db', {
      ...to('db'),
      ingress: [{ from: ['10.0.0.0/9', '10.128.0.0/9'].map((cidr) => ({ ipBlock: { cidr } })), ports: [{ port: 5432 }] }],
    });
    expect([...outsideOf([fromBlock('10.0.0.0/8')], [halves]), ...outsideOf([halves], [fromBlock('10.0.0.0/8')])]).toEqual([]);
    const anyPort = letIn('db', { ipBlock: { cidr: '10.0.0.0/8' } }, []);
    expect(outsideOf([], [anyPort])).toEqual(['lost outside (but 10.0.0.0/8) → shop/db any port 1 ()']);
  });

  it('tells of workloads that come and go, with their connections', () => {
    const { changes, added, removed } = flowDifference(
      cluster(...world),
      cluster(world[0] as RawObject, world[1] as RawObject, workload('pay', 'new')),
    );
    expect([added, removed]).toEqual([['pay/new'], ['pay/web']]);
    expect(changes.filter(({ change }) => change === 'lost').length).toBeGreaterThan(0);
    expect(changes.filter(({ change }) => change === 'gained').length).toBeGreaterThan(0);
  });
});

describe('explainedFlow', () => {
  it('says of each end the same as the engine, by some rule of some policy', () => {
    const { sets } = flowMapOf(example);
    const members = sets.flatMap((set) => set.members.map(({ workloads: [one] }) => one));
    for (const from of members)
      for (const workloadTo of members)
        for (const port of [53, 80, 5432, 8080]) {
          const target = { workload: workloadTo, protocol: 'TCP' as const, port, serviceAddresses: [] };
          const { answer, ends } = explainedFlow(example, from, target, { from: '', to: '' });
          const plain = flow(example, from, target);
          expect([answer, ends[0].answer, ends[1].answer]).toEqual([plain.answer, plain.egress.answer, plain.ingress.answer]);
          for (const end of ends) {
            const holds = end.policies.some(({ rules }) => rules.some(({ state }) => state === 'holds'));
            expect(holds || end.policies.length === 0).toBe(end.answer === 'allowed');
          }
        }
  });
});
