import { describe, expect, it } from 'vitest';
import { RecordingView } from '../../../src/cluster/recording.ts';
import { ClusterSnapshot } from '../../../src/cluster/snapshot.ts';
import { type Destination, flow } from '../../../src/cluster/traffic/flow.ts';
import { namespaceMatches } from '../../../src/cluster/traffic/peers.ts';
import { selects } from '../../../src/cluster/traffic/selecting.ts';
import { normalize } from '../../../src/kube/normalize.ts';
import type { LabelSelector, RawObject, Workload } from '../../../src/kube/resources.ts';

const viewOf = (...objects: readonly RawObject[]): ClusterSnapshot =>
  ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(objects.flatMap((raw) => normalize(raw) ?? []));

const pod = (name: string, ip?: string, labels: RawObject = { app: name }, spec: RawObject = {}): RawObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels },
  spec,
  status: ip === undefined ? {} : { podIPs: [{ ip }] },
});
const policy = (name: string, spec: RawObject): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'shop' },
  spec: { podSelector: { matchLabels: { app: 'web' } }, ...spec },
});
const find = (view: ClusterSnapshot, app: string): Workload =>
  view.workloads('shop').find((one) => one.pod.labels['app'] === app) as Workload;
const to = (workload: Workload, serviceAddresses: readonly string[] | undefined = []): Destination => ({
  workload,
  protocol: 'TCP',
  port: 8080,
  serviceAddresses,
});
const webToApi = (...objects: readonly RawObject[]) => {
  const view = viewOf(pod('web', '10.0.0.1'), pod('api', '10.0.0.2'), ...objects);
  return flow(view, find(view, 'web'), to(find(view, 'api')));
};

describe('flow', () => {
  it('names the policies that isolate and the rule that allows', () => {
    const deny = policy('deny', { policyTypes: ['Egress'] });
    const allow = policy('allow', { policyTypes: ['Egress'], egress: [{ ports: [{ port: 53 }] }, { to: [{ podSelector: {} }] }] });
    const { answer, egress, ingress } = webToApi(deny, allow);
    expect(answer).toBe('allowed');
    expect(egress.isolatedBy.map(({ metadata }) => metadata.name)).toEqual(['allow', 'deny']);
    expect([egress.allowedBy?.policy.metadata.name, egress.allowedBy?.rule]).toEqual(['allow', 1]);
    expect(ingress).toEqual({ answer: 'allowed', isolatedBy: [], doubts: [] });
  });

  it.each([
    ['a block that holds its address', '10.0.0.0/30', 'depends', ['address']],
    ['a block that does not', '192.0.2.0/24', 'denied', []],
    ['a block that cannot be read in one way only', '010.0.0.0/8', 'depends', ['address']],
  ])('to a Pod: %s', (_, cidr, answer, doubts) => {
    const egress = policy('egress', { policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr } }] }] });
    expect(webToApi(egress)).toMatchObject({ answer, doubts });
  });

  it('does not know the addresses of a template, of a Pod that has none yet, and of a Service that is not known', () => {
    const egress = policy('egress', { policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr: '192.0.2.0/24' } }] }] });
    const template = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'api', namespace: 'shop' },
      spec: { template: { metadata: { labels: { app: 'api' } } } },
    };
    for (const [api, addresses] of [
      [template, []],
      [pod('api'), []],
      [pod('api', '10.0.0.2'), undefined],
    ] as const) {
      const view = viewOf(pod('web', '10.0.0.1'), api, egress);
      expect(flow(view, find(view, 'web'), { ...to(find(view, 'api')), serviceAddresses: addresses }).answer).toBe('depends');
    }
  });

  it('knows both addresses of a dual-stack Pod', () => {
    const dual = { ...pod('api'), status: { podIPs: [{ ip: '10.0.0.2' }, { ip: 'fd00::2' }] } };
    for (const [cidr, answer] of [
      ['fd00::/64', 'depends'],
      ['fd01::/64', 'denied'],
    ] as const) {
      const view = viewOf(pod('web'), dual, policy('egress', { policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr } }] }] }));
      expect(flow(view, find(view, 'web'), to(find(view, 'api'))).answer).toBe(answer);
    }
  });

  it('leaves Pods on the network of their host to the plugin', () => {
    const view = viewOf(
      pod('web', '10.0.0.1'),
      pod('agent', '192.168.0.1', { app: 'agent' }, { hostNetwork: true }),
      policy('both', { policyTypes: ['Ingress', 'Egress'], egress: [{ to: [{ podSelector: { matchLabels: { app: 'agent' } } }] }] }),
      policy('agents', { podSelector: { matchLabels: { app: 'agent' } }, policyTypes: ['Ingress', 'Egress'] }),
    );
    const [web, agent] = [find(view, 'web'), find(view, 'agent')];
    expect(flow(view, web, to(agent))).toMatchObject({ answer: 'depends', doubts: ['hostNetwork'] });
    expect(flow(view, agent, to(web))).toMatchObject({ answer: 'depends', doubts: ['hostNetwork', 'sameNode'] });
  });

  it('is certain under a policy that perhaps selects the Pod, if that allows it anyway', () => {
    const perhaps = { podSelector: { matchLabels: { app: 'web', 'apps.kubernetes.io/pod-index': '0' } }, policyTypes: ['Egress'] };
    expect(webToApi(policy('first', { ...perhaps, egress: [{}] })).answer).toBe('allowed');
    expect(webToApi(policy('first', { ...perhaps, egress: [] }))).toMatchObject({ answer: 'depends', doubts: ['label'] });
    expect(webToApi(policy('first', { ...perhaps, egress: [] }), policy('deny', { policyTypes: ['Egress'] })).answer).toBe('denied');
    expect(webToApi(policy('first', { ...perhaps, egress: [{}] }), policy('deny', { policyTypes: ['Egress'] })).answer).toBe('depends');
  });
});

