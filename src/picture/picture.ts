/** Who may talk to whom, as data: what is drawn, and what a table of it says. */
import type { Direction } from '../cluster/traffic/flow.ts';
import { formatRef, type ObjectRef } from '../kube/resources.ts';

/**
 * `group`: several workloads that are alike to every policy. `missing`: what something names and nobody has made.
 * `outside`: addresses beyond the cluster.
 */
export type NodeKind = 'outside' | 'ingress' | 'service' | 'workload' | 'group' | 'missing';

export interface PictureNode {
  readonly id: string;
  readonly kind: NodeKind;
  /** '' for what is in none. */
  readonly namespace: string;
  /** `Deployment web`. */
  readonly title: string;
  /** In which directions NetworkPolicies let through only what they name. */
  readonly isolated: readonly Direction[];
}

/** `entry`: from outside. `route`: Ingress to Service. `serve`: Service to Pods. `dns`: to the resolver. `policy`: what a NetworkPolicy says. `flow`: who may talk to whom, where nothing else is drawn. */
export type EdgeKind = 'entry' | 'route' | 'tls' | 'serve' | 'dns' | 'policy' | 'flow';

/** `broken`: a finding stands on it, or it leads to nothing. `depends`: on what the API does not settle. */
export type EdgeState = 'works' | 'broken' | 'blocked' | 'depends';

export interface PictureEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
  readonly state: EdgeState;
  /** On the arrow: ports, hosts, and of a broken one what is wrong. */
  readonly label: string;
  /** What it rests on, as a phrase: the policies, the doubt, the rule. */
  readonly why: string;
}

export interface Picture {
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
  /** What was left out, in sentences. */
  readonly omitted: readonly string[];
}

/** With the group: two operators may both call a kind `Job`. */
export const idOf = (ref: ObjectRef): string => `${ref.apiVersion}/${formatRef(ref)}`;

/** With its namespace, where the title does not say it already. */
export const fullTitle = ({ kind, title, namespace }: PictureNode): string =>
  namespace === '' || kind === 'group' ? title : `${title} (${namespace})`;

/** A picture in the making: each node once, and equal edges once. */
export class Sketch {
  private readonly nodesById = new Map<string, PictureNode>();
  private readonly edgesByKey = new Map<string, PictureEdge>();
  readonly omitted: string[] = [];

  /** The id, for the edge that follows. What is there already stays as it is. */
  node(id: string, kind: NodeKind, namespace: string, title: string): string {
    if (!this.nodesById.has(id)) this.nodesById.set(id, { id, kind, namespace, title, isolated: [] });
    return id;
  }

  objectNode(kind: NodeKind, ref: ObjectRef): string {
    return this.node(idOf(ref), kind, ref.namespace, formatRef({ ...ref, namespace: '' }));
  }

  /** What is there already is said to be closed in these directions. */
  close(id: string, isolated: readonly Direction[]): void {
    const known = this.nodesById.get(id);
    if (known !== undefined) this.nodesById.set(id, { ...known, isolated });
  }

  edge(edge: PictureEdge): void {
    this.edgesByKey.set(JSON.stringify([edge.from, edge.to, edge.kind, edge.state, edge.label]), edge);
  }

  done(): Picture {
    return { nodes: [...this.nodesById.values()], edges: [...this.edgesByKey.values()], omitted: this.omitted };
  }
}
