/** What fixes propose to let DNS through, where it does not fit into a line. */
import { expect, it } from 'vitest';
import { allowEgressToDns } from '../../src/cluster/allow-dns.ts';
import { findResolver } from '../../src/cluster/resolver.ts';
import { ClusterSnapshot } from '../../src/cluster/snapshot.ts';
import { normalize } from '../../src/kube/normalize.ts';
import type { NetworkPolicy, RawObject, Resource } from '../../src/kube/resources.ts';
import { complete } from '../support/objects.ts';

const resourceOf = (raw: RawObject): Resource => normalize(complete(raw)) as Resource;

const ports = [
  { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
  { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
];
const containerPorts = ports.map(({ name, port, protocol }) => ({ name, containerPort: port, protocol }));
const template = (app: string, spec: RawObject): RawObject => ({ metadata: { labels: { 'k8s-app': app } }, spec });
const world: readonly RawObject[] = [
  {
    kind: 'Service',
    metadata: { name: 'kube-dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
    spec: { clusterIP: '10.96.0.10', selector: { 'k8s-app': 'kube-dns' }, ports },
  },
  {
    kind: 'Deployment',
    metadata: { name: 'coredns', namespace: 'kube-system' },
    spec: { template: template('kube-dns', { containers: [{ ports: containerPorts }] }) },
  },
  {
    kind: 'DaemonSet',
    metadata: { name: 'node-local-dns', namespace: 'kube-system' },
    spec: {
      template: template('node-local-dns', {
        hostNetwork: true,
        containers: [{ args: ['-localip', '169.254.20.10,10.96.0.10'], ports: containerPorts }],
      }),
    },
  },
];

it('opens no more than what answers, and says in words what is too long to be read', () => {
  const cluster = ClusterSnapshot.empty({ observedAt: 0, coverage: () => 'complete' }).with(world.map(resourceOf));
  const resolver = findResolver(cluster, undefined);
  const policy = resourceOf({
    kind: 'NetworkPolicy',
    metadata: { name: 'deny', namespace: 'shop' },
    spec: { podSelector: {}, policyTypes: ['Egress'] },
  }) as NetworkPolicy;
  if (resolver === undefined) throw new Error('there is no resolver');
  const { line, manifest } = allowEgressToDns(resolver, policy, 'allow-dns');
  expect(line).toBe('a rule for the Pods of kube-system/kube-dns, 169.254.20.10 and 10.96.0.10, ports 53/UDP and 53/TCP');
  expect(manifest['spec']).toMatchObject({
    egress: [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
            podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
          },
          { ipBlock: { cidr: '169.254.20.10/32' } },
          { ipBlock: { cidr: '10.96.0.10/32' } },
        ],
        ports: [{ port: 53, protocol: 'UDP' }, { port: 53 }],
      },
    ],
  });
});
