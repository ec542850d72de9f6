/**
 * `node bench/policy-writes.ts [writes]`: what a review of a NetworkPolicy costs with all rules, at 1,250, 2,500 and 5,000
 * workloads that declare what they depend on, and with policies that fill the API server's limit. Between two writes something
 * else in the cluster changes, so that nothing rests on the last review having seen the same. CPU milliseconds.
 */
import { handle } from '../src/admission/handler.ts';
import { ClusterSnapshot } from '../src/cluster/snapshot.ts';
import { parseConfiguration } from '../src/config/settings.ts';
import { normalize } from '../src/kube/normalize.ts';
import type { RawObject, Resource } from '../src/kube/resources.ts';
import { rules } from '../src/rules/index.ts';

const writes = Number(process.argv[2] ?? 400);
const sizes = [1_250, 2_500, 5_000];
const perNamespace = 25;
const perPolicy = 10;
/** Each write is judged so often, each time in another state of the cluster; the least counts, since neighbours can only add. */
const repeats = 3;

const policy = (namespace: string, name: string, spec: RawObject): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { namespace, name },
  spec,
});
const nameOf = (namespace: number): string => `team-${namespace}`;
const dns = { ports: ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 })) };
const times = <T>(count: number, make: (at: number) => T): readonly T[] => Array.from({ length: count }, (_, at) => make(at));
const app = (at: number) => ({ podSelector: { matchLabels: { app: `app-${at % perNamespace}` } } });

/** What people write. */
const specs: readonly ((at: number) => RawObject)[] = [
  () => ({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
  () => ({ podSelector: {}, policyTypes: ['Egress'], egress: [dns, { to: [{ podSelector: {} }] }] }),
  (at) => ({ ...app(at), policyTypes: ['Ingress'], ingress: [{ from: [app(at + 1)], ports: [{ port: 'http', protocol: 'TCP' }] }] }),
  () => ({ podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ namespaceSelector: {} }] }] }),
  () => ({ podSelector: {}, policyTypes: ['Egress'], egress: [dns, { to: [{ namespaceSelector: {}, ...app(0) }] }] }),
];
const policyAt = (at: number, namespaces: number): RawObject =>
  policy(nameOf(at % namespaces), `policy-${at}`, specs[(at + Math.floor(at / namespaces)) % specs.length]?.(at) as RawObject);

/** A Deployment that is told of its neighbour, with a Service and, one in five, an Ingress. */
function workloadAt(at: number, namespaces: number): readonly RawObject[] {
  const metadata = { namespace: nameOf(at % namespaces), name: `app-${Math.floor(at / namespaces)}` };
  const labels = { app: metadata.name };
  const env = [{ name: 'UPSTREAM', value: `http://app-0.${metadata.namespace}.svc` }];
  const containers = [{ name: 'main', env, ports: [{ name: 'http', containerPort: 8080 }] }];
  const backend = { service: { name: metadata.name, port: { number: 80 } } };
  const http = { paths: [{ path: '/', pathType: 'Prefix', backend }] };
  const ingress = { ingressClassName: 'nginx', rules: [{ host: `${metadata.name}.${metadata.namespace}.example`, http }] };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { clusterIPs: [`10.97.${at >> 8}.${at & 255}`], selector: labels, ports: [{ port: 80, targetPort: 'http' }] },
    },
    ...(at % 5 === 0 ? [{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec: ingress }] : []),
  ];
}

const resolver = { namespace: 'kube-system', name: 'kube-dns', labels: { 'k8s-app': 'kube-dns' } };
const resolverPods = {
  metadata: { labels: resolver.labels },
  spec: { containers: [{ name: 'dns', ports: [{ containerPort: 53, protocol: 'UDP' }] }] },
};
const shared: readonly RawObject[] = [
  { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'nginx' }, spec: { controller: 'k8s.io/ingress-nginx' } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: resolver,
    spec: { selector: { matchLabels: resolver.labels }, template: resolverPods },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: resolver,
    spec: { clusterIPs: ['10.96.0.10'], selector: resolver.labels, ports: [{ port: 53, protocol: 'UDP' }] },
  },
];

const read = (raw: RawObject): Resource => normalize(raw) as Resource;

function clusterOf(workloads: number) {
  const namespaces = workloads / perNamespace;
  const moving = times(workloads, (at) => workloadAt(at, namespaces)[0] as RawObject);
  const policies = times(workloads / perPolicy, (at) => policyAt(at, namespaces));
  const spaces = [...times(namespaces, nameOf), 'kube-system'].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  const all = [...shared, ...spaces, ...times(workloads, (at) => workloadAt(at, namespaces)).flat(), ...policies];
  return { policies, moving, snapshot: ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(all.map(read)) };
}

const configuration = parseConfiguration({ apiVersion: 'portcullis.dev/v1' }, rules);
const group = { group: 'networking.k8s.io', version: 'v1' };

