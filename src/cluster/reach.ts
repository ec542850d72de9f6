/** How far a look at a cluster reached: what of each collection is known, everywhere and in single namespaces. */
import type { Collection } from '../kube/resources.ts';
import type { Coverage } from './view.ts';

export interface Reach {
  readonly everywhere: Coverage;
  /** Where more, or less, is known than everywhere. */
  readonly namespaces: ReadonlyMap<string, Coverage>;
  /** Of a collection of several kinds, those that are not known everywhere, by name: `statefulsets.apps`. */
  readonly parts?: ReadonlyMap<string, Omit<Reach, 'parts'>>;
}

export type Reaches = ReadonlyMap<Collection, Reach>;

/** As a snapshot asks for it. Of what no reach tells, nothing is known. */
export const coverageOf =
  (reaches: Reaches) =>
  (collection: Collection, namespace: string): Coverage => {
    const reach = reaches.get(collection);
    return reach?.namespaces.get(namespace) ?? reach?.everywhere ?? 'forbidden';
  };

const ranks: readonly Coverage[] = ['notServed', 'complete', 'partial', 'notGiven', 'forbidden', 'unsynced'];

/** Of several kinds that are one collection. */
export function together(a: Reach, b: Reach): Reach {
  const names = [...new Set([...a.namespaces.keys(), ...b.namespaces.keys()])].sort();
  const namespaces = names.map((name) => [name, worst(within(a, name), within(b, name))] as const);
  const parts = new Map([...(a.parts ?? []), ...(b.parts ?? [])]);
  return { everywhere: worst(a.everywhere, b.everywhere), namespaces: new Map(namespaces), ...(parts.size > 0 && { parts }) };
}

/** The parts of a collection that are not known in a namespace. */
export const lackingIn = ({ parts }: Reach, namespace: string): readonly string[] =>
  [...(parts ?? [])].filter(([, part]) => isLack(within(part, namespace))).map(([name]) => name);

/** What is not served is nowhere, which is known. */
export const isLack = (coverage: Coverage): boolean => coverage !== 'complete' && coverage !== 'notServed';

const within = ({ everywhere, namespaces }: Omit<Reach, 'parts'>, namespace: string): Coverage => namespaces.get(namespace) ?? everywhere;

/** What is left of both: a kind that is not served is no lack where others are. */
export const worst = (a: Coverage, b: Coverage): Coverage => (ranks.indexOf(a) > ranks.indexOf(b) ? a : b);
