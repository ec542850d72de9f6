/** What the rules about declared connections say to those who may list nothing in other namespaces (docs/privacy.md). */
import { expect, it } from 'vitest';
import type { Finding } from '../../src/engine/finding.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { ingressControllerBlockedByPolicy } from '../../src/rules/ingress-controller-blocked-by-policy.ts';
import { networkPolicyCutsDeclaredDependency } from '../../src/rules/network-policy-cuts-declared-dependency.ts';
import { networkPolicyWidened } from '../../src/rules/network-policy-widened.ts';
import { judge } from '../support/rule-case.ts';
import { readRuleTable } from '../support/rule-table.ts';

function caseOf(rule: typeof ingressControllerBlockedByPolicy, name: string) {
  const one = readRuleTable(`test/rules/${rule.meta.id}.yaml`).invalid.find((each) => each.name === name);
  if (one === undefined) throw new Error(`no case is called ${name}`);
  return one;
}

const foundIn = (rule: typeof ingressControllerBlockedByPolicy, name: string, privacy: 'open' | 'tenant'): readonly Finding[] =>
  judge(rule, { ...caseOf(rule, name), privacy }).findings;

it.each([
  [networkPolicyCutsDeclaredDependency, 'Prometheus scrapes the Pods that the policy isolates'],
  [networkPolicyCutsDeclaredDependency, 'a Service asks to be scraped'],
  [networkPolicyCutsDeclaredDependency, "another namespace's workload is told of the Service"],
  [networkPolicyCutsDeclaredDependency, "a container is told of another namespace's Service"],
  [networkPolicyCutsDeclaredDependency, "the controller's own namespace lets nothing out"],
  [ingressControllerBlockedByPolicy, 'the controller may send DNS alone'],
  [networkPolicyWidened, 'a peer reaches further'],
])('%# say nothing of what others have declared: %s', (rule, name) => {
  expect(foundIn(rule, name, 'open')).toHaveLength(1);
  expect(foundIn(rule, name, 'tenant')).toEqual([]);
});

it.each([
  [networkPolicyCutsDeclaredDependency, 'the Ingress controller is not among those let in'],
  [ingressControllerBlockedByPolicy, 'a default deny stands in the namespace'],
])('%# tell what the own namespace shows, and not where the controller runs: %s', (rule, name) => {
  expect(foundIn(rule, name, 'open')[0]?.fix.manifest).toBeDefined();
  const [finding] = foundIn(rule, name, 'tenant');
  expect(finding?.fix.manifest).toBeUndefined();
  expect(JSON.stringify(finding)).not.toContain('ingress-nginx-controller');
});

/** Lets in the Pods of the own namespace and those of another one. */
const lettingIn = (namespace: string): RawObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    podSelector: { matchLabels: { app: 'web' } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: {} }, { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } }] }],
  },
});

it('say the same to who may not know where the controller runs, whichever namespace he lets in', () => {
  const cuts = caseOf(networkPolicyCutsDeclaredDependency, 'the Ingress controller is not among those let in');
  const blocked = caseOf(ingressControllerBlockedByPolicy, 'a default deny stands in the namespace');
  const inOpen = (namespace: string, privacy: 'open' | 'tenant'): readonly number[] => [
    judge(networkPolicyCutsDeclaredDependency, { ...cuts, object: lettingIn(namespace), privacy }).findings.length,
    judge(ingressControllerBlockedByPolicy, { ...blocked, cluster: [...blocked.cluster, lettingIn(namespace)], privacy }).findings.length,
  ];
  expect([inOpen('nowhere', 'open'), inOpen('ingress-nginx', 'open')]).toEqual([
    [1, 1],
    [0, 0],
  ]);
  expect([inOpen('nowhere', 'tenant'), inOpen('ingress-nginx', 'tenant')]).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

it('say the same to him whether or not the controller runs', () => {
  const cuts = caseOf(networkPolicyCutsDeclaredDependency, 'the Ingress controller is not among those let in');
  const blocked = caseOf(ingressControllerBlockedByPolicy, 'a default deny stands in the namespace');
  const without = (cluster: readonly RawObject[]) => cluster.filter(({ metadata }) => !JSON.stringify(metadata).includes('ingress-nginx'));
  for (const [rule, one] of [
    [networkPolicyCutsDeclaredDependency, cuts],
    [ingressControllerBlockedByPolicy, blocked],
  ] as const) {
    const [here, gone] = [one.cluster, without(one.cluster)].map((cluster) => judge(rule, { ...one, cluster, privacy: 'tenant' }).findings);
    expect(here).toHaveLength(1);
    expect(gone).toEqual(here);
  }
});
