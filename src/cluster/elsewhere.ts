/**
 * What a rule may say of other namespaces: what its reader may list there himself (reliability.md B3). Objects of which
 * that is not known yet are left out and noted, so that the API server can be asked and the rule run again.
 */
import { groupOf } from '../kube/normalize.ts';
import type { Access } from '../kube/requester.ts';
import type { Collection, Collections, Labels, ObjectRef, Workload } from '../kube/resources.ts';
import type { ClusterView, Coverage, Found, NamedCollection, PodsOf } from './view.ts';

export interface ObjectKind {
  readonly group: string;
  readonly kind: string;
}

/** Objects of one kind in one namespace; '' for all namespaces, and for what has none. */
export interface Listing extends ObjectKind {
  readonly namespace: string;
}

export const listingKey = ({ group, kind, namespace }: Listing): string => `${group}/${kind}/${namespace}`;

/** Who reads what rules write. */
export interface Audience {
  mayList(listing: Listing): boolean;
}

/** The offline commands' reader, who holds all the files, and everybody where the configuration says `privacy: open`. */
export const everybody: Audience = { mayList: () => true };

/** A requester, as far as his rights were asked for. */
export class Requesting implements Audience {
  private readonly rights: ReadonlyMap<string, Access>;
  private readonly noted = new Map<string, Listing>();

  /** By `listingKey`. */
  constructor(rights: ReadonlyMap<string, Access>) {
    this.rights = rights;
  }

  mayList(listing: Listing): boolean {
    if (this.rights.get(listingKey({ ...listing, namespace: '' })) === 'allowed') return true;
    const key = listingKey(listing);
    const access = this.rights.get(key);
    if (access === undefined) this.noted.set(key, listing);
    return access === 'allowed';
  }

  /** What a text would have told of, if it were known that he may list it. */
  get unasked(): readonly Listing[] {
    return [...this.noted.values()];
  }
}

/** The own namespace, whose facts may always be told, and of the others what the audience may list. */
export class Elsewhere implements ClusterView {
  private readonly known: ClusterView;
  private readonly own: string;
  private readonly audience: Audience;
  private lastAsked: Asked | undefined;

  constructor(known: ClusterView, own: string, audience: Audience) {
    this.known = known;
    this.own = own;
    this.audience = audience;
  }

  /** Its reader may read everything, so that absence is a fact in every namespace. */
  get isWhole(): boolean {
    return this.audience === everybody;
  }

  /** Whether nothing of these kinds is hidden from its reader. He is asked about all of them, whatever is said of the first. */
  mayListEverywhere(kinds: readonly ObjectKind[]): boolean {
    return kinds.map((kind) => this.audience.mayList({ ...kind, namespace: '' })).every((isAllowed) => isAllowed);
  }

  /**
   * The objects that match and may be told of. To be preferred to `listAll`: what does not match needs no right, so
   * nobody is asked about it.
   */
  those<C extends Collection>(collection: C, matches: (one: Collections[C]) => boolean): readonly Collections[C][] {
    return this.known.listAll(collection).filter((one) => matches(one) && this.mayTell(one));
  }

  listAll<C extends Collection>(collection: C): readonly Collections[C][] {
    return this.those(collection, () => true);
  }

  get observedAt(): number {
    return this.known.observedAt;
  }

  get<C extends NamedCollection>(collection: C, namespace: string, name: string): Collections[C] | undefined {
    const found = this.known.get(collection, namespace, name);
    return found !== undefined && this.mayTell(found) ? found : undefined;
  }

  list<C extends Collection>(collection: C, namespace: string): readonly Collections[C][] {
    return this.known.list(collection, namespace).filter((one) => this.mayTell(one));
  }

  version(collection: NamedCollection): object {
    return this.known.version(collection);
  }

  workloads(namespace: string): readonly Workload[] {
    return this.known.workloads(namespace).filter((one) => this.mayTell(one));
  }

  workloadsSelectedBy(selector: Labels, namespace: string): readonly Workload[] {
    return this.known.workloadsSelectedBy(selector, namespace).filter((one) => this.mayTell(one));
  }

  pods(workload: Workload): PodsOf {
    return this.known.pods(workload);
  }

  /** What is left out may be there: only of the own namespace is absence a fact, and for who may read everything. */
  coverage(collection: Collection, namespace: string): Coverage {
    const hidden = namespace !== this.own && !this.isWhole;
    return hidden ? 'forbidden' : this.known.coverage(collection, namespace);
  }

  staleMs(collection: Collection): number {
    return this.known.staleMs(collection);
  }

  step(): void {
    this.known.step();
  }

  fetched(ref: ObjectRef): Found {
    const { apiVersion, kind, namespace } = ref;
    const found = this.known.fetched(ref);
    if (namespace === this.own || typeof found === 'string') return namespace === this.own ? found : 'unknown';
    return this.audience.mayList({ group: groupOf(apiVersion), kind, namespace }) ? found : 'unknown';
  }

  /** Those of one namespace stand side by side in most lists: the last answer is kept. */
  private mayTell({ apiVersion, kind, metadata: { namespace } }: Collections[Collection]): boolean {
    if (namespace === this.own) return true;
    const last = this.lastAsked;
    if (last?.namespace === namespace && last.kind === kind && last.apiVersion === apiVersion) return last.answer;
    const answer = this.audience.mayList({ group: groupOf(apiVersion), kind, namespace });
    this.lastAsked = { apiVersion, kind, namespace, answer };
    return answer;
  }
}

interface Asked {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly answer: boolean;
}
