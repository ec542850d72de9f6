/**
 * Much of what an Ingress asks of its controller stands in annotations, and nobody checks them: a misspelt key, or one for another
 * controller than that of the class, is taken and does nothing. Passwords, limits and redirects are then simply not there.
 */
import { z } from 'zod';
import { type AnnotationFamily, annotationFamilies, otherPrefixes } from '../cluster/annotation-families.ts';
import { isOf, isSurelyMeant, mayBeRead, meantBy, sameOf } from '../cluster/annotation-keys.ts';
import { classBehind } from '../cluster/ingress-classes.ts';
import { classAnnotation, solverLabel } from '../cluster/ingress-controllers.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';
import { matchesAnyGlob } from '../kube/glob.ts';
import type { Ingress } from '../kube/resources.ts';

const prefixesOfKnown = annotationFamilies.flatMap(({ prefixes }) => prefixes);

/** With their values, an object's annotations may have 256 KiB: nobody reads more of them. */
const mostKeys = 100;

export const ingressAnnotationNotUnderstood = defineRule({
  id: 'ingress-annotation-not-understood',
  kinds: ['Ingress'],
  orderClass: 'backward',
  summary: 'The controller of an Ingress reads the annotations that were written for controllers',
  reads: ['IngressClass'],
  since: '0.1.0',

  options: z.strictObject({
    ignore: z
      .array(z.string())
      .default([])
      .describe('Keys of annotations, with `*` for any characters, that somebody here reads all the same'),
  }),

  messages: {
    misspelt: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'public',
      text: ({ own, key, meant, value }: Misspelt): Explanation => ({
        what: `${own.title} reads ${own.keys.length} annotations, and this is none of them`,
        why: 'It has no effect.',
        fixes: fixesFor(key, meant, value, isSurelyMeant(key, meant, own)),
      }),
    },
    ofAnother: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'public',
      defects: ({ keys }: OfAnother) => keys,
      text: ({ className, title, family, keys, own }: OfAnother): Explanation => ({
        what: `class ${shorten(className)} is for ${title}, and ${keys.length === 1 ? 'this annotation' : `${keys.length} annotations`} for ${family.title}`,
        why: `${title} does not read ${keys.length === 1 ? 'it, so it has' : 'them, so they have'} no effect.`,
        fixes: [{ text: own === undefined ? `say it as ${title} wants it, or name another class` : `did you mean ${own}?` }],
      }),
    },
  },

  annotations: () => [classAnnotation],
  annotationPrefixes: [...prefixesOfKnown, ...otherPrefixes.map(([, prefix]) => prefix)],

  *check({ object: ingress, cluster, options, finding }) {
    const keys = keysOfControllers(ingress).filter((key) => !matchesAnyGlob(options.ignore, key));
    const behind = keys.length === 0 ? undefined : classBehind(ingress, cluster);
    if (behind === undefined) return;
    const { title } = behind.controller;
    const { annotations } = ingress.metadata;
    const own = annotationFamilies.find((family) => family.title === title);
    for (const key of keys) {
      cluster.step();
      const meant = own && meantBy(key, own, annotations);
      if (own === undefined || meant === undefined) continue;
      yield finding('misspelt', ['metadata', 'annotations', key], { own, key, meant, value: annotations[key] ?? '' });
    }
    if (mayBeRead(title, annotations)) return;
    for (const family of annotationFamilies) {
      const [first, ...others] = keys.filter((key) => isOf(family, key));
      if (first === undefined) continue;
      const data = { className: behind.className, title, family, keys: [first, ...others], own: sameOf(first, own) };
      yield finding('ofAnother', ['metadata', 'annotations', first], data);
    }
  },
});

interface Misspelt {
  /** What the controller reads. */
  readonly own: AnnotationFamily;
  readonly key: string;
  readonly meant: string;
  /** Empty in a snapshot, which holds none. */
  readonly value: string;
}

interface OfAnother {
  readonly className: string;
  readonly title: string;
  readonly family: AnnotationFamily;
  readonly keys: readonly string[];
  /** What the controller itself reads under the same name, for the first of the keys. */
  readonly own: string | undefined;
}

/** In the order of their names. What controllers make brings what its maker thinks fit, as the solvers of cert-manager do. */
function keysOfControllers({ metadata: { annotations, labels, owner } }: Ingress): readonly string[] {
  if (owner !== undefined || labels[solverLabel] !== undefined) return [];
  const isKnown = (key: string): boolean => prefixesOfKnown.some((prefix) => key.startsWith(prefix));
  return Object.keys(annotations).filter(isKnown).sort().slice(0, mostKeys);
}

function fixesFor(key: string, meant: string, value: string, isSure: boolean): readonly [...Fix[], Fix] {
  const last = { text: `did you mean ${meant}?` };
  if (value === '') return [last];
  const at = (name: string) => ['metadata', 'annotations', name] as const;
  return [
    {
      ...last,
      ...editTowards(isSure, [
        { op: 'add', path: at(meant), value },
        { op: 'remove', path: at(key) },
      ]),
    },
    last,
  ];
}
