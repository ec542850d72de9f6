/** The rules about DNS together: of one Pod that cannot ask, one of them speaks; of the well-known recipes none does. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { dnsNodeLocalNotAllowed } from '../../src/rules/dns-node-local-not-allowed.ts';
import { dnsPortNotPodPort } from '../../src/rules/dns-port-not-pod-port.ts';
import { dnsResolverIsolated } from '../../src/rules/dns-resolver-isolated.ts';
import { dnsRuleMissesResolver } from '../../src/rules/dns-rule-misses-resolver.ts';
import { dnsUdpOnly } from '../../src/rules/dns-udp-only.ts';
import { networkPolicyIsolatesDns } from '../../src/rules/network-policy-isolates-dns.ts';
import { runs } from '../support/figures.ts';
import { complete } from '../support/objects.ts';
import { judgedOf } from '../support/rule-case.ts';
import { resourcesOf, ruleWorld } from '../support/rule-worlds.ts';
import { dnsService } from '../support/usual-objects.ts';

const causes = [networkPolicyIsolatesDns, dnsRuleMissesResolver, dnsPortNotPodPort];
const configured = [...causes, dnsNodeLocalNotAllowed, dnsUdpOnly, dnsResolverIsolated].map((rule) => rule.configure());

function findingsOf(policy: RawObject, cluster: readonly RawObject[]) {
  const object = judgedOf(policy);
  const view = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with([...resourcesOf(cluster), object]);
  return evaluate({ object, operation: 'WRITE', before: undefined }, view, configured).findings;
}

it('one rule alone says why Pods cannot ask, and says no more of how they ask', () => {
  const said = new Map<string, number>();
  fc.assert(
    fc.property(ruleWorld(['NetworkPolicy']), ({ object, cluster }) => {
      const found = findingsOf(object, cluster).filter(({ ruleId }) => causes.some(({ meta }) => meta.id === ruleId));
      for (const { ruleId } of found) said.set(ruleId, (said.get(ruleId) ?? 0) + 1);
      // One finding, or two of two rules that speak of different Pods.
      const workloads = found.flatMap(({ defects }) => defects.map((defect) => (JSON.parse(defect) as string[]).at(-1)));
      expect(new Set(workloads).size).toBe(workloads.length);
    }),
    { numRuns: runs(800, 20_000), seed: 7 },
  );
  expect([...said.keys()].sort()).toEqual(causes.map(({ meta }) => meta.id).sort());
});

const upstream: readonly RawObject[] = [
  dnsService,
  workload('kube-system', 'coredns', 'k8s-app', 'kube-dns', { dnsPolicy: 'Default' }),
  workload('default', 'web', 'app', 'foo'),
  workload('default', 'db', 'role', 'db'),
].map((one) => complete(one));

function workload(namespace: string, name: string, key: string, value: string, spec: RawObject = {}): RawObject {
  const template = { metadata: { labels: { [key]: value } }, spec: { containers: [{ name: 'main' }], ...spec } };
  return { kind: 'Deployment', metadata: { namespace, name }, spec: { template } };
}

const both = [{ port: 53, protocol: 'UDP' }, { port: 53 }];
const kubeDns = { namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } };
const allowDns = { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [kubeDns], ports: both }] };

describe('of these nothing is said', () => {
  const recipes: readonly (readonly [name: string, spec: RawObject, beside?: RawObject])[] = [
    ['deny all ingress', { podSelector: {}, policyTypes: ['Ingress'] }],
    ['allow all egress', { podSelector: {}, policyTypes: ['Egress'], egress: [{}] }],
    ['allow the same namespace in', { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }],
    [
      'allow from an ingress controller',
      { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'edge' } } }] }] },
    ],
    ['deny egress except DNS', { podSelector: { matchLabels: { app: 'foo' } }, policyTypes: ['Egress'], egress: [{ ports: both }] }],
    [
      'egress inside the cluster, and DNS',
      {
        podSelector: { matchLabels: { app: 'foo' } },
        policyTypes: ['Egress'],
        egress: [{ ports: both }, { to: [{ namespaceSelector: {} }] }],
      },
    ],
    ['allow DNS to kube-dns, in any namespace', allowDns],
    ['deny all, beside a policy that allows DNS', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }, allowDns],
    [
      'the example of the documentation, beside a policy that allows DNS',
      {
        podSelector: { matchLabels: { role: 'db' } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: [{ ipBlock: { cidr: '172.17.0.0/16', except: ['172.17.1.0/24'] } }], ports: [{ protocol: 'TCP', port: 6379 }] }],
        egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/24' } }], ports: [{ protocol: 'TCP', port: 5978 }] }],
      },
      allowDns,
    ],
  ];
  it.each(recipes.map(([name, spec, beside]) => ({ name, spec, beside })))('$name', ({ spec, beside }) => {
    const policyOf = (name: string, of: RawObject) =>
      complete({ kind: 'NetworkPolicy', metadata: { name, namespace: 'default' }, spec: of });
    const others = beside === undefined ? [] : [policyOf('beside', beside)];
    expect(findingsOf(policyOf('recipe', spec), [...upstream, ...others])).toEqual([]);
  });
});
