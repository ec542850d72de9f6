/** What a table cannot say, since whoever plays it may list everything: what others are told. */
import { expect, it } from 'vitest';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { evaluate } from '../../src/engine/evaluate.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { Service } from '../../src/kube/resources.ts';
import { serviceNodePortHostPortCollision } from '../../src/rules/service-node-port-host-port-collision.ts';
import { complete } from '../support/objects.ts';

const service = normalize(
  complete({
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] },
  }),
) as Service;
const agent = complete({
  kind: 'DaemonSet',
  metadata: { name: 'agent', namespace: 'monitoring' },
  spec: { template: { spec: { containers: [{ ports: [{ containerPort: 80, hostPort: 30080 }] }] } } },
});
const cluster = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with([
  service,
  ...[agent].flatMap((one) => normalize(one) ?? []),
]);

it.each([
  ['may list nothing there', () => false, 0],
  [
    'may list DaemonSets there',
    ({ kind, namespace }: { kind: string; namespace: string }) => kind === 'DaemonSet' && namespace === 'monitoring',
    1,
  ],
])('who %s', (_, mayList, told) => {
  const subject = { object: service, operation: 'WRITE', before: undefined } as const;
  const { findings } = evaluate(subject, cluster, [serviceNodePortHostPortCollision.configure()], { audience: { mayList } });
  expect(findings).toHaveLength(told);
});
