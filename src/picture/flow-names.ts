/** Sets of workloads in words, as short as they can be said. */
import { shorten } from '../kube/display.ts';
import { listed } from '../kube/listed.ts';
import type { Alike } from './flow-sets.ts';

/** So many workloads are told one by one, and so many exceptions. */
const mostNames = 4;
const mostExceptions = 2;

/** Names sets of workloads among all that there are. */
export class Names {
  private readonly all: readonly Alike[];
  private readonly byNamespace: ReadonlyMap<string, readonly Alike[]>;

  constructor(all: readonly Alike[]) {
    this.all = all;
    this.byNamespace = Map.groupBy(all, ({ namespace }) => namespace);
  }

  /** Whether these are all workloads, but for those at the other end, if they are one set. */
  areAll(sets: readonly Alike[], others: readonly Alike[] = []): boolean {
    const [other] = others;
    const isOtherMissing = others.length === 1 && other !== undefined && !sets.includes(other);
    return sets.length + Number(isOtherMissing) === this.all.length;
  }

  /** `shop/web`, `every workload of shop`, `every workload but shop/web`. */
  of(sets: readonly Alike[], others: readonly Alike[] = []): string {
    const [first] = this.byNamespace.keys();
    const areMany = this.byNamespace.size > 1;
    if (this.all.length > 1 && this.areAll(sets, others)) return areMany ? 'every workload' : `every workload of ${first}`;
    // What Pods of one workload say to each other is not what a line is about.
    const only = others.length === 1 ? others[0] : undefined;
    const meant = only?.members.length === 1 && sets.length > 1 ? sets.filter((set) => set !== only) : sets;
    const parts = [...Map.groupBy(meant, ({ namespace }) => namespace)].map(([namespace, some]) => this.within(namespace, some, only));
    const whole = parts.flatMap(({ every }) => every ?? []);
    const some = parts.flatMap(({ names }) => names);
    const absent = without(this.all, meant);
    if (whole.length + some.length > 1 && areMany && countOf(absent) <= mostExceptions && countOf(meant) > mostNames)
      return `every workload but ${inFull(absent.flatMap(namesOf))}`;
    const every = whole.length === 0 ? [] : [`every workload of ${inFull(whole, mostNames)}`];
    return [...every, ...(some.length === 0 ? [] : [inFull(some, mostNames)])].join('; ');
  }

  /** Of one namespace: all of it, all but a few, or names. */
  private within(namespace: string, sets: readonly Alike[], other?: Alike): { readonly every?: string; readonly names: readonly string[] } {
    const absent = without(this.byNamespace.get(namespace) ?? [], other?.members.length === 1 ? [...sets, other] : sets);
    const [count, missing] = [countOf(sets), countOf(absent)];
    if (count < 2 || (missing > 0 && count <= mostNames)) return { names: sets.flatMap(namesOf) };
    if (missing > mostExceptions) {
      const short = sets
        .slice(0, mostNames)
        .flatMap(namesOf)
        .map((name) => name.slice(namespace.length + 1));
      return { names: [`${count} workloads of ${namespace} (${short.slice(0, 2).join(', ')} and ${count - 2} more)`] };
    }
    return { every: missing === 0 ? namespace : `${namespace} (but ${inFull(absent.flatMap(namesOf))})`, names: [] };
  }
}

const countOf = (sets: readonly Alike[]): number => sets.reduce((sum, { members }) => sum + members.length, 0);

function without(all: readonly Alike[], sets: readonly Alike[]): readonly Alike[] {
  const present = new Set(sets);
  return all.filter((set) => !present.has(set));
}

/** A namespace, a kind and a name of Kubernetes are never longer; in a file anything may stand. */
const mostRunes = 350;

/** Safe to print, and whole: to be given to `explain flow`. */
export const namesOf = ({ members }: Alike): readonly string[] => members.map(({ name }) => shorten(name, mostRunes));

/** What has been made short already, or must not be cut: names, and phrases of several names. */
export const inFull = (phrases: readonly string[], limit?: number): string => listed(phrases, limit, Number.POSITIVE_INFINITY);
