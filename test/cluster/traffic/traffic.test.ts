import { describe, expect, it } from 'vitest';
import { NotKnown, OutOfTime, RecordingView } from '../../../src/cluster/recording.ts';
import { ClusterSnapshot } from '../../../src/cluster/snapshot.ts';
import { effectOn } from '../../../src/cluster/traffic/effect.ts';
import type { FlowQuestion } from '../../../src/cluster/traffic/flow.ts';
import type { Group } from '../../../src/cluster/traffic/groups.ts';
import { formatPorts } from '../../../src/cluster/traffic/ports.ts';
import { shiftsBy } from '../../../src/cluster/traffic/shifts.ts';
import { trafficOf } from '../../../src/cluster/traffic/traffic.ts';
import type { Coverage } from '../../../src/cluster/view.ts';
import { normalize } from '../../../src/kube/normalize.ts';
import type { Collection, NetworkPolicy, RawObject, Resource, Workload } from '../../../src/kube/resources.ts';

const namespace = (name: string, labels: RawObject = {}): RawObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});
const pod = (name: string, app: string, ip = '10.0.0.1', where = 'shop'): RawObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: where, labels: { app } },
  spec: { nodeName: 'a', containers: [{ name: 'main', ports: [{ name: 'http', containerPort: 8080 }] }] },
  status: { podIPs: [{ ip }] },
});
const policy = (name: string, spec: RawObject): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'shop' },
  spec,
});
const resources = (...raw: readonly RawObject[]): readonly Resource[] => raw.flatMap((one) => normalize(one) ?? []);
const stateOf = (...raw: readonly RawObject[]): ClusterSnapshot =>
  ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(resources(...raw));

const appOf = ({ workloads }: Group): string => workloads.map((each) => `${each.metadata.namespace}/${each.pod.labels['app']}`).join();

/** Who reaches the database, and on which ports. */
function reachingDb(state: ClusterSnapshot): Record<string, string> {
  const traffic = trafficOf(state);
  const db = traffic.groups.find((group) => appOf(group).includes('shop/db')) as Group;
  const reached = traffic.reach(db, 'Ingress');
  return Object.fromEntries(
    reached.map(({ group, allowed, depends }) => [
      appOf(group),
      [formatPorts(allowed), ...(depends.length > 0 ? [`perhaps ${formatPorts(depends)}`] : [])].filter((part) => part !== '').join(', '),
    ]),
  );
}

const onlyWeb = policy('only-web', {
  podSelector: { matchLabels: { app: 'db' } },
  ingress: [
    {
      from: [{ podSelector: { matchLabels: { app: 'web' } } }, { namespaceSelector: { matchLabels: { team: 'a' } } }],
      ports: [{ port: 'http' }],
    },
  ],
});
const shop = [
  namespace('shop'),
  namespace('lab', { team: 'b' }),
  pod('web', 'web'),
  pod('api', 'api'),
  pod('db', 'db'),
  pod('lab', 'lab', '10.1.0.1', 'lab'),
];

