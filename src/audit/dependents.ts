/** Which objects have to be judged again when something changes: those whose rules have looked at it. */
import type { Change } from '../cluster/snapshot.ts';
import type { Read } from '../cluster/view.ts';

/** Who looks at more places than this is taken to look at all of their kind: a policy may name thousands of namespaces. */
const mostPlaces = 64;

/** The objects are known by a key of the caller's. */
export class Dependents {
  private readonly placesOf = new Map<string, readonly string[]>();
  private readonly byPlace = new Map<string, Set<string>>();

  /** From now on the object depends on these; on none, if it is gone. */
  set(object: string, reads: readonly Read[]): void {
    for (const place of this.placesOf.get(object) ?? []) {
      const objects = this.byPlace.get(place);
      objects?.delete(object);
      if (objects?.size === 0) this.byPlace.delete(place);
    }
    const places = placesIn(reads);
    if (places.length === 0) this.placesOf.delete(object);
    else this.placesOf.set(object, places);
    for (const place of places) {
      const objects = this.byPlace.get(place);
      if (objects === undefined) this.byPlace.set(place, new Set([object]));
      else objects.add(object);
    }
  }

  /** A change without a name may concern each object of its namespace. */
  *of({ collection, namespace, name }: Change): Generator<string> {
    yield* this.byPlace.get(placeOf({ collection, namespace: '*' })) ?? [];
    yield* this.byPlace.get(placeOf({ collection, namespace })) ?? [];
    if (name !== undefined) yield* this.byPlace.get(placeOf({ collection, namespace, name })) ?? [];
  }
}

function placesIn(reads: readonly Read[]): readonly string[] {
  const places = [...new Set(reads.map(placeOf))];
  if (places.length <= mostPlaces) return places;
  return [...new Set(reads.map(({ collection }) => placeOf({ collection, namespace: '*' })))];
}

const placeOf = ({ collection, namespace, name = '' }: Change): string => `${collection}/${namespace}/${name}`;
