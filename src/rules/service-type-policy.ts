/**
 * A Service of type NodePort is open on every node, one of type LoadBalancer usually to the world, and its load balancer
 * costs money. Namespaces may be given the types that they may use. Nothing is judged until types are configured.
 */
import { z } from 'zod';
import { choosesNamespace } from '../cluster/namespace-choice.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation, Fix, PatchOperation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import type { Service } from '../kube/resources.ts';
import { choosesSome, chosenNamespaces } from './options/chosen-namespaces.ts';

const types = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const;
type ServiceType = (typeof types)[number];

const entry = z
  .strictObject({ ...chosenNamespaces, types: z.array(z.enum(types)).min(1).describe('Types of Services') })
  .refine(...choosesSome);

export const serviceTypePolicy = defineRule({
  id: 'service-type-policy',
  kinds: ['Service'],
  orderClass: 'self-contained',
  summary: 'The type of a Service is one that its namespace may use',
  reads: ['Namespace'],
  since: '0.1.0',

  options: z.strictObject({
    allowed: z
      .array(entry)
      .default([])
      .describe('Who may use which types. Entries that match a namespace add up; one that none matches is not restricted'),
  }),

  messages: {
    notAllowed: {
      severity: 'medium',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'self',
      text: ({ service, allowed }: NotAllowed): Explanation => ({
        what: `type ${service.spec.type} is not among the types of namespace ${service.metadata.namespace}: ${allowed.join(', ')}`,
        why: 'The configuration gives this namespace those types of Services only.',
        fixes: fixesOf(service, allowed),
      }),
    },
  },

  *check({ object: service, cluster, options, finding }) {
    const allowed = typesOf(options.allowed, service.metadata.namespace, cluster);
    if (allowed === undefined || allowed.includes(service.spec.type)) return;
    yield finding('notAllowed', ['spec', 'type'], { service, allowed });
  },
});

interface NotAllowed {
  readonly service: Service;
  readonly allowed: readonly ServiceType[];
}

/** The types of all entries that match the namespace, in the usual order; undefined if none does. */
function typesOf(entries: readonly z.infer<typeof entry>[], namespace: string, cluster: ClusterView): readonly ServiceType[] | undefined {
  const matching = entries.filter((one) => choosesNamespace(one, namespace, cluster));
  return matching.length === 0 ? undefined : types.filter((type) => matching.some((one) => one.types.includes(type)));
}

/** Only of a NodePort is all known that must go with the type: the API server refuses its nodePorts on a ClusterIP. */
function fixesOf({ spec: { type, ports } }: Service, allowed: readonly ServiceType[]): readonly [...Fix[], Fix] {
  const others = allowed.filter((one) => one !== 'ExternalName');
  const last = { text: `use type ${(others.length > 0 ? others : allowed).join(' or ')}, or have ${type} allowed for this namespace` };
  if (type !== 'NodePort' || !allowed.includes('ClusterIP')) return [last];
  const withoutNodePorts = ports.flatMap(({ nodePort }, index): PatchOperation[] =>
    nodePort === undefined ? [] : [{ op: 'remove', path: ['spec', 'ports', index, 'nodePort'] }],
  );
  const patch: readonly PatchOperation[] = [{ op: 'replace', path: ['spec', 'type'], value: 'ClusterIP' }, ...withoutNodePorts];
  const text = `use type ClusterIP${withoutNodePorts.length > 0 ? ' without nodePort' : ''}, or have ${type} allowed for this namespace`;
  return [{ text, patch }, last];
}
