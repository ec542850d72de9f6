/**
 * `node bench/traffic.ts [rounds]`: what NetworkPolicies cost to judge at 1,250, 2,500 and 5,000 workloads, with a policy for ten
 * of them and a namespace for 25. A floor is measured beside: the same number of labels held against one selector, once for each
 * policy, which nobody can do without who knows nothing beforehand. Ratios to it count, and the growth from one size to the next.
 */
import { RecordingView } from '../src/cluster/recording.ts';
import { ClusterSnapshot } from '../src/cluster/snapshot.ts';
import { effectOn } from '../src/cluster/traffic/effect.ts';
import type { FlowQuestion } from '../src/cluster/traffic/flow.ts';
import { trafficOf } from '../src/cluster/traffic/traffic.ts';
import { matchesSelector } from '../src/kube/labels.ts';
import { normalize } from '../src/kube/normalize.ts';
import type { NetworkPolicy, RawObject, Resource, Workload } from '../src/kube/resources.ts';

const rounds = Number(process.argv[2] ?? 5);
const sizes = [1_250, 2_500, 5_000];
const perNamespace = 25;
const perPolicy = 10;
/** Of how many writes the time of one is told. */
const writes = 200;
/** Connections that somebody depends on, for each workload. */
const asked = 2;

const nameOf = (namespace: number): string => `team-${namespace}`;
const policyType = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' };
const dns = { ports: ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 })) };
const teamA = { namespaceSelector: { matchLabels: { team: 'a' } }, podSelector: { matchLabels: { tier: 'web' } } };

/** What people write: deny all, let DNS out, let one workload in from another, from a team's namespaces, and from outside. */
const specs: readonly ((app: number) => RawObject)[] = [
  () => ({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
  () => ({ podSelector: {}, policyTypes: ['Egress'], egress: [dns, { to: [{ podSelector: {} }] }] }),
  (app) => ({
    podSelector: { matchLabels: { app: `app-${app}` } },
    ingress: [{ from: [{ podSelector: { matchLabels: { app: `app-${(app + 1) % perNamespace}` } } }, teamA], ports: [{ port: 'http' }] }],
  }),
  (app) => ({
    podSelector: { matchLabels: { app: `app-${app}` } },
    ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }], ports: [{ port: 8000, endPort: 9000 }] }],
  }),
  (app) => ({
    podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: [`app-${app}`] }] },
    policyTypes: ['Egress'],
    egress: [{ to: [{ namespaceSelector: {}, podSelector: { matchLabels: { tier: 'db' } } }], ports: [{ port: 5432 }] }],
  }),
];

function* objectsOf(workloads: number): Generator<RawObject> {
  const namespaces = workloads / perNamespace;
  for (let at = 0; at < namespaces; at++)
    yield { apiVersion: 'v1', kind: 'Namespace', metadata: { name: nameOf(at), labels: { team: at % 5 === 0 ? 'a' : 'b' } } };
  for (let at = 0; at < workloads; at++)
    for (const replica of ['a', 'b'])
      yield {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: `app-${at}-${replica}`,
          namespace: nameOf(at % namespaces),
          labels: { app: `app-${Math.floor(at / namespaces)}`, tier: ['web', 'api', 'db'][at % 3], 'pod-template-hash': '7c5d9f' },
        },
        spec: { nodeName: 'node-1', containers: [{ name: 'main', ports: [{ name: 'http', containerPort: 8080 }] }] },
        status: { podIPs: [{ ip: `10.${at >> 8}.${at & 255}.${replica === 'a' ? 1 : 2}` }] },
      };
  for (let at = 0; at < workloads / perPolicy; at++) yield policyAt(at, namespaces);
}

const policyAt = (at: number, namespaces: number, extra: RawObject = {}): RawObject => ({
  ...policyType,
  metadata: { name: `policy-${at}`, namespace: nameOf(at % namespaces) },
  spec: { ...specs[Math.floor(at / namespaces + (at % namespaces)) % specs.length]?.(at % perNamespace), ...extra },
});

const resourceOf = (raw: RawObject): Resource => normalize(raw) as Resource;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const p99 = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] as number;

function timeOf(work: () => unknown): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** Each workload asks its neighbour, and one far away, as those do of which Services and Ingresses tell. */
function questionsOf(ends: readonly Workload[]): readonly FlowQuestion[] {
  const to = (workload: Workload) => ({ workload, protocol: 'TCP' as const, port: 8080, serviceAddresses: [] });
  return ends.flatMap((from, at) =>
    Array.from({ length: asked }, (_, way) => ({ from, to: to(ends[(at + 1 + way * 997) % ends.length] as Workload) })),
  );
}

