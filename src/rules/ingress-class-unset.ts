/**
 * An Ingress without a class is served only by controllers that take such ones. The API server gives an Ingress the
 * default IngressClass when it is created, and at no other time: where there was none then, it stays without, and nobody
 * serves it.
 */
import { z } from 'zod';
import { leavesUnset } from '../cluster/ingress-classes.ts';
import { classAnnotation } from '../cluster/ingress-controllers.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { listed } from '../kube/listed.ts';
import type { IngressClass } from '../kube/resources.ts';

const path = ['spec', 'ingressClassName'] as const;

export const ingressClassUnset = defineRule({
  id: 'ingress-class-unset',
  kinds: ['Ingress'],
  orderClass: 'backward',
  summary: 'An Ingress has a class, unless a controller takes those without',
  reads: ['IngressClass'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    noDefault: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'public',
      text: ({ classes }: Unset): Explanation => ({
        what: `it names no class, and ${classes.length === 1 ? 'the only one there is,' : 'none of'} ${listed(classes.map(({ metadata }) => metadata.name))}${classes.length === 1 ? ', is not' : ' is'} the default`,
        why: 'The controllers of these classes leave such an Ingress alone, so nothing serves it.',
        fixes: fixesFor(classes, classes.length === 1 ? classes[0] : undefined),
      }),
    },
    /** It was created before there was a default, or lost its class. */
    defaultTooLate: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'public',
      text: ({ classes }: Unset): Explanation => ({
        what: `it names no class; the default class ${classes.find(({ isDefault }) => isDefault)?.metadata.name} is given on creation only`,
        why: 'The controllers here leave an Ingress without a class alone, so nothing serves it.',
        fixes: fixesFor(
          classes,
          classes.find(({ isDefault }) => isDefault),
        ),
      }),
    },
  },

  annotations: () => [classAnnotation],

  *check({ object: { metadata, spec }, cluster, offline, finding }) {
    if ((spec.ingressClassName ?? '') !== '' || metadata.annotations[classAnnotation] !== undefined) return;
    const classes = cluster.list('IngressClass', '');
    // Where there is no class at all, or a controller of which nothing is known, one may take those without.
    if (classes.length === 0 || !classes.every(leavesUnset)) return;
    const hasDefault = classes.some(({ isDefault }) => isDefault);
    // A file is yet to be created.
    if (hasDefault && offline) return;
    yield finding(hasDefault ? 'defaultTooLate' : 'noDefault', path, { classes });
  },
});

interface Unset {
  /** All that there are; at least one. */
  readonly classes: readonly IngressClass[];
}

function fixesFor(classes: readonly IngressClass[], meant: IngressClass | undefined): readonly [...Fix[], Fix] {
  const last = { text: `set ingressClassName to ${classes.length === 1 ? classes[0]?.metadata.name : 'one of them'}` };
  if (meant === undefined) return [last];
  const { name } = meant.metadata;
  return [{ text: `set ingressClassName: ${name}`, patch: [{ op: 'add', path, value: name }] }, last];
}
