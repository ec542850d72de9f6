import { expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { parseConfiguration } from '../../src/config/settings.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { RawObject, Resource } from '../../src/kube/resources.ts';
import { networkPolicyCutsCriticalSystem } from '../../src/rules/network-policy-cuts-critical-system.ts';
import { judgedOf } from '../support/rule-case.ts';

const resource = (raw: RawObject): Resource => normalize(raw) as Resource;

function foundIn(namespace: string, configuration: RawObject): readonly string[] {
  const policy = judgedOf({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'default-deny', namespace },
    spec: { podSelector: {}, policyTypes: ['Ingress'] },
  });
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{}] } };
  const cluster = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with([
    policy,
    resource({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace }, spec: { template } }),
    resource({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    }),
  ]);
  const { rules } = parseConfiguration({ apiVersion: 'portcullis.dev/v1', ...configuration }, [networkPolicyCutsCriticalSystem]);
  const { findings } = evaluate({ object: policy, operation: 'WRITE', before: undefined }, cluster, rules);
  return findings.map(({ messageId }) => messageId);
}

it('guards the namespaces that the configuration protects, and no others', () => {
  expect(foundIn('kube-system', {})).toEqual(['nobodyReaches']);
  expect(foundIn('infra', {})).toEqual([]);
  expect(foundIn('infra', { protectedNamespaces: ['infra'] })).toEqual(['nobodyReaches']);
  expect(foundIn('kube-system', { protectedNamespaces: ['infra'] })).toEqual([]);
});