/** CPU milliseconds. */
interface Cost {
  readonly floor: number;
  /** Who reaches whom, from nothing; and again after one policy was written. */
  readonly whole: number;
  readonly again: number;
  /** All of it told: what reaches each group, and on which ports. */
  readonly flows: number;
  /** A policy written, and each connection that somebody depends on asked about. */
  readonly write: number;
  readonly slowWrite: number;
}

function costAt(workloads: number): Cost {
  const snapshot = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(Array.from(objectsOf(workloads), resourceOf));
  const [ends, policies] = [snapshot.listAll('Pod'), snapshot.listAll('NetworkPolicy')];
  const floor = timeOf(() => policies.map(({ spec }) => ends.filter(({ pod }) => matchesSelector(spec.podSelector, pod.labels)).length));
  const whole = timeOf(() => trafficOf(snapshot));
  const flows = timeOf(() => trafficOf(snapshot).groups.map((group) => trafficOf(snapshot).reach(group, 'Ingress').length));
  const again = timeOf(() => trafficOf(snapshot.with([writtenAt(policies, 0)])));
  const questions = questionsOf(ends);
  const times = Array.from({ length: writes }, (_, at) => timeOfWrite(snapshot, writtenAt(policies, at), questions));
  return { floor, whole, again, flows, write: median(times), slowWrite: p99(times) };
}

/** Another text under the name of a policy that is there. */
function writtenAt(policies: readonly NetworkPolicy[], at: number): Resource {
  const { metadata } = policies[(at * 7) % policies.length] as NetworkPolicy;
  const spec = specs[at % specs.length]?.(at % perNamespace) as RawObject;
  return resourceOf({ ...policyType, metadata: { name: metadata.name, namespace: metadata.namespace }, spec });
}

/** As a review does: with views that note what is read. */
const timeOfWrite = (snapshot: ClusterSnapshot, written: Resource, questions: readonly FlowQuestion[]): number =>
  timeOf(() => effectOn(new RecordingView(snapshot), new RecordingView(snapshot.with([written])), questions));

const columns = ['floor', 'whole', 'again', 'flows', 'write', 'slowWrite'] as const;

/** The least of all rounds: neighbours can only add. */
function best(all: readonly Cost[]): Cost {
  const least = (column: (typeof columns)[number]): number => Math.min(...all.map((cost) => cost[column]));
  return Object.fromEntries(columns.map((column) => [column, least(column)])) as unknown as Cost;
}

const line = (title: string, cells: readonly string[]): string => title.padEnd(22) + cells.map((cell) => cell.padStart(11)).join('');

const measured = sizes.map((size) => ({ size, all: [] as Cost[] }));
for (let round = 0; round < rounds; round++) for (const { size, all } of measured) all.push(costAt(size));
const costs = measured.map(({ size, all }) => ({ size, cost: best(all) }));

console.log(`${rounds} rounds, Node ${process.version}; CPU ms, the least of all rounds`);
console.log(line('workloads', [...columns]));
for (const { size, cost } of costs)
  console.log(
    line(
      String(size),
      columns.map((column) => cost[column].toFixed(2)),
    ),
  );
console.log('\nof the floor');
for (const { size, cost } of costs)
  console.log(
    line(
      String(size),
      columns.map((column) => (cost[column] / cost.floor).toFixed(3)),
    ),
  );
console.log('\nper doubling');
for (const [at, { size, cost }] of costs.entries()) {
  const half = costs[at - 1]?.cost;
  if (half !== undefined)
    console.log(
      line(
        String(size),
        columns.map((column) => (cost[column] / half[column]).toFixed(2)),
      ),
    );
}

const largest = costs.at(-1)?.cost as Cost;
const goals = [
  { what: 'a write and its effect at p99, ms: at most 20', measured: largest.slowWrite, holds: largest.slowWrite <= 20 },
  {
    what: 'all flows from nothing, s: at most 5',
    measured: (largest.whole + largest.flows) / 1000,
    holds: largest.whole + largest.flows <= 5000,
  },
  {
    what: 'a write and its effect, of the floor: at most 0.1',
    measured: largest.write / largest.floor,
    holds: largest.write / largest.floor <= 0.1,
  },
];
console.log('\ngoals, at the largest');
for (const { what, measured: value, holds } of goals)
  console.log(`${holds ? 'ok    ' : 'MISSED'}  ${value.toFixed(2).padStart(7)}  ${what}`);
process.exitCode = goals.every(({ holds }) => holds) ? 0 : 1;
