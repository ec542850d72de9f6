/** What a table cannot say: the fix as people see it, what a denial reads again, and blame shared with the resolver's policies. */
import { describe, expect, it } from 'vitest';
import { warningLines } from '../../src/admission/warning-text.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import type { ConfiguredRule } from '../../src/engine/rule.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { NetworkPolicy, RawObject } from '../../src/kube/resources.ts';
import { networkPolicyIsolatesDns } from '../../src/rules/network-policy-isolates-dns.ts';

const rule = networkPolicyIsolatesDns.configure();

const object = (apiVersion: string, kind: string, namespace: string, name: string, spec: RawObject, labels: RawObject = {}): RawObject => ({
  apiVersion,
  kind,
  metadata: { namespace, name, labels },
  spec,
});
const deployment = (namespace: string, name: string, labels: RawObject, spec: RawObject = {}) =>
  object('apps/v1', 'Deployment', namespace, name, { template: { metadata: { labels }, spec } });
const policyOf = (namespace: string, name: string, spec: RawObject) =>
  object('networking.k8s.io/v1', 'NetworkPolicy', namespace, name, spec);

function resolver(namespace: string, name: string, selector: RawObject, port: number): readonly RawObject[] {
  const ports = [
    { port: 53, protocol: 'UDP', targetPort: port },
    { port: 53, targetPort: port },
  ];
  return [object('v1', 'Service', namespace, name, { selector, ports }), deployment(namespace, name, selector, { dnsPolicy: 'Default' })];
}

const judged = (raw: RawObject, ...held: readonly RawObject[]) => judgedBy(rule, raw, ...held);

function judgedBy(configured: ConfiguredRule, raw: RawObject, ...held: readonly RawObject[]) {
  const subject = normalize(raw) as NetworkPolicy;
  const cluster = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with([
    ...held.flatMap((one) => normalize(one) ?? []),
    subject,
  ]);
  return evaluate({ object: subject, operation: 'WRITE', before: undefined }, cluster, [configured]);
}

/** NodeLocal DNSCache, on the host's network or off it. */
const cache = (args: readonly string[], hostNetwork = true): RawObject =>
  object('apps/v1', 'DaemonSet', 'kube-system', 'node-local-dns', {
    template: { metadata: { labels: { 'k8s-app': 'node-local-dns' } }, spec: { hostNetwork, containers: [{ args }] } },
  });
const upstream = resolver('kube-system', 'kube-dns', { 'k8s-app': 'kube-dns' }, 53);

const web = deployment('shop', 'web', { app: 'web' });
const deny = policyOf('shop', 'default-deny', { podSelector: {}, policyTypes: ['Egress'] });

describe('the fix', () => {
  it.each([
    [
      resolver('kube-system', 'kube-dns', { 'k8s-app': 'kube-dns' }, 53),
      '{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: UDP}, {port: 53}]}',
    ],
    [
      // Its labels would make the line too long for a warning: words tell what the edit holds.
      resolver('openshift-dns', 'dns-default', { 'dns.operator.openshift.io/daemonset-dns': 'default' }, 5353),
      'a rule for the Pods of openshift-dns/dns-default, ports 5353/UDP and 5353/TCP',
    ],
    [
      // So do the addresses of the caches.
      [...upstream, cache(['-localip', '169.254.20.10,10.96.0.10'])],
      'a rule for the Pods of kube-system/kube-dns, 169.254.20.10 and 10.96.0.10, ports 53/UDP and 53/TCP',
    ],
    [[...upstream, cache(['-localip', 'fd00::10'])], 'a rule for the Pods of kube-system/kube-dns and fd00::10, ports 53/UDP and 53/TCP'],
    [
      // A plugin leads to caches that are Pods like others, of the same namespace and with other labels.
      [...upstream, cache(['-localip', '169.254.20.10'], false)],
      '{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}], ports: [{port: 53, protocol: UDP}, {port: 53}]}',
    ],
  ])('stands whole in a warning', (held, literal) => {
    const { findings } = judged(deny, web, ...held);
    const [what = '', fix = ''] = warningLines(
      findings.map((finding) => ({ finding })),
      [],
      () => 0,
    );
    expect(what).toMatch(/^spec\.egress: Deployment web .*cannot reach the cluster's DNS.*\[network-policy-isolates-dns\]$/);
    expect(fix).toBe(`spec.egress: add ${literal} [network-policy-isolates-dns]`);
    for (const line of [what, fix]) expect(Array.from(line).length).toBeLessThanOrEqual(240);
  });

  it('opens what the configuration knows to answer on each node', () => {
    const configured = networkPolicyIsolatesDns.configure({}, { expectedSecrets: [], dnsNodeAddresses: ['169.254.20.10'] });
    const [finding] = judgedBy(configured, deny, web, ...upstream).findings;
    expect(finding?.fix.text).toContain('and 169.254.20.10,');
    expect(finding?.fix.patch).toMatchObject([{ value: [{ to: [{}, { ipBlock: { cidr: '169.254.20.10/32' } }] }] }]);
    const spec = { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr: '169.254.20.10/32' } }] }] };
    expect(judgedBy(configured, policyOf('shop', 'to-node', spec), web, ...upstream).findings).toEqual([]);
  });

  it('names no destination where the caches on the nodes do not say where they answer', () => {
    const { findings } = judged(deny, web, ...upstream, cache([]));
    expect(findings.map(({ fix }) => fix.text)).toEqual(['add {ports: [{port: 53, protocol: UDP}, {port: 53}]}']);
  });

  it('is a policy beside it, of a name that is free, where an edit here would not help', () => {
    const keepsOut = policyOf('kube-system', 'dns', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 9153 }] }] });
    const other = deployment('kube-system', 'metrics-server', { app: 'metrics-server' });
    const { findings } = judged(keepsOut, other, ...resolver('kube-system', 'kube-dns', { 'k8s-app': 'kube-dns' }, 53));
    // Only the resolver's own ingress is at fault: no egress rule can repair that, and none is claimed to.
    expect(findings).toHaveLength(1);
    expect(findings[0]?.fix.patch ?? findings[0]?.fix.manifest).toBeUndefined();
    expect(findings[0]?.fix.text).toContain('ingress from kube-system');
  });
});

it('reads again before a denial no more than the live look may', () => {
  const { readsOf } = judged(deny, web, ...resolver('openshift-dns', 'dns-default', { app: 'dns' }, 53));
  const confirmed = readsOf(rule.meta.id).filter(({ collection }) => rule.meta.confirms?.includes(collection));
  expect(confirmed.every(({ namespace }) => namespace !== '*')).toBe(true);
  expect(confirmed.length).toBeGreaterThan(3);
  expect(confirmed.length).toBeLessThanOrEqual(8);
});

it('reads of the resolver only its own Pods, not all of its namespace', () => {
  const { readsOf } = judged(deny, web, ...resolver('kube-system', 'kube-dns', { 'k8s-app': 'kube-dns' }, 53));
  const pods = readsOf(rule.meta.id).filter(({ collection, namespace }) => collection === 'Pod' && namespace === 'kube-system');
  expect(pods.map(({ selector }) => ({ ...selector }))).toEqual([{ 'k8s-app': 'kube-dns' }]);
});

it('names each workload as a defect of its own', () => {
  const [finding] = judged(
    deny,
    web,
    deployment('shop', 'api', { app: 'api' }),
    ...resolver('kube-system', 'kube-dns', { app: 'dns' }, 53),
  ).findings;
  expect(finding?.defects).toHaveLength(2);
});
