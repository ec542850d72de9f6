/**
 * One object cannot hold the process: what a rule reads, and the steps that it takes, grow with what there is, not with its
 * square, and where no time is left, the rule ends. Counted, since a clock would tell of the machine.
 */
import { describe, expect, it } from 'vitest';
import { Elsewhere, everybody } from '../../src/cluster/elsewhere.ts';
import { NotKnown, RecordingView } from '../../src/cluster/recording.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import type { Rule } from '../../src/engine/rule.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { JudgedResource, RawObject, Resource } from '../../src/kube/resources.ts';
import { rules } from '../../src/rules/index.ts';
import { SteppingView, watched } from '../support/watched.ts';

const times = <T>(count: number, make: (index: number) => T): readonly T[] => Array.from({ length: count }, (_, index) => make(index));

const service = (name: string, spec: object): RawObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name },
  spec,
});
const ingress = (name: string, spec: object, annotations = {}): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { namespace: 'shop', name, annotations },
  spec: { ingressClassName: 'nginx', ...spec },
});
const deployment = (name: string, ports: readonly number[]): RawObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: 'shop', name },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', ports: ports.map((containerPort) => ({ containerPort, hostPort: containerPort })) }] },
    },
  },
});
const backend = (name: string, port: object = { number: 80 }): object => ({ service: { name, port } });
const paths = (count: number, make: (index: number) => object, host = 'shop.example'): object => ({
  rules: [{ host, http: { paths: times(count, (index) => ({ pathType: 'Prefix', path: `/x${index}`, ...make(index) })) } }],
});
const portsCalled = (name: string, count: number): readonly object[] =>
  times(count, (index) => ({ name: `${name}-${index}`, port: index + 1, targetPort: index + 20_000 }));

/** What is written, what it was before, and what is there, all of one size. */
interface World {
  readonly written: RawObject;
  readonly before?: RawObject;
  readonly held: readonly RawObject[];
}

const worlds: readonly (readonly [ruleId: string, what: string, world: (size: number) => World])[] = [
  [
    'ingress-host-path-conflict',
    'one path, many times, which all neighbours lead to the same Service',
    (size) => ({
      written: ingress(
        'web',
        paths(size, () => ({ path: '/', backend: backend('web') })),
      ),
      held: times(size, (index) =>
        ingress(
          `edge-${index}`,
          paths(1, () => ({ path: '/', backend: backend('web') })),
        ),
      ),
    }),
  ],
  [
    'ingress-path-literal-trap',
    'stars, and neighbours that read expressions for other hosts',
    (size) => ({
      written: ingress(
        'web',
        paths(size, (index) => ({ path: `/x${index}/*`, backend: backend('web') })),
      ),
      held: times(size, (index) =>
        ingress(
          `edge-${index}`,
          paths(1, () => ({}), `h${index}.example`),
          { 'nginx.org/path-regex': 'true' },
        ),
      ),
    }),
  ],
  [
    'ingress-path-literal-trap',
    'exact paths, with and without the slash',
    (size) => ({
      written: ingress(
        'web',
        paths(2 * size, (index) => ({ pathType: 'Exact', path: `/x${index % size}${index < size ? '/' : ''}` })),
      ),
      held: [],
    }),
  ],
  [
    'tls-hosts-vs-rules',
    'hosts without TLS, and neighbours that have it for others',
    (size) => ({
      written: ingress('web', { tls: [{ hosts: ['ok.example'] }], rules: times(size, (index) => ({ host: `web-${index}.example` })) }),
      held: times(size, (index) =>
        ingress(`edge-${index}`, { tls: [{ hosts: [`h${index}.example`] }], rules: [{ host: `h${index}.example` }] }),
      ),
    }),
  ],
  [
    'service-port-in-use',
    'all ports renamed, and routes that name the old ones',
    (size) => ({
      written: service('web', { ports: portsCalled('new', size) }),
      before: service('web', { ports: portsCalled('old', size) }),
      held: [
        ingress(
          'web',
          paths(size, (index) => ({ backend: backend('web', { number: index + 1 }) })),
        ),
      ],
    }),
  ],
  [
    'service-selector-spans-workloads',
    'ports that nobody declares, and workloads',
    (size) => ({
      written: service('web', { selector: { app: 'web' }, ports: portsCalled('http', size) }),
      held: times(size, (index) => deployment(`web-${index}`, [index + 1])),
    }),
  ],
  [
    'service-target-port-protocol-mismatch',
    'ports that nobody declares, and workloads',
    (size) => ({
      written: service('web', { selector: { app: 'web' }, ports: portsCalled('http', size) }),
      held: times(size, (index) => deployment(`web-${index}`, [index + 1])),
    }),
  ],
  [
    'service-external-ips',
    "addresses, the last of them another Service's, and Services",
    (size) => ({
      written: service('web', { externalIPs: [...times(size, (index) => `11.0.${index >> 8}.${index & 255}`), '10.96.0.5'] }),
      held: times(size, (index) => service(`other-${index}`, { clusterIP: `10.97.${index >> 8}.${index & 255}`, ports: [{ port: 80 }] })),
    }),
  ],
  [
    'dns-resolver-isolated',
    'peers that hold nobody, and namespaces with Pods',
    (size) => ({
      written: inNamespace(
        'kube-system',
        policyOf({
          policyTypes: ['Ingress'],
          ingress: [
            {
              from: times(size, (index) => ({
                namespaceSelector: index % 2 === 0 ? {} : { matchLabels: { team: `t${index}` } },
                ...pods(index),
              })),
            },
          ],
        }),
      ),
      held: [
        ...dns,
        ...times(size, (index) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: `n${index}` } })),
        ...times(size, (index) => inNamespace(`n${index}`, deployment('web', [8080]))),
      ],
    }),
  ],
];

