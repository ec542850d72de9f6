/**
 * By key, the Ingresses that claim it. One state of the cluster differs from the one before in an Ingress or two, and each
 * write makes a state: so the index is carried from state to state, and what was done of it counts where time runs out.
 */
import type { Ingress } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

export class ClaimsIndex {
  private readonly keysOf: (ingress: Ingress) => Iterable<string>;
  private readonly byKey = new Map<string, Ingress[]>();
  private readonly held = new Set<Ingress>();
  /** The state that it is of; undefined on the way to another one. */
  private version: object | undefined;

  /** The same Ingress has the same keys every time. */
  constructor(keysOf: (ingress: Ingress) => Iterable<string>) {
    this.keysOf = keysOf;
  }

  /** In order of namespace and name; good until the next call. */
  claimants(key: string, view: ClusterView): readonly Ingress[] {
    this.bringTo(view);
    return this.byKey.get(key) ?? [];
  }

  private bringTo(view: ClusterView): void {
    const version = view.version('Ingress');
    if (this.version === version) return;
    const wanted = new Set(view.listAll('Ingress'));
    this.version = undefined;
    for (const gone of this.held) if (!wanted.has(gone)) this.change(gone, view, removeFrom);
    for (const come of wanted) if (!this.held.has(come)) this.change(come, view, insertInto);
    this.version = version;
  }

  /** The clock is looked at behind it, so that each Ingress is in it or not. */
  private change(ingress: Ingress, view: ClusterView, edit: typeof insertInto): void {
    let steps = 0;
    for (const key of this.keysOf(ingress)) {
      const claimants = this.byKey.get(key) ?? [];
      edit(claimants, ingress);
      if (claimants.length === 0) this.byKey.delete(key);
      else this.byKey.set(key, claimants);
      steps++;
    }
    if (!this.held.delete(ingress)) this.held.add(ingress);
    for (; steps >= 0; steps--) view.step();
  }
}

function insertInto(claimants: Ingress[], ingress: Ingress): void {
  claimants.splice(placeIn(claimants, ingress), 0, ingress);
}

/** There are never two of one name, but on the way from one state to the next. */
function removeFrom(claimants: Ingress[], ingress: Ingress): void {
  claimants.splice(claimants.indexOf(ingress, placeIn(claimants, ingress)), 1);
}

/** Where it stands or would stand: before the first that does not come before it. */
function placeIn(claimants: readonly Ingress[], ingress: Ingress): number {
  let low = 0;
  let high = claimants.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(claimants[middle] as Ingress, ingress)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const isBefore = ({ metadata: a }: Ingress, { metadata: b }: Ingress): boolean =>
  a.namespace === b.namespace ? a.name < b.name : a.namespace < b.namespace;
