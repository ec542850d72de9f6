/** How far a look at a cluster reached: what of each collection is known, everywhere and in single namespaces. */
import type { Collection } from '../kube/resources.ts';
import type { Coverage } from './view.ts';

export interface Reach {
  readonly everywhere: Coverage;
  /** Where more, or less, is known than everywhere. */
  readonly namespaces: ReadonlyMap<string, Coverage>;
}

export type Reaches = ReadonlyMap<Collection, Reach>;

/** As a snapshot asks for it. Of what no reach tells, nothing is known. */
export const coverageOf =
  (reaches: Reaches) =>
  (collection: Collection, namespace: string): Coverage => {
    const reach = reaches.get(collection);
    return reach?.namespaces.get(namespace) ?? reach?.everywhere ?? 'forbidden';
  };

const ranks: readonly Coverage[] = ['notServed', 'complete', 'notGiven', 'forbidden', 'unsynced'];

/** Of several kinds that are one collection. */
export function together(a: Reach, b: Reach): Reach {
  const names = [...new Set([...a.namespaces.keys(), ...b.namespaces.keys()])].sort();
  const namespaces = names.map((name) => [name, worst(within(a, name), within(b, name))] as const);
  return { everywhere: worst(a.everywhere, b.everywhere), namespaces: new Map(namespaces) };
}

const within = ({ everywhere, namespaces }: Reach, namespace: string): Coverage => namespaces.get(namespace) ?? everywhere;

/** What is left of both: a kind that is not served is no lack where others are. */
export const worst = (a: Coverage, b: Coverage): Coverage => (ranks.indexOf(a) > ranks.indexOf(b) ? a : b);