const policyOf = (spec: object): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { namespace: 'shop', name: 'web' },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ...spec },
});
const inNamespace = (namespace: string, object: RawObject): RawObject => ({
  ...object,
  metadata: { ...(object['metadata'] as object), namespace },
});
/** The cluster's DNS, and Pods that ask it. */
const dns: readonly RawObject[] = [
  inNamespace(
    'kube-system',
    service('kube-dns', {
      clusterIP: '10.96.0.10',
      clusterIPs: ['10.96.0.10'],
      selector: { app: 'web' },
      ports: [{ port: 53, protocol: 'UDP' }],
    }),
  ),
  inNamespace('kube-system', deployment('coredns', [53])),
];
const pods = (index: number): object => ({ podSelector: { matchLabels: { app: `x${index}` } } });
const policies: readonly (readonly [what: string, policy: (size: number) => RawObject])[] = [
  ['rules that allow everything', (size) => policyOf({ ingress: times(size, () => ({})), egress: times(size, () => ({})) })],
  [
    'rules',
    (size) =>
      policyOf({ ingress: times(size, (index) => ({ from: [pods(index)] })), egress: times(size, (index) => ({ to: [pods(index)] })) }),
  ],
  [
    'peers',
    (size) =>
      policyOf({
        ingress: [{ from: times(size, pods) }],
        egress: [{ to: times(size, (index) => ({ namespaceSelector: { matchLabels: { team: `t${index}` } }, ...pods(index) })) }],
      }),
  ],
  [
    'blocks',
    (size) => policyOf({ egress: [{ to: times(size, (index) => ({ ipBlock: { cidr: `10.${index >> 8}.${index & 255}.0/24` } })) }] }),
  ],
  [
    'ports',
    (size) =>
      policyOf({
        egress: [{ ports: times(size, (index) => ({ protocol: 'TCP', port: index + 1 })) }],
        ingress: [{ ports: times(size, (index) => ({ protocol: 'TCP', port: `p${index}` })) }],
      }),
  ],
  [
    'rules of one port of a Service',
    (size) =>
      policyOf({
        egress: times(size, () => ({ to: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ protocol: 'TCP', port: 80 }] })),
      }),
  ],
  [
    'rules for DNS',
    (size) =>
      policyOf({
        egress: times(size, (index) => ({ to: [{ namespaceSelector: {}, ...pods(index) }], ports: [{ protocol: 'UDP', port: 53 }] })),
      }),
  ],
  ['labels', (size) => policyOf({ podSelector: { matchLabels: Object.fromEntries(times(size, (index) => [`k${index}`, 'v'])) } })],
];
const policyRules = rules.filter(({ meta }) => meta.kinds.some((kind) => kind === 'NetworkPolicy')).map(({ meta }) => meta.id);
const beside: readonly RawObject[] = [
  ...dns,
  service('web', {
    clusterIP: '10.96.0.20',
    clusterIPs: ['10.96.0.20'],
    selector: { app: 'web' },
    ports: [{ port: 80, targetPort: 8080 }],
  }),
  ...times(8, (index) => deployment(`web-${index}`, [8080])),
];

