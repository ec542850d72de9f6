/**
 * The class of an Ingress says which controller serves it. Where there is no IngressClass of that name, no controller
 * feels addressed: the Ingress gets no address, and its hosts answer with 404 or not at all. Usually the name is misspelt,
 * or it is that of another cluster.
 */
import { z } from 'zod';
import { matchedByName } from '../cluster/ingress-classes.ts';
import { isCertainTypo, nearestWord } from '../cluster/near-miss.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';
import { matchesAnyGlob } from '../kube/glob.ts';
import { listed } from '../kube/listed.ts';
import type { IngressClass } from '../kube/resources.ts';

const path = ['spec', 'ingressClassName'] as const;

export const ingressClassMissing = defineRule({
  id: 'ingress-class-missing',
  kinds: ['Ingress'],
  orderClass: 'backward',
  summary: 'The IngressClass that an Ingress names exists',
  reads: ['IngressClass'],
  since: '0.1.0',

  options: z.strictObject({
    withoutObject: z
      .array(z.string())
      .default([])
      .describe('Names of classes, with `*` for any characters, that a controller here serves without an IngressClass'),
  }),

  messages: {
    noSuchClass: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'public',
      isEvident: ({ name, classes }: Missing) => fixesFor(name, classes).some(({ patch }) => patch !== undefined),
      text: ({ name, classes }: Missing): Explanation => ({
        what: `there is no IngressClass ${shorten(name)}, ${classes.length === 0 ? 'nor any other' : `only ${listed(classes.map(titleOf))}`}`,
        why: 'No controller feels addressed, so nothing serves this Ingress. Where the class comes later in the same apply, this settles itself.',
        fixes: fixesFor(name, classes),
      }),
    },
  },

  *check({ object: { spec }, cluster, options, finding }) {
    const { ingressClassName: name = '' } = spec;
    if (name === '' || matchedByName(name) || matchesAnyGlob(options.withoutObject, name)) return;
    if (cluster.get('IngressClass', '', name) !== undefined) return;
    yield finding('noSuchClass', path, { name, classes: cluster.list('IngressClass', '') });
  },
});

interface Missing {
  readonly name: string;
  /** Those that are there. */
  readonly classes: readonly IngressClass[];
}

const titleOf = ({ metadata, isDefault }: IngressClass): string => `${metadata.name}${isDefault ? ' (default)' : ''}`;

/** The name that looks alike, or the only class that there is. */
function fixesFor(name: string, classes: readonly IngressClass[]): readonly [...Fix[], Fix] {
  const names = classes.map(({ metadata }) => metadata.name);
  const meant = nearestWord(name, names) ?? (names.length === 1 ? names[0] : undefined);
  const edit = meant === undefined ? {} : editTowards(isCertainTypo(name, meant, names), [{ op: 'replace', path, value: meant }]);
  const last = names.length === 0 ? 'install the controller with its IngressClass' : 'name one that is there, or install its controller';
  return [...(meant === undefined ? [] : [{ text: `did you mean ${meant}?`, ...edit }]), { text: last }];
}
