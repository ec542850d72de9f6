/**
 * Where a controller serves all its Ingresses at one address, a host and path belongs to one of them. A second Ingress that
 * claims the same takes the requests away, or gets none: mostly the older one wins, and each new creation turns that
 * round. Across namespaces one team takes over what belongs to another.
 */
import { z } from 'zod';
import { type Contested, contestedPaths } from '../cluster/ingress-claims.ts';
import { classOf, controllerOf } from '../cluster/ingress-classes.ts';
import { anyController, classAnnotation, type IngressController } from '../cluster/ingress-controllers.ts';
import type { UrlPath } from '../cluster/ingress-paths.ts';
import { lookedUp, rivalsTo } from '../cluster/ingress-rivals.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { dayOf } from '../kube/day.ts';
import { quoted, shorten } from '../kube/display.ts';
import { formatRef, type Ingress, refOf } from '../kube/resources.ts';

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
        why: `One of the two takes the other's requests${whichOfThem(claim)}.`,
        fixes: [
          {
            text: `choose another host or path, or ask ${claim.owner === undefined ? 'your administrators' : 'whom that namespace belongs to'}`,
          },
        ],
      }),
    },
    /** Nobody here knows whether the controller serves both at one address, or an annotation may keep them apart. */
    mayBeTaken: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'foreign',
      defects: defectsOf,
      text: (claim: Claim & { readonly owner: Ingress }): Explanation => ({
        what: takenBy(claim, claim.owner),
        why: "Unless the controller keeps the two apart, one of them takes the other's requests.",
        fixes: [{ text: 'choose another host or path, or a class of its own' }],
      }),
    },
    takenHere: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      defects: defectsOf,
      text: (claim: Claim & { readonly owner: Ingress }): Explanation => ({
        what: `${takenBy(claim, claim.owner)}, which leads elsewhere`,
        why: `Only one of the two gets requests${whichOfThem(claim)}.`,
        fixes: [{ text: `take the path out of one of them, or choose another` }],
      }),
    },
  },

  annotations: () => [
    classAnnotation,
    ...anyController.sharesWhere.map(([key]) => key),
    ...anyController.separatesBy,
    ...anyController.distinguishesBy,
  ],

  *check({ object: ingress, cluster, elsewhere, finding }) {
    const rivalsOf = rivalsTo(ingress, { cluster, elsewhere });
    for (const claim of contestedPaths(ingress, cluster)) {
      const controller = controllerFor(ingress, cluster);
      if (controller?.addresses === 'each') return;
      const path = [...claim.urlPath.at, 'path'];
      const { stranger, suspect, neighbour } = rivalsOf(claim, controller);
      const about = (owner: Ingress | undefined) => ({ ...claim, ingress, controller, owner });
      const told = lookedUp(stranger, elsewhere);
      const owner = lookedUp(suspect, elsewhere) ?? lookedUp(neighbour, cluster);
      if (lookedUp(stranger, cluster) !== undefined)
        yield finding('takenElsewhere', path, about(told), told === undefined ? [] : [refOf(told)]);
      else if (owner !== undefined) {
        const isTheirs = suspect === undefined && controller?.addresses === 'one';
        yield finding(isTheirs ? 'takenHere' : 'mayBeTaken', path, { ...about(owner), owner }, [refOf(owner)]);
      }
    }
  },
});

function controllerFor(ingress: Ingress, view: ClusterView): IngressController | undefined {
  const name = classOf(ingress);
  return name === undefined ? undefined : controllerOf(name, view);
}

interface Claim extends Contested {
  readonly ingress: Ingress;
  readonly controller: IngressController | undefined;
  /** Undefined where the reader may not know. */
  readonly owner: Ingress | undefined;
}

function defectsOf({ key }: Claim): readonly string[] {
  return [key];
}

const titleOf = ({ host, path, pathType }: UrlPath): string =>
  `${host === undefined ? 'every host' : `host ${shorten(host, 60)}`} with ${pathType} path ${quoted(path, 40)}`;

const takenBy = ({ urlPath }: Claim, owner: Ingress): string => `${titleOf(urlPath)} is also claimed by ${formatRef(refOf(owner))}`;

/** Who that is, where it is known of the controller, and how long it has been there. */
function whichOfThem({ controller, owner, ingress }: Claim): string {
  if (controller?.olderWins !== true) return ': which one, only the controller knows, and mostly it is the older';
  const [mine, theirs] = [ingress.metadata.createdMs, owner?.metadata.createdMs];
  const older = `: the older, in ${controller.title}`;
  if (owner === undefined || theirs === undefined || mine === theirs) return older;
  return mine !== undefined && mine < theirs
    ? `${older}, which is this one`
    : `${older}, which is ${formatRef(refOf(owner))} of ${dayOf(theirs)}`;
}
