/** Of those who claim what an Ingress claims, the ones that a person should hear of. */
import type { Ingress } from '../kube/resources.ts';
import { type Contested, counterpartOf, isSame, leadToTheSame } from './ingress-claims.ts';
import type { IngressController } from './ingress-controllers.ts';
import { meetingOf, sharesForCertain } from './ingress-meetings.ts';
import { matchKeyOf } from './ingress-paths.ts';
import type { ClusterView } from './view.ts';

/** The first of each sort. */
export interface Rivals {
  /** Of another namespace, for certain; one that may be named, if there is one: whether others stand before it must not show. */
  readonly stranger?: Ingress;
  /** Of another namespace, perhaps, and it may be named. */
  readonly suspect?: Ingress;
  /** Of this namespace, and it leads elsewhere. */
  readonly neighbour?: Ingress;
}

interface Views {
  readonly cluster: ClusterView;
  /** What the reader may know of other namespaces. */
  readonly elsewhere: ClusterView | undefined;
}

/** Found once for all paths that are the same, since there may be thousands of them, and of those who claim it. */
export function rivalsTo(ingress: Ingress, views: Views): (claim: Contested, controller: IngressController | undefined) => Rivals {
  const known = new Map<string, Rivals>();
  return (claim, controller) => {
    const name = JSON.stringify([claim.key, matchKeyOf(claim.urlPath), claim.urlPath.backend]);
    const found = known.get(name) ?? rivalsAmong(claim, { ingress, controller }, views);
    known.set(name, found);
    return found;
  };
}

interface Of {
  readonly ingress: Ingress;
  readonly controller: IngressController | undefined;
}

function rivalsAmong(claim: Contested, of: Of, views: Views): Rivals {
  let rivals: Rivals = {};
  if (sharesForCertain(of.ingress, of.controller)) return rivals;
  for (const one of claim.claimants) {
    views.cluster.step();
    if (rivals.neighbour !== undefined && isNeighbour(one, of.ingress)) continue;
    const as = roleOf(one, claim, of);
    if (as === undefined) continue;
    const mayBeNamed = as === 'neighbour' || lookedUp(one, views.elsewhere) !== undefined;
    if (as === 'stranger' && mayBeNamed) return { ...rivals, stranger: one };
    if (as === 'stranger' || mayBeNamed) rivals = { [as]: one, ...rivals };
  }
  return rivals;
}

/** As what a claimant counts; undefined if the two do not meet, or mean the same. */
function roleOf(one: Ingress, claim: Contested, { ingress, controller }: Of): keyof Rivals | undefined {
  const theirs = isSame(one, ingress) ? undefined : counterpartOf(claim, one, controller);
  const meeting = theirs === undefined ? 'never' : meetingOf(ingress, one, controller);
  if (theirs === undefined || meeting === 'never') return undefined;
  if (!isNeighbour(one, ingress)) return meeting === 'surely' ? 'stranger' : 'suspect';
  return leadToTheSame(claim.urlPath, theirs) ? undefined : 'neighbour';
}

const isNeighbour = ({ metadata: a }: Ingress, { metadata: b }: Ingress): boolean => a.namespace === b.namespace;

/** By its name, so that it is this one which is read again before a denial. */
export const lookedUp = (other: Ingress | undefined, view: ClusterView | undefined): Ingress | undefined =>
  other && view?.get('Ingress', other.metadata.namespace, other.metadata.name);
