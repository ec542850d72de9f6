/**
 * An IngressClass stays when its controller is taken away: the class is there, and nobody serves its Ingresses. And where the
 * project of the controller has ended, as that of ingress-nginx has, it runs on and gets no security fixes any more.
 */
import { z } from 'zod';
import { type ControllerLife, controllerLives, podsOfController } from '../cluster/controller-life.ts';
import { classBehind } from '../cluster/ingress-classes.ts';
import { classAnnotation } from '../cluster/ingress-controllers.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { matchesAnyGlob } from '../kube/glob.ts';
import type { Ingress } from '../kube/resources.ts';

const classNames = z.array(z.string()).default([]);

export const ingressClassUnclaimedOrEol = defineRule({
  id: 'ingress-class-unclaimed-or-eol',
  kinds: ['Ingress'],
  orderClass: 'backward',
  summary: 'The controller of the class that an Ingress names runs, and its project goes on',
  reads: ['IngressClass', 'Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({
    runsElsewhere: classNames.describe(
      'Names of classes, with `*` for any characters, whose controller runs outside of this cluster, or in Pods that cannot be told by name or label',
    ),
    maintained: classNames.describe(
      'Names of classes, with `*` for any characters, whose controller somebody maintains though its project has ended, or has replaced',
    ),
  }),

  messages: {
    nobodyRuns: {
      severity: 'medium',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'foreign',
      text: ({ className, controller, life }: Claimed): Explanation => ({
        what: `class ${shorten(className, 60)} is for ${shorten(controller, 60)}, and no Pod in the cluster looks like one of ${life.title}`,
        why: 'Nothing serves this Ingress. Where the controller comes later in the same apply, this settles itself.',
        fixes: [{ text: `start ${life.title}, or name the class of a controller that runs` }],
      }),
    },
    /** Who writes an Ingress can mostly not change its controller: all that he gets is for whoever runs the cluster. */
    ended: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'public',
      text: ({ className, life, month }: Claimed & { readonly month: string }): Explanation => ({
        what: `class ${shorten(className, 60)} is for ${life.title}, whose project ended in ${month}`,
        why: 'It serves on, and gets no releases and no security fixes any more.',
        fixes: [
          { text: 'move to an implementation of Gateway API (ingress2gateway converts), or to an Ingress controller that is maintained' },
        ],
      }),
    },
  },

  annotations: () => [classAnnotation],

  *check({ object: ingress, cluster, known, elsewhere, offline, isSurvey, options, finding }) {
    const claimed = claimedBy(ingress, cluster);
    if (claimed === undefined) return;
    const { className, life } = claimed;
    const path = pathOf(ingress);
    // That nobody has such Pods is a fact about all namespaces: for audits, and for who may read everything.
    const mayTell = (isSurvey && !offline) || (elsewhere?.isWhole === true && !(offline && knowsNotAll(known)));
    if (mayTell && !matchesAnyGlob(options.runsElsewhere, className) && !runs(life, cluster, known))
      yield finding('nobodyRuns', path, claimed);
    else if (life.ended !== undefined && !matchesAnyGlob(options.maintained, className))
      yield finding('ended', path, { ...claimed, month: life.ended.month });
  },
});

interface Claimed {
  readonly className: string;
  /** `spec.controller` of the class. */
  readonly controller: string;
  readonly life: ControllerLife;
}

function claimedBy(ingress: Ingress, cluster: ClusterView): Claimed | undefined {
  const found = classBehind(ingress, cluster);
  const life = found && controllerLives.find(({ title }) => title === found.controller.title);
  return found && life && { className: found.className, controller: found.spec.controller, life };
}

/** Among files the controller is mostly not: that is no gap worth telling. */
const knowsNotAll = (known: ClusterView): boolean =>
  (['Pod', 'Template'] as const).some((collection) => known.coverage(collection, '*') !== 'complete');

/** Where it is found, that namespace alone is what the answer rests on: audits would else judge every Ingress again with each Pod. */
function runs(life: ControllerLife, cluster: ClusterView, known: ClusterView): boolean {
  const found = podsOfController(life, known);
  if (found === undefined) return podsOfController(life, cluster) !== undefined;
  cluster.coverage('Pod', found.namespace);
  cluster.coverage('Template', found.namespace);
  return true;
}

const pathOf = ({ spec }: Ingress): FieldPath =>
  spec.ingressClassName ? ['spec', 'ingressClassName'] : ['metadata', 'annotations', classAnnotation];
