/**
 * A rule of an Ingress that names a host but no paths sends nothing anywhere: its requests go to the default backend of
 * the Ingress. Where that is missing too, the controller answers them with 404. Usually `http` was forgotten, or is
 * indented wrongly and stands in a rule of its own.
 */
import { z } from 'zod';
import { answeringAnnotations } from '../cluster/ingress-controllers.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';

export const ingressRuleWithoutEffect = defineRule({
  id: 'ingress-rule-without-effect',
  kinds: ['Ingress'],
  orderClass: 'self-contained',
  summary: 'Every rule of an Ingress leads somewhere',
  reads: [],
  since: '0.1.0',

  options: z.strictObject({
    annotations: z
      .array(z.string())
      .default([])
      .describe('Further annotations of an Ingress by which its controller answers for a host without paths'),
  }),

  messages: {
    noPaths: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'self',
      defects: ({ host }: Pathless) => [host ?? ''],
      text: ({ host, others }: Pathless): Explanation => ({
        what: `the rule for ${host ?? 'every host'} has no paths, and the Ingress has no defaultBackend`,
        why: 'Nothing says where its requests go, so the controller answers them with 404 or with a page of its own.',
        fixes: [{ text: `add http.paths with a backend${others ? ', remove the rule,' : ''} or set spec.defaultBackend` }],
      }),
    },
  },

  annotations: ({ annotations }) => [...answeringAnnotations, ...annotations],

  *check({ object: { metadata, spec }, options, finding }) {
    const answering = [...answeringAnnotations, ...options.annotations];
    if (spec.defaultBackend !== undefined || answering.some((key) => metadata.annotations[key] !== undefined)) return;
    const others = spec.rules.length > 1;
    // A second rule for the same host, with the paths, is as good as one.
    const served = new Set(spec.rules.filter(({ http }) => http !== undefined).map(({ host }) => host));
    for (const [index, { host, http }] of spec.rules.entries())
      if (http === undefined && !served.has(host)) yield finding('noPaths', ['spec', 'rules', index, 'http'], { host, others });
  },
});

interface Pathless {
  /** Undefined for every host. */
  readonly host: string | undefined;
  /** The Ingress has other rules. */
  readonly others: boolean;
}