describe('selects', () => {
  const template: Workload = {
    ...find(viewOf(pod('web')), 'web'),
    kind: 'Deployment',
  };
  const selector = (matchLabels: Record<string, string>, ...matchExpressions: LabelSelector['matchExpressions']): LabelSelector => ({
    matchLabels,
    matchExpressions,
  });

  it.each([
    [selector({ app: 'web' }), true],
    [selector({ app: 'api' }), false],
    [selector({ 'spilo-role': 'primary' }), 'label'],
    [selector({ app: 'api', 'spilo-role': 'primary' }), false],
    [selector({}, { key: 'pod-template-hash', operator: 'DoesNotExist', values: [] }), 'label'],
    [selector({}, { key: 'app', operator: 'Near', values: [] }), false],
    [selector({}, { key: 'constructor', operator: 'Exists', values: [] }), false],
  ])('%j a template: %s', (one, expected) => expect(selects(one, template)).toBe(expected));

  it.each([
    ['StatefulSet', 'label'],
    ['Cluster', 'label'],
    ['Deployment', false],
    ['CronJob', false],
  ] as const)('what has no role and is made by a %s may get one from an operator: %s', (kind, expected) =>
    expect(selects(selector({ role: 'primary' }), { ...template, kind })).toBe(expected),
  );
});

describe('namespaceMatches', () => {
  const byName = (operator: string, ...values: string[]): LabelSelector => ({
    matchLabels: {},
    matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator, values }],
  });

  it('needs no look-up for the name, which the API server sets', () => {
    const view = new RecordingView(viewOf());
    expect(namespaceMatches(view, byName('In', 'shop'), 'shop')).toBe(true);
    expect(namespaceMatches(view, { ...byName('NotIn', 'shop'), matchLabels: { team: 'a' } }, 'shop')).toBe(false);
    expect(view.reads).toEqual([]);
  });

  it('looks up every other label, and knows no key that every object has', () => {
    const view = new RecordingView(viewOf({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'a' } } }));
    expect(namespaceMatches(view, { matchLabels: { team: 'a' }, matchExpressions: [] }, 'shop')).toBe(true);
    expect(namespaceMatches(view, { matchLabels: { team: 'b' }, matchExpressions: [] }, 'shop')).toBe(false);
    const odd: LabelSelector = { matchLabels: {}, matchExpressions: [{ key: 'constructor', operator: 'Exists', values: [] }] };
    expect(namespaceMatches(view, odd, 'shop')).toBe(false);
    expect(view.reads).toEqual([{ collection: 'Namespace', namespace: '', name: 'shop' }]);
  });

  it('knows the name alone of a namespace that is not there, as in files that hold none', () => {
    const view = viewOf();
    expect(namespaceMatches(view, { matchLabels: { team: 'a' }, matchExpressions: [] }, 'shop')).toEqual(['namespace']);
    expect(
      namespaceMatches(view, { matchLabels: {}, matchExpressions: [{ key: 'team', operator: 'DoesNotExist', values: [] }] }, 'shop'),
    ).toEqual(['namespace']);
    expect(namespaceMatches(view, { ...byName('In', 'shop'), matchLabels: { team: 'a' } }, 'other')).toBe(false);
  });
});