/** What a run reads of the objects, and why the rule did not come to its end, if it did not. */
function run(ruleId: string, { written, before, held }: World, timeLeft: () => number = () => 1) {
  const rule = rules.find(({ meta }) => meta.id === ruleId) as Rule;
  let reads = 0;
  const resource = (raw: RawObject): Resource => watched(normalize(raw) as Resource, () => reads++);
  const object = resource(written) as JudgedResource;
  const others = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(held.map(resource));
  const earlier = before && others.with([resource(before)]);
  const cluster = others.with([object]);
  reads = 0;
  const subject = { object, operation: 'WRITE', before: earlier && (() => earlier) } as const;
  const { skipped } = evaluate(subject, cluster, [rule.configure()], { timeLeft });
  return { reads, reasons: skipped.map(({ reason }) => reason) };
}

describe.each(worlds)('%s of %s', (ruleId, _, world) => {
  it('reads four times as much, at most, of four times as much', () => {
    const [small, large] = [run(ruleId, world(100)), run(ruleId, world(400))];
    expect(small.reads).toBeGreaterThan(100);
    expect(large.reads / small.reads).toBeLessThan(4.8);
  });

  it('ends where time is over', () => {
    let looks = 0;
    expect(run(ruleId, world(1_000), () => 1 - looks++).reasons).toEqual(['deadline']);
  });
});

/** What finding out takes, without the telling; `atOnce`: how much is read at most between two looks at the clock. */
function detection(ruleId: string, { written, before, held }: World) {
  const rule = rules.find(({ meta }) => meta.id === ruleId) as Rule;
  let [reads, looked, atOnce] = [0, 0, 0];
  const look = (): boolean => {
    atOnce = Math.max(atOnce, reads - looked);
    looked = reads;
    return false;
  };
  const resource = (raw: RawObject): Resource => watched(normalize(raw) as Resource, () => reads++);
  const [object, earlier] = [resource(written) as JudgedResource, before && resource(before)];
  const others = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(held.map(resource));
  const [cluster, past] = [others.with([object]), others.with(earlier === undefined ? [] : [earlier])];
  const view = new SteppingView(cluster, look, true);
  const elsewhere = new Elsewhere(cluster, 'shop', everybody);
  const subject = { object, operation: 'WRITE', before: earlier && (() => new RecordingView(past, look, true)) } as const;
  reads = 0;
  try {
    for (const _ of rule
      .configure()
      .check(subject, view, { known: cluster, elsewhere, offline: false, isSurvey: false, exemptions: undefined }))
      look();
  } catch (cause) {
    if (!(cause instanceof NotKnown)) throw cause;
  }
  look();
  return { reads, steps: view.taken, atOnce };
}

describe.each(policyRules)('%s of a policy of very many', (ruleId) => {
  const of = (policy: (size: number) => RawObject, size: number) =>
    detection(ruleId, { written: policy(size), before: policyOf({}), held: beside });

  it.each(policies)('%s reads four times as much, at most, of four times as much, in four times as many steps', (_, policy) => {
    const [small, large] = [of(policy, 100), of(policy, 400)];
    expect(large.reads).toBeLessThan(4.8 * small.reads + 1);
    expect(large.steps).toBeLessThan(4.8 * small.steps + 1);
  });

  it.each(policies)('%s looks at the clock before it has read each of them many times', (_, policy) => {
    expect(of(policy, 1_000).atOnce).toBeLessThan(32_000);
  });
});
