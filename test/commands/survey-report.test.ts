import { expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { goneFrom } from '../../src/commands/survey-report.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { BaselineFinding } from '../../src/reports/baseline.ts';

const service = normalize({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' }, spec: {} });
const snapshot = ClusterSnapshot.empty({
  observedAt: 0,
  coverage: (collection, namespace) => (collection === 'Ingress' || namespace === 'closed' ? 'forbidden' : 'complete'),
}).with(service === undefined ? [] : [service]);

it.each([
  ['is there', 'Service', 'shop', 'web', false],
  ['is not in a complete list', 'Service', 'shop', 'api', true],
  ['is of a kind that was not listed', 'Ingress', 'shop', 'web', false],
  ['is in a namespace that was not listed', 'Service', 'closed', 'api', false],
  ['is of a kind that no rule judges', 'constructor', 'shop', 'web', false],
])('an object that %s', (_, kind, namespace, name, expected) => {
  const earlier: BaselineFinding = {
    ...{ ruleId: 'r', path: 'spec', what: 'x', severity: 'high', fingerprint: 'f' },
    subject: { apiVersion: 'v1', kind, namespace, name },
  };
  expect(goneFrom(snapshot)(earlier)).toBe(expected);
});