interface Cost {
  readonly ms: number;
  /** How many rules did not come to their end. */
  readonly cut: number;
}

/** The update of a policy, as the webhook answers it within its deadline. */
async function costOf(before: RawObject, after: RawObject, snapshot: ClusterSnapshot): Promise<Cost> {
  const { namespace, name } = before['metadata'] as { readonly namespace: string; readonly name: string };
  const request = {
    uid: 'bench',
    kind: { ...group, kind: 'NetworkPolicy' },
    resource: { ...group, resource: 'networkpolicies' },
    operation: 'UPDATE',
    userInfo: { username: 'alice', groups: [] },
    namespace,
    name,
    object: after,
    oldObject: before,
    dryRun: false,
  };
  const end = performance.now() + 2_400;
  const deadline = { remainingMs: () => end - performance.now(), signal: (ms: number) => AbortSignal.timeout(Math.max(0, Math.floor(ms))) };
  const start = process.cpuUsage();
  const handled = await handle({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }, deadline, {
    snapshot: () => snapshot,
    readByName: async () => new Map(),
    confirm: async () => snapshot,
    configuration: () => configuration,
    mayUse: async () => 'denied',
    mayList: async () => 'denied',
    tellsOfOthers: () => false,
    now: () => Date.now(),
  });
  const { user, system } = process.cpuUsage(start);
  if (handled.outcome !== 'judged') throw new Error(handled.outcome);
  return { ms: (user + system) / 1000, cut: handled.decision.skipped.length };
}

async function least(before: RawObject, after: RawObject, states: readonly ClusterSnapshot[]): Promise<Cost> {
  const costs: Cost[] = [];
  for (const state of states) costs.push(await costOf(before, after, state));
  // One that was cut short tells least.
  return costs.toSorted((a, b) => a.cut - b.cut || a.ms - b.ms)[0] as Cost;
}

async function updatesAt(workloads: number): Promise<readonly number[]> {
  const { policies, moving, snapshot } = clusterOf(workloads);
  const costs: number[] = [];
  for (let at = 0; at < writes; at++) {
    const before = policies[(at * 7) % policies.length] as RawObject;
    const after = { ...before, spec: specs[at % specs.length]?.(at) };
    const states = times(repeats, (way) => snapshot.with([read(moving[(at * repeats + way) % moving.length] as RawObject)]));
    costs.push((await least(before, after, states)).ms);
  }
  // The first ones are of code that nothing has warmed up yet.
  return costs.slice(writes / 4).toSorted((a, b) => a - b);
}

const quantile = (sorted: readonly number[], part: number): number => sorted[Math.floor(sorted.length * part)] as number;

console.log('workloads   median      p99');
for (const size of sizes) {
  const costs = await updatesAt(size);
  const [median, p99] = [quantile(costs, 0.5), quantile(costs, 0.99)];
  console.log(
    `${String(size).padStart(9)}  ${median.toFixed(1).padStart(7)}  ${p99.toFixed(1).padStart(7)}${size === sizes.at(-1) ? '  (goal 20)' : ''}`,
  );
  if (size === sizes.at(-1) && p99 > 20) process.exitCode = 1;
}

const called = (at: number) => ({ podSelector: { matchLabels: { app: `x${at}` } } });
const both = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };
const giants: readonly (readonly [what: string, spec: (count: number) => RawObject])[] = [
  ['empty rules', (count) => ({ ...both, ingress: times(count, () => ({})) })],
  ['rules with a peer', (count) => ({ ...both, egress: times(count, (at) => ({ to: [called(at)] })) })],
  ['peers', (count) => ({ ...both, egress: [{ to: times(count, called) }] })],
  ['blocks', (count) => ({ ...both, egress: [{ to: times(count, (at) => ({ ipBlock: { cidr: `11.${at >> 8}.${at & 255}.0/24` } })) }] })],
  ['rules for DNS', (count) => ({ ...both, egress: times(count, (at) => ({ to: [{ namespaceSelector: {}, ...called(at) }], ...dns })) })],
  [
    'rules with a port of a Service',
    (count) => ({ ...both, egress: times(count, (at) => ({ to: [app(at)], ports: [{ port: 80, protocol: 'TCP' }] })) }),
  ],
];
const counts = [5_000, 10_000, 20_000];
console.log(`\n${'in one policy'.padEnd(32)}${counts.map((count) => String(count).padStart(14)).join('')}`);
const { snapshot } = clusterOf(1_250);
for (const [what, spec] of giants) {
  const cells: Cost[] = [];
  for (const count of counts) {
    const [before, after] = [policy('team-1', 'giant', { podSelector: {} }), policy('team-1', 'giant', spec(count))];
    cells.push(
      await least(
        before,
        after,
        times(repeats, () => snapshot),
      ),
    );
  }
  console.log(what.padEnd(32) + cells.map(({ ms, cut }) => `${ms.toFixed(0)}${cut === 0 ? '' : `, ${cut} cut`}`.padStart(14)).join(''));
}
