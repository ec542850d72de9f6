/**
 * Without TLS, what people type into a web page and the cookies that they get for it can be read and changed on the way.
 * Where the configuration asks for TLS in a namespace, each host that an Ingress there serves needs a TLS entry, unless
 * TLS ends elsewhere.
 */
import { z } from 'zod';
import { choosesNamespace } from '../cluster/namespace-choice.ts';
import { tlsAnnotations, tlsElsewhere } from '../cluster/provider-annotations.ts';
import { hostsWithoutTls, ruleHostsOf } from '../cluster/tls-hosts.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { listed } from '../kube/listed.ts';
import { choosesSome, chosenNamespaces } from './options/chosen-namespaces.ts';

const entry = z.strictObject(chosenNamespaces).refine(...choosesSome);

/** cert-manager proves by it, over plain HTTP, whose the host is (pkg/issuer/acme/http/ingress.go of cert-manager). */
const solverLabel = 'acme.cert-manager.io/http01-solver';

export const tlsRequired = defineRule({
  id: 'tls-required',
  kinds: ['Ingress'],
  orderClass: 'self-contained',
  summary: 'An Ingress has TLS for each of its hosts, where that is asked for',
  reads: ['Namespace'],
  since: '0.1.0',

  options: z.strictObject({
    in: z.array(entry).default([]).describe('Where TLS is asked for; without an entry, nowhere'),
    exceptClasses: z.array(z.string()).default([]).describe('Ingress classes whose controllers end TLS elsewhere, or for every host'),
    exceptAnnotations: z.array(z.string()).default([]).describe('Further annotations of an Ingress that say that its TLS ends elsewhere'),
  }),

  messages: {
    noTls: {
      severity: 'high',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'self',
      text: ({ hosts, namespace }: Bare): Explanation => ({
        what: `there is no TLS entry, for ${hosts.length === 0 ? 'whatever host it serves' : listed(hosts)}`,
        why: `The configuration asks for TLS in namespace ${namespace}.`,
        fixes: [{ text: `add spec.tls with ${hosts.length === 0 ? 'a secretName' : 'these hosts and a secretName'}` }],
      }),
    },
    hostWithoutTls: {
      severity: 'high',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'self',
      defects: ({ hosts }: Bare) => hosts,
      text: ({ hosts, namespace }: Bare): Explanation => ({
        what: `no TLS entry covers ${listed(hosts)}`,
        why: `The configuration asks for TLS in namespace ${namespace}.`,
        fixes: [{ text: 'add it to the hosts of a TLS entry whose certificate covers it' }],
      }),
    },
  },
  annotations: (options) => [...tlsAnnotations, classAnnotation, ...options.exceptAnnotations],

  *check({ object: ingress, cluster, options, finding }) {
    const { metadata, spec } = ingress;
    const { namespace, annotations, labels } = metadata;
    if (!options.in.some((one) => choosesNamespace(one, namespace, cluster))) return;
    const className = spec.ingressClassName ?? annotations[classAnnotation];
    const isExcepted = className !== undefined && options.exceptClasses.includes(className);
    if (isExcepted || labels[solverLabel] !== undefined || tlsElsewhere(annotations, options.exceptAnnotations) !== undefined) return;
    if (spec.tls.length === 0) {
      const hosts = ruleHostsOf(ingress).map(({ host }) => host);
      yield finding('noTls', ['spec', 'tls'], { hosts, namespace });
      return;
    }
    const bare = hostsWithoutTls(ingress);
    const [first] = bare;
    if (first !== undefined) yield finding('hostWithoutTls', first.path, { hosts: bare.map(({ host }) => host), namespace });
  },
});

const classAnnotation = 'kubernetes.io/ingress.class';

interface Bare {
  readonly hosts: readonly string[];
  readonly namespace: string;
}
