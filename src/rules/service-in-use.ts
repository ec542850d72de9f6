/**
 * A Service that is taken away while an Ingress still leads to it leaves requests without a backend: most controllers
 * answer them with 503. Another Service that stands for it by its `externalName` then leads nowhere too.
 */
import { z } from 'zod';
import { areKeptTogether, keeperAnnotations } from '../cluster/managed-together.ts';
import { aliasesElsewhere, aliasesOf, formatUses, type Uses, usesOf } from '../cluster/referrers.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { listed } from '../kube/listed.ts';
import { refOf, type Service } from '../kube/resources.ts';

export const serviceInUse = defineRule({
  id: 'service-in-use',
  kinds: ['Service'],
  orderClass: 'destructive',
  summary: 'Nothing refers to a Service that is removed',
  reads: ['Ingress', 'Service'],
  judgesDelete: true,
  since: '0.1.0',
  options: z.strictObject({}),
  annotations: () => keeperAnnotations,

  messages: {
    stillNamed: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      defects: () => ['removed'],
      text: (use: InUse): Explanation => ({
        what: `Service ${use.service.metadata.name} is still named by ${namersOf(use)}`,
        why: 'Their requests find nothing once it is gone: most Ingress controllers answer 503, and a name that stands for it does not resolve.',
        fixes: [
          { text: `first let ${countOf(use) > 1 ? 'them' : 'it'} name another Service, or remove ${countOf(use) > 1 ? 'them' : 'it'}` },
        ],
      }),
    },
  },

  *check({ object: service, operation, cluster, elsewhere, finding }) {
    if (operation !== 'DELETE') return;
    const uses = usesOf(service, cluster, (_, ingress) => !areKeptTogether(service, ingress));
    const own = aliasesOf(service, cluster);
    const aliases = [...own, ...aliasesElsewhere(service, elsewhere)].filter((alias) => !areKeptTogether(service, alias));
    if (uses.ingresses.length === 0 && aliases.length === 0) return;
    const related = [...uses.ingresses.map(({ ingress }) => ingress), ...aliases].slice(0, mostRelated).map(refOf);
    yield finding('stillNamed', ['metadata', 'name'], { service, uses, aliases }, related);
  },
});

interface InUse {
  readonly service: Service;
  readonly uses: Uses;
  readonly aliases: readonly Service[];
}

/** Of more the text gives a number. */
const mostRelated = 10;

const countOf = ({ uses, aliases }: InUse): number => uses.ingresses.length + aliases.length;

function namersOf({ uses, aliases }: InUse): string {
  const names = aliases.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  const parts = [
    ...(uses.ingresses.length > 0 ? [formatUses(uses)] : []),
    ...(names.length > 0 ? [`the externalName of Service ${listed(names, 2)}`] : []),
  ];
  return parts.join(' and ');
}
