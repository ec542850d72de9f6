/** Writes of a day in a cluster: some that we judge, and some that nobody's webhook for networking has a say in. */
import type { RawObject } from '../../src/kube/resources.ts';
import { pathOf } from './cluster.ts';
import type { Subject } from './load.ts';
import { ingress, service } from './shop.ts';

const dryRun = '?dryRun=All';

/** In a strict namespace with the Deployment `web`. Broken ones are written in earnest: a dry-run is told, not refused. */
export function judgedWrites(namespace: string): readonly Subject[] {
  const path = (apiVersion: string, resource: string): string => pathOf(apiVersion, resource, namespace);
  const networking = 'networking.k8s.io/v1';
  const named = (object: RawObject) => (name: string) => ({ ...object, metadata: { name } });
  return [
    { namespace, verdict: 'pass', path: `${path('v1', 'services')}${dryRun}`, object: named(service()) },
    { namespace, verdict: 'deny', path: path(networking, 'ingresses'), object: named(ingress('nowhere')) },
    { namespace, verdict: 'pass', path: `${path(networking, 'networkpolicies')}${dryRun}`, object: named(closed) },
    { namespace, verdict: 'deny', path: path('v1', 'services'), object: named(service({ selector: { app: 'wbe' } })) },
  ];
}

const closed: RawObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  spec: { podSelector: {}, policyTypes: ['Ingress'] },
};

interface Other {
  readonly namespace: string;
  readonly resource: string;
  readonly object: RawObject;
}

/** What a cluster needs to run and to repair itself, whoever is dead. */
export const others = (namespace: string): readonly Other[] => [
  { namespace, resource: 'configmaps', object: { apiVersion: 'v1', kind: 'ConfigMap', data: { colour: 'blue' } } },
  { namespace, resource: 'secrets', object: { apiVersion: 'v1', kind: 'Secret', stringData: { colour: 'blue' } } },
  {
    namespace,
    resource: 'pods',
    object: { apiVersion: 'v1', kind: 'Pod', spec: { containers: [{ name: 'web', image: 'registry.invalid/web' }] } },
  },
  {
    namespace: 'kube-node-lease',
    resource: 'leases',
    object: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: { holderIdentity: 'node', leaseDurationSeconds: 40 } },
  },
  { namespace: '', resource: 'nodes', object: { apiVersion: 'v1', kind: 'Node' } },
  { namespace: 'kube-system', resource: 'services', object: service() },
  { namespace: 'portcullis', resource: 'services', object: service() },
  { namespace: '', resource: 'namespaces', object: { apiVersion: 'v1', kind: 'Namespace' } },
];

export const otherWrites = (within: string): readonly Subject[] =>
  others(within).map(({ namespace, resource, object }) => ({
    namespace,
    verdict: 'unasked',
    path: `${pathOf(String(object['apiVersion']), resource, namespace)}${dryRun}`,
    object: (name) => ({ ...object, metadata: { name } }),
  }));
