/** Whether policies let one workload reach another, asked of very many pairs. */
import { type Destination, type Direction, type Flow, flow, type PortOfPod, rulesOf, selects } from '../cluster/traffic.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { NetworkPolicy, Workload } from '../kube/resources.ts';

/**
 * The answers of `flow`. A policy that selects neither end has no say (rules.md D.4), and most select neither: which do
 * is found out once for each workload, and `flow` is shown no other.
 */
export class Flows {
  private readonly view: ClusterView;
  private readonly narrow: ClusterView;
  private readonly policiesOf = new Map<Workload, readonly NetworkPolicy[]>();
  private shown: readonly NetworkPolicy[] = [];

  constructor(view: ClusterView) {
    this.view = view;
    const list = (collection: Parameters<ClusterView['list']>[0], namespace: string) =>
      collection === 'NetworkPolicy'
        ? this.shown.filter(({ metadata }) => metadata.namespace === namespace)
        : view.list(collection, namespace);
    this.narrow = Object.create(view, { list: { value: list } }) as ClusterView;
  }

  between(from: Workload, to: Destination): Flow {
    const [one, other] = [this.selecting(from), this.selecting(to.workload)];
    this.shown = one === other ? one : [...new Set([...one, ...other])];
    return flow(this.narrow, from, to);
  }

  /** The port numbers that policies about these Pods name, for what reaches them or for what they reach. */
  portsNamed(workload: Workload, direction: Direction): readonly PortOfPod[] {
    const ports = this.selecting(workload).flatMap((policy) => rulesOf(policy, direction).flatMap(({ ports: those = [] }) => those));
    return ports.flatMap(({ port, protocol }) => (typeof port === 'number' ? [{ port, protocol }] : []));
  }

  /** The policies that select such Pods, or may. */
  private selecting(workload: Workload): readonly NetworkPolicy[] {
    const known = this.policiesOf.get(workload);
    if (known !== undefined) return known;
    const found = this.view.list('NetworkPolicy', workload.metadata.namespace).filter(({ spec }) => {
      this.view.step();
      return selects(spec.podSelector, workload) !== false;
    });
    this.policiesOf.set(workload, found);
    return found;
  }
}
