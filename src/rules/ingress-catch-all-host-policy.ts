/**
 * An Ingress without a host, or with a wildcard, answers for names that its owner need not know: those of other teams, and
 * every name that somebody points at the controller. Where the configuration says so, an Ingress of a namespace names
 * its hosts one by one.
 */
import { z } from 'zod';
import { choosesNamespace } from '../cluster/namespace-choice.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';

const entry = z
  .strictObject({
    namespaces: z.array(z.string()).optional().describe('Names of namespaces, with `*` for any characters'),
    namespaceSelector: z
      .strictObject({ matchLabels: z.record(z.string(), z.string()).describe('All of these') })
      .optional()
      .describe('Labels of namespaces; together with `namespaces` both must match'),
    wildcards: z.enum(['allow', 'refuse']).default('refuse').describe('Whether hosts as `*.example.com` may be named'),
  })
  .refine((one) => one.namespaces ?? one.namespaceSelector, 'chooses no namespaces: add namespaces or namespaceSelector');

export const ingressCatchAllHostPolicy = defineRule({
  id: 'ingress-catch-all-host-policy',
  kinds: ['Ingress'],
  orderClass: 'self-contained',
  summary: 'An Ingress names its hosts, where that is asked for',
  reads: ['Namespace'],
  since: '0.1.0',

  options: z.strictObject({
    in: z
      .array(entry)
      .default([])
      .describe('Where hosts have to be named; without an entry, nowhere. A wildcard is refused if one entry that matches refuses it'),
  }),

  messages: {
    noHost: {
      severity: 'medium',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'self',
      defects: () => ['rule'],
      text: ({ namespace }: Caught): Explanation => ({
        what: 'the rule is for every host',
        why: whyOf(namespace),
        fixes: [{ text: 'name the host, and give each host a rule of its own' }],
      }),
    },
    defaultBackend: {
      severity: 'medium',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'self',
      defects: () => ['defaultBackend'],
      text: ({ namespace }: Caught): Explanation => ({
        what: 'the default backend answers for every host that no rule names',
        why: whyOf(namespace),
        fixes: [{ text: 'put it into a rule with a host' }],
      }),
    },
    wildcard: {
      severity: 'medium',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'self',
      text: ({ host, namespace }: Caught & { readonly host: string }): Explanation => ({
        what: `${shorten(host, 60)} is for every name of that domain`,
        why: whyOf(namespace),
        fixes: [{ text: 'name the hosts one by one' }],
      }),
    },
  },

  *check({ object: { metadata, spec }, cluster, options, finding }) {
    const { namespace } = metadata;
    const entries = options.in.filter((one) => choosesNamespace(one, namespace, cluster));
    if (entries.length === 0) return;
    const refusesWildcards = entries.some(({ wildcards }) => wildcards === 'refuse');
    if (spec.defaultBackend !== undefined) yield finding('defaultBackend', ['spec', 'defaultBackend'], { namespace });
    for (const [index, { host }] of spec.rules.entries()) {
      const path = ['spec', 'rules', index, 'host'];
      if (host === undefined) yield finding('noHost', path, { namespace });
      else if (refusesWildcards && host.startsWith('*.')) yield finding('wildcard', path, { host, namespace });
    }
  },
});

interface Caught {
  readonly namespace: string;
}

const whyOf = (namespace: string): string => `The configuration wants Ingresses of namespace ${namespace} to name their hosts one by one.`;
