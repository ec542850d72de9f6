/**
 * Where a controller serves all its Ingresses at one address, a host and path belongs to one of them. A second Ingress that
 * claims the same takes the requests away, or gets none: mostly the older one wins, and each new creation turns that
 * round. Across namespaces one team takes over what belongs to another.
 */
import { z } from 'zod';
import { type Contested, contestedPaths, isSame, leadsToTheSame } from '../cluster/ingress-claims.ts';
import { classOf, controllerOf } from '../cluster/ingress-classes.ts';
import { classAnnotation, distinguishingAnnotations, type IngressController, sharingAnnotations } from '../cluster/ingress-controllers.ts';
import type { UrlPath } from '../cluster/ingress-paths.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { quoted, shorten } from '../kube/display.ts';
import { formatRef, type Ingress, type ObjectRef, refOf } from '../kube/resources.ts';

export const ingressHostPathConflict = defineRule({
  id: 'ingress-host-path-conflict',
  kinds: ['Ingress'],
  orderClass: 'exclusive',
  summary: 'No other Ingress of the same class claims the same host and path',
  reads: ['Ingress', 'IngressClass'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    takenElsewhere: {
      severity: 'critical',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'foreign',
      defects: defectsOf,
      text: (claim: Claim): Explanation => ({
        what: claim.owner === undefined ? `${titleOf(claim.urlPath)} is already taken in the cluster` : takenBy(claim, claim.owner),
        why: `One of the two takes the other's requests: which one, only the controller knows, and mostly it is the older.`,
        fixes: [
          {
            text: `choose another host or path, or ask ${claim.owner === undefined ? 'your administrators' : 'whom that namespace belongs to'}`,
          },
        ],
      }),
    },
    /** Nobody here knows whether this controller serves all its Ingresses at one address. */
    mayBeTaken: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'foreign',
      defects: defectsOf,
      text: (claim: Claim & { readonly owner: ObjectRef }): Explanation => ({
        what: takenBy(claim, claim.owner),
        why: "Where the controller serves both at one address, one of them takes the other's requests.",
        fixes: [{ text: 'choose another host or path, or a class of its own' }],
      }),
    },
    takenHere: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      defects: defectsOf,
      text: (claim: Claim & { readonly owner: ObjectRef }): Explanation => ({
        what: `${takenBy(claim, claim.owner)}, which leads elsewhere`,
        why: 'One of the two gets no requests: which one, only the controller knows, and mostly it is the newer.',
        fixes: [{ text: `take the path out of one of them, or choose another` }],
      }),
    },
  },

  annotations: () => [classAnnotation, ...sharingAnnotations.map(([key]) => key), ...distinguishingAnnotations],

  *check({ object: ingress, cluster, elsewhere, finding }) {
    const rivalsOf = rivalsTo(ingress, cluster, elsewhere);
    for (const claim of contestedPaths(ingress, cluster)) {
      const addresses = addressesOf(ingress, cluster);
      if (addresses === 'each') return;
      const path = [...claim.urlPath.at, 'path'];
      const [stranger, neighbour] = rivalsOf(claim);
      const told = lookedUp(stranger, elsewhere);
      const owner = told ?? lookedUp(neighbour, cluster);
      const related = owner === undefined ? [] : [owner];
      if (addresses !== 'one') yield* related.map((one) => finding('mayBeTaken', path, { ...claim, owner: one }, related));
      else if (lookedUp(stranger, cluster) !== undefined)
        yield finding('takenElsewhere', path, { ...claim, owner: told }, told === undefined ? [] : [told]);
      else yield* related.map((one) => finding('takenHere', path, { ...claim, owner: one }, related));
    }
  },
});

function addressesOf(ingress: Ingress, view: ClusterView): IngressController['addresses'] {
  const name = classOf(ingress);
  return name === undefined ? undefined : controllerOf(name, view)?.addresses;
}

/** By its name, so that it is this one which is read again before a denial. */
function lookedUp(other: Ingress | undefined, view: ClusterView | undefined): ObjectRef | undefined {
  const found = other && view?.get('Ingress', other.metadata.namespace, other.metadata.name);
  return found && refOf(found);
}

interface Claim extends Contested {
  /** Undefined where the reader may not know. */
  readonly owner: ObjectRef | undefined;
}

function defectsOf({ key }: Claim): readonly string[] {
  return [key];
}

type Rivals = readonly [stranger: Ingress | undefined, neighbour: Ingress | undefined];

/**
 * The first that stands in another namespace, and the first of this one that leads elsewhere. Of strangers one that may be
 * named, if there is one: whether others stand before it must not show. Found once for all paths that are the same, since
 * there may be thousands of them, and of those who claim it.
 */
function rivalsTo(ingress: Ingress, view: ClusterView, elsewhere: ClusterView | undefined): (claim: Contested) => Rivals {
  const isNeighbour = ({ metadata }: Ingress): boolean => metadata.namespace === ingress.metadata.namespace;
  const mayBeNamed = (one: Ingress): boolean => {
    view.step();
    return !isNeighbour(one) && lookedUp(one, elsewhere) !== undefined;
  };
  const known = new Map<string, Rivals>();
  return (claim) => {
    const { claimants, key, urlPath } = claim;
    const name = JSON.stringify([key, urlPath.backend]);
    const leadsElsewhere = (one: Ingress): boolean => {
      view.step();
      return isNeighbour(one) && !isSame(one, ingress) && !leadsToTheSame(claim, one);
    };
    const found = known.get(name) ?? [
      claimants.find(mayBeNamed) ?? claimants.find((one) => !isNeighbour(one)),
      claimants.find(leadsElsewhere),
    ];
    known.set(name, found);
    return found;
  };
}

const titleOf = ({ host, path, pathType }: UrlPath): string =>
  `${host === undefined ? 'every host' : `host ${shorten(host, 60)}`} with ${pathType} path ${quoted(path, 40)}`;

const takenBy = ({ urlPath }: Claim, owner: ObjectRef): string => `${titleOf(urlPath)} is also claimed by ${formatRef(owner)}`;
