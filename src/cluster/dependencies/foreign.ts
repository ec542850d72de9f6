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

/** Who reads what is said of connections. He is asked about once, and only where there is one to another namespace. */
export class ConnectionsReader {
  private readonly own: string;
  private readonly elsewhere: Elsewhere | undefined;
  private answer: boolean | undefined;

  constructor(own: string, elsewhere: Elsewhere | undefined) {
    this.own = own;
    this.elsewhere = elsewhere;
  }

  /** Whether nothing that decides about connections of other namespaces is hidden from him. */
  get seesAll(): boolean {
    this.answer ??= this.elsewhere?.mayListEverywhere(ofConnections) === true;
    return this.answer;
  }

  /** Who serves Ingresses, and who scrapes, is one that runs somewhere, and none beside it elsewhere: only of what is told by name both ends decide. */
  mayBeTold({ kind, from, to }: Dependency): boolean {
    if (kind === 'host' && [from, to.workload].every(({ metadata }) => metadata.namespace === this.own)) return true;
    return this.seesAll && this.elsewhere?.mayListEverywhere([from, to.workload].map(kindOf)) === true;
  }
}

/** Ends may be of a kind that a configuration adds. */
const kindOf = ({ apiVersion, kind }: Workload): ObjectKind => ({ group: groupOf(apiVersion), kind });
