/** In which order Helm takes away what it installed. */
import { globSync, readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';
import type { RawObject } from '../../src/kube/resources.ts';
import { pathOf } from './cluster.ts';

/** Those of our kinds in helm.sh/helm/v3 pkg/releaseutil/kind_sorter.go, `UninstallOrder`; others come last. */
const helm3 = [
  ...['Service', 'Deployment', 'RoleBinding', 'Role', 'ClusterRoleBinding', 'ClusterRole'],
  ...['ConfigMap', 'Secret', 'ServiceAccount', 'PodDisruptionBudget', 'NetworkPolicy'],
];
/** helm.sh/helm/v4 pkg/release/v1/util/kind_sorter.go. */
const helm4 = ['ValidatingWebhookConfiguration', ...helm3];

const placeIn =
  (kinds: readonly string[]) =>
  (object: RawObject): number => {
    const place = kinds.indexOf(String(object['kind']));
    return place === -1 ? kinds.length : place;
  };

export const uninstallOrders: Readonly<Record<string, (object: RawObject) => number>> = {
  'Helm 3': placeIn(helm3),
  'Helm 4': placeIn(helm4),
};

const resources: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
};

const clusterScoped: ReadonlySet<string> = new Set(['ClusterRole', 'ClusterRoleBinding', 'ValidatingWebhookConfiguration']);

/** All of deploy/ but the namespace, which is not Helm's, with the collections they live in. The Service leads to this machine. */
export function removedWithUs(): readonly { readonly object: RawObject; readonly path: string }[] {
  const objects = globSync('deploy/[0-9]*.yaml').flatMap((file) => loadAll(readFileSync(file, 'utf8')) as RawObject[]);
  return objects
    .filter(({ kind }) => kind !== 'Namespace')
    .map((object) => {
      const kind = String(object['kind']);
      const path = pathOf(
        String(object['apiVersion']),
        resources[kind] ?? `${kind.toLowerCase()}s`,
        clusterScoped.has(kind) ? '' : 'portcullis',
      );
      return { object, path };
    });
}
