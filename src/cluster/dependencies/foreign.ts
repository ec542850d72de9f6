/**
 * Who may be told of connections from or to another namespace. They hang on more than what stands at their ends: the Service in
 * between, all Pods behind it, policies of both ends, and the namespaces' labels. Who may not list one of these in every
 * namespace would learn of it by writing policies.
 */
import { groupOf } from '../../kube/normalize.ts';
import { builtInWorkloads } from '../../kube/normalize-workload.ts';
import type { Workload } from '../../kube/resources.ts';
import type { Elsewhere, ObjectKind } from '../elsewhere.ts';
import type { Dependency } from './dependency.ts';

const ofConnections: readonly ObjectKind[] = [
  { group: '', kind: 'Namespace' },
  { group: '', kind: 'Pod' },
  { group: '', kind: 'Service' },
  { group: 'networking.k8s.io', kind: 'Ingress' },
  { group: 'networking.k8s.io', kind: 'NetworkPolicy' },
  ...builtInWorkloads.map(({ apiVersion, kind }) => ({ group: groupOf(apiVersion), kind })),
];

/** Tells of connections one by one. He is asked about once, and only where there is one to another namespace. */
export function mayBeTold(own: string, elsewhere: Elsewhere | undefined): (dependency: Dependency) => boolean {
  let seesAll: boolean | undefined;
  return ({ kind, from, to }) => {
    const isToOwn = to.workload.metadata.namespace === own;
    // Which controller serves a class everybody may know; an own Ingress tells the rest.
    if (isToOwn && (kind === 'ingress' || from.metadata.namespace === own)) return true;
    seesAll ??= elsewhere?.mayListEverywhere(ofConnections) === true;
    return seesAll && elsewhere?.mayListEverywhere([from, to.workload].map(kindOf)) === true;
  };
}

/** Ends may be of a kind that a configuration adds. */
const kindOf = ({ apiVersion, kind }: Workload): ObjectKind => ({ group: groupOf(apiVersion), kind });
