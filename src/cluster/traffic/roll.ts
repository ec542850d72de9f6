/**
 * All workloads of a cluster, numbered, and which of them a policy's peer holds. Both are kept while the workloads and the
 * namespaces stay what they are: a write of a policy asks only about its own peers.
 */
import { type Address, ipBlockHolds, parseAddress } from '../../kube/cidr.ts';
import type { NetworkPolicyPeer } from '../../kube/policy-parts.ts';
import type { LabelSelector, Labels, Namespace, Workload } from '../../kube/resources.ts';
import type { ClusterView } from '../view.ts';
import { bothOf, type Known } from './known.ts';
import { namespaceFits, podsHold } from './peers.ts';
import { type Steps, settledPairOf, textOfPair } from './selecting.ts';

/** Positions of workloads in a roll, and for each why it is not certainly held; `sure` if it is. */
export interface Held {
  readonly ends: readonly number[];
  readonly answers: readonly string[];
}

export const sure = '';

/** The workloads of one namespace: from `first` on, and by the pairs of labels that they carry. */
interface Within {
  readonly first: number;
  readonly count: number;
  readonly byPair: ReadonlyMap<string, readonly number[]>;
}

export class Roll {
  readonly ends: readonly Workload[];
  private readonly templates: readonly Workload[];
  private readonly pods: readonly Workload[];
  private readonly byNamespace: ReadonlyMap<string, Within>;
  private readonly labelsByName: ReadonlyMap<string, Labels>;
  private readonly namesBySelector = new WeakMap<LabelSelector, ReadonlyMap<string, Known>>();
  private readonly heldByPeer = new WeakMap<NetworkPolicyPeer, { readonly namespace: string; readonly held: Held; readonly book?: Book }>();
  private readonly positions: ReadonlyMap<Workload, number>;
  private readonly booksByView = new WeakMap<ClusterView, Book>();
  private lastBook: Book | undefined;

  private constructor(view: Steps, templates: readonly Workload[], pods: readonly Workload[], namespaces: readonly Namespace[]) {
    this.labelsByName = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels]));
    this.templates = templates;
    this.pods = pods;
    const groups = Map.groupBy([...templates, ...pods], ({ metadata }) => metadata.namespace);
    const inOrder = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
    this.ends = inOrder.flatMap(([, workloads]) => workloads);
    this.positions = new Map(this.ends.map((workload, at) => [workload, at]));
    let first = 0;
    this.byNamespace = new Map(
      inOrder.map(([namespace, workloads]) => {
        const within = { first, count: workloads.length, byPair: pairsOf(view, workloads, first) };
        first += workloads.length;
        return [namespace, within];
      }),
    );
  }

  /** The same one for states that differ in other things than workloads and namespaces. Reads all of both. */
  static of(view: ClusterView): Roll {
    const [templates, pods] = [view.listAll('Template'), view.listAll('Pod')];
    const namespaces = view.list('Namespace', '');
    const version = view.version('Namespace');
    const last = lastOf.get(version);
    if (last !== undefined && isSameList(last.templates, templates) && isSameList(last.pods, pods)) return last;
    const roll = new Roll(view, templates, pods, namespaces);
    lastOf.set(version, roll);
    return roll;
  }

  positionOf(workload: Workload): number | undefined {
    return this.positions.get(workload);
  }

  /** Whom a peer of a policy of this namespace holds, where a connection goes to the Pods themselves and through no Service. */
  heldBy(view: ClusterView, peer: NetworkPolicyPeer, namespace: string): Held {
    const book = peer.ipBlock === undefined ? undefined : this.bookOf(view);
    const known = this.heldByPeer.get(peer);
    if (known !== undefined && known.namespace === namespace && known.book === book) return known.held;
    const held = book === undefined ? this.selectedBy(view, peer, namespace) : this.coveredBy(view, peer, book);
    this.heldByPeer.set(peer, { namespace, held, ...(book !== undefined && { book }) });
    return held;
  }

  private selectedBy(view: Steps, peer: NetworkPolicyPeer, namespace: string): Held {
    const names =
      peer.namespaceSelector === undefined ? new Map<string, Known>([[namespace, true]]) : this.namesOf(view, peer.namespaceSelector);
    const ends: number[] = [];
    const answers: string[] = [];
    for (const [name, fits] of names)
      for (const end of this.candidatesIn(name, peer.podSelector)) {
        view.step();
        const holds = bothOf(fits, podsHold(peer.podSelector, this.ends[end] as Workload));
        if (holds === false) continue;
        ends.push(end);
        answers.push(holds === true ? sure : holds.join());
      }
    return { ends, answers };
  }

  /** The namespaces with workloads that a selector selects, or may select. */
  private namesOf(view: Steps, selector: LabelSelector): ReadonlyMap<string, Known> {
    const known = this.namesBySelector.get(selector);
    if (known !== undefined) return known;
    const names = new Map<string, Known>();
    for (const name of this.byNamespace.keys()) {
      view.step();
      const fits = namespaceFits(selector, name, () => this.labelsByName.get(name));
      if (fits !== false) names.set(name, fits);
    }
    this.namesBySelector.set(selector, names);
    return names;
  }

  private candidatesIn(namespace: string, selector: LabelSelector | undefined): Iterable<number> {
    const within = this.byNamespace.get(namespace);
    if (within === undefined) return [];
    const pair = selector && settledPairOf(selector);
    if (pair !== undefined) return within.byPair.get(pair) ?? [];
    return Array.from({ length: within.count }, (_, at) => within.first + at);
  }

  /** A block may cover any workload whose addresses are not known. */
  private coveredBy(view: Steps, { ipBlock }: NetworkPolicyPeer, book: Book): Held {
    const ends = [...this.ends.keys()].filter((end) => {
      view.step();
      const addresses = book.parsed[end];
      return ipBlock !== undefined && (addresses?.some((address) => ipBlockHolds(ipBlock, address) !== false) ?? true);
    });
    return { ends, answers: ends.map(() => 'address') };
  }

  /** The same one while no address differs. Costs a walk through all Pods, the first time. */
  bookOf(view: ClusterView): Book {
    const known = this.booksByView.get(view);
    if (known !== undefined) return known;
    const written = this.ends.map((end) => view.pods(end).addresses());
    if (this.lastBook === undefined || !isSameList(this.lastBook.written, written))
      this.lastBook = { written, parsed: written.map((addresses) => addresses?.map((address) => parseAddress(address) ?? address)) };
    this.booksByView.set(view, this.lastBook);
    return this.lastBook;
  }
}

/** The last one for a state of the namespaces. */
const lastOf = new WeakMap<object, Roll>();

/** The addresses of each workload's Pods; undefined while they are not all known. */
export interface Book {
  readonly written: readonly (readonly string[] | undefined)[];
  readonly parsed: readonly (readonly (Address | string)[] | undefined)[];
}

export const isSameList = <T>(a: readonly T[], b: readonly T[]): boolean => a.length === b.length && a.every((one, at) => one === b[at]);

function pairsOf(view: Steps, workloads: readonly Workload[], first: number): ReadonlyMap<string, readonly number[]> {
  const byPair = new Map<string, number[]>();
  for (const [at, { pod }] of workloads.entries()) {
    view.step();
    for (const key in pod.labels) {
      const pair = textOfPair(key, pod.labels[key] as string);
      const ends = byPair.get(pair);
      if (ends === undefined) byPair.set(pair, [first + at]);
      else ends.push(first + at);
    }
  }
  return byPair;
}