describe('trafficOf', () => {
  it('puts together what no policy tells apart, and tells who reaches whom', () => {
    const traffic = trafficOf(stateOf(...shop, pod('db-2', 'db', '10.0.0.9'), pod('cart', 'cart'), onlyWeb));
    expect(traffic.groups.map(appOf)).toEqual(['lab/lab', 'shop/api,shop/cart', 'shop/db', 'shop/web']);
    const db = traffic.groups[2] as Group;
    expect(db.binding.Ingress.map(({ policy: { metadata } }) => metadata.name)).toEqual(['only-web']);
    expect(db.binding.Egress).toEqual([]);
    expect(traffic.reach(db, 'Egress')).toHaveLength(4);
    expect(traffic.groupOf(db.workloads[0])).toBe(db);
    expect(traffic.groupOf({ ...db.workloads[0] })).toBeUndefined();
    // A Pod reaches itself, and of its like it is another.
    expect(reachingDb(stateOf(...shop, onlyWeb))).toEqual({ 'shop/db': 'perhaps any port', 'shop/web': '8080/TCP' });
  });

  it('is the same while nothing differs, whoever asks and however many Pods there are', () => {
    const state = stateOf(...shop, onlyWeb);
    const { groups } = trafficOf(state);
    expect(trafficOf(new RecordingView(state)).groups).toBe(groups);
    expect(trafficOf(state.with(resources(pod('web-2', 'web', '10.0.0.7')))).groups).toBe(groups);
    expect(trafficOf(state.with(resources(policy('other', { podSelector: {} })))).groups).not.toBe(groups);
  });

  it('follows the labels of namespaces', () => {
    const state = stateOf(...shop, onlyWeb);
    expect(reachingDb(state)).not.toHaveProperty('lab/lab');
    expect(reachingDb(state.with(resources(namespace('lab', { team: 'a' }))))).toMatchObject({ 'lab/lab': '8080/TCP' });
    expect(reachingDb(state)).not.toHaveProperty('lab/lab');
  });

  it('follows the addresses of Pods, where a policy asks for them', () => {
    const state = stateOf(
      ...shop,
      policy('block', { podSelector: { matchLabels: { app: 'db' } }, ingress: [{ from: [{ ipBlock: { cidr: '10.7.0.0/16' } }] }] }),
    );
    expect(reachingDb(state)).toEqual({ 'shop/db': 'perhaps any port' });
    const moved = state.with(resources(pod('lab', 'lab', '10.7.0.1', 'lab')));
    expect(reachingDb(moved)).toMatchObject({ 'lab/lab': 'perhaps any port' });
    expect(reachingDb(moved.with(resources(pod('lab', 'lab', '10.1.0.1', 'lab'))))).toEqual({ 'shop/db': 'perhaps any port' });
  });

  it('follows workloads that come and go', () => {
    const state = stateOf(...shop, onlyWeb);
    const more = state.with(resources(pod('web', 'web', '10.2.0.1', 'lab'), pod('more', 'web', '10.2.0.2', 'shop')));
    expect(trafficOf(more).groups.map(appOf)).toEqual(['lab/lab,lab/web', 'shop/api', 'shop/db', 'shop/web']);
    expect(trafficOf(more.without(resources(pod('api', 'api')))).groups.map(appOf)).not.toContain('shop/api');
  });

  it.each(['Template', 'Pod', 'Namespace', 'NetworkPolicy'] as const)('concludes nothing while not every %s is known', (lacking) => {
    const coverage = (collection: Collection): Coverage => (collection === lacking ? 'forbidden' : 'complete');
    const state = stateOf(...shop, onlyWeb);
    trafficOf(state);
    expect(() => trafficOf(new RecordingView(state.knowing({ coverage })))).toThrow(NotKnown);
  });

  it('ends when time is up, in what it makes and in what it is asked', () => {
    const apps = Array.from({ length: 200 }, (_, at) => pod(`app-${at}`, `app-${at}`));
    const state = stateOf(namespace('shop'), ...apps, onlyWeb);
    const late = new RecordingView(state, () => true);
    expect(() => trafficOf(late)).toThrow(OutOfTime);
    let isLate = false;
    const traffic = trafficOf(new RecordingView(state, () => isLate));
    isLate = true;
    const askOften = (): void => {
      for (const _ of apps) traffic.reach(traffic.groups[0] as Group, 'Ingress');
    };
    expect(askOften).toThrow(OutOfTime);
  });
});

describe('effectOn', () => {
  const state = stateOf(...shop);
  const [web, api, db] = ['web', 'api', 'db'].map((app) =>
    state.workloads('shop').find(({ pod: { labels } }) => labels['app'] === app),
  ) as [Workload, Workload, Workload];
  const questions: readonly FlowQuestion[] = [web, api].map((from) => ({
    from,
    to: { workload: db, protocol: 'TCP', port: 8080, serviceAddresses: [] },
  }));
  const after = state.with(resources(onlyWeb));

  it('tells what is lost with a policy, and what its removal gives back', () => {
    const { lost, gained, unsure } = effectOn(state, after, questions);
    expect(lost.map(({ question }) => question)).toEqual([questions[1]]);
    expect(lost[0]?.after.ingress.isolatedBy.map(({ metadata }) => metadata.name)).toEqual(['only-web']);
    expect([gained, unsure]).toEqual([[], []]);
    expect(effectOn(after, state, questions).gained.map(({ question }) => question)).toEqual([questions[1]]);
  });

  it('is cut where there is too much, and says so', () => {
    expect(effectOn(state, after, questions, 1)).toMatchObject({ lost: [], asked: 1, isCut: true });
    expect(effectOn(state, after, questions, 2)).toMatchObject({ asked: 2, isCut: false });
  });

  it('reads what each of its connections reads', () => {
    const [one, other] = [new RecordingView(state), new RecordingView(after)];
    effectOn(one, other, questions);
    expect(one.reads).toEqual([{ collection: 'NetworkPolicy', namespace: 'shop' }]);
    expect(other.reads).toEqual([...one.reads, { collection: 'Namespace', namespace: '', name: 'shop' }]);
  });
});

describe('shiftsBy', () => {
  const before = stateOf(...shop, pod('db-2', 'db', '10.0.0.9'), pod('cart', 'cart'));
  const after = before.with(resources(onlyWeb));
  const [written] = after.listAll('NetworkPolicy');
  const ask = (most?: number) => shiftsBy(written as NetworkPolicy, trafficOf(before), trafficOf(after), most);

  it('tells, of those that it selects, what alike workloads lose together', () => {
    const told = ask().shifts.map(({ from, to, pairs, lost, gained }) => [
      from.map(({ pod: { labels } }) => labels['app']).join(),
      to.map(({ pod: { labels } }) => labels['app']).join(),
      pairs,
      formatPorts(lost),
      formatPorts(gained),
    ]);
    expect(told).toEqual([
      ['lab', 'db', 1, 'any port', ''],
      ['api,cart', 'db', 2, 'any port', ''],
      ['web', 'db', 1, '1-8079/TCP, 8081-65535/TCP, any UDP port, any SCTP port', ''],
    ]);
  });

  it('is cut where there is too much, and says so', () => {
    expect([ask(3).isCut, ask(2).isCut, ask(2).shifts.length]).toEqual([false, true, 2]);
  });
});
