/** What the rules about declared connections say to those who may list nothing in other namespaces (docs/privacy.md). */
import { expect, it } from 'vitest';
import type { Finding } from '../../src/engine/finding.ts';
import { ingressControllerBlockedByPolicy } from '../../src/rules/ingress-controller-blocked-by-policy.ts';
import { networkPolicyCutsDeclaredDependency } from '../../src/rules/network-policy-cuts-declared-dependency.ts';
import { networkPolicyWidened } from '../../src/rules/network-policy-widened.ts';
import { judge } from '../support/rule-case.ts';
import { readRuleTable } from '../support/rule-table.ts';

function foundIn(rule: typeof ingressControllerBlockedByPolicy, name: string, privacy: 'open' | 'tenant'): readonly Finding[] {
  const one = readRuleTable(`test/rules/${rule.meta.id}.yaml`).invalid.find((each) => each.name === name);
  if (one === undefined) throw new Error(`no case is called ${name}`);
  return judge(rule, { ...one, privacy }).findings;
}

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
