/**
 * Every Pod of the cluster asks one address for names: that of the resolver's Service, which each kubelet hands out. An
 * update after which the Service has no Pods, no port 53 or no address, and its removal, take name resolution away from
 * the whole cluster at once.
 */
import { z } from 'zod';
import { findResolver, formatResolver, mayHoldResolver, type Resolver, ranksFirst } from '../cluster/resolver.ts';
import { addressOf, type BrokenLink, brokenBy } from '../cluster/resolver-change.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { refOf } from '../kube/resources.ts';

export const dnsResolverServiceChanged = defineRule({
  id: 'dns-resolver-service-changed',
  kinds: ['Service'],
  orderClass: 'destructive',
  summary: "The Service of the cluster's DNS keeps its address, its port 53 and its Pods",
  reads: ['Pod', 'Service', 'Template'],
  // Templates are left out: to read each kind of them again would take seven of the ten calls.
  confirms: ['Pod'],
  judgesDelete: true,
  guardsSystem: true,
  since: '0.1.0',
  options: z.strictObject({}),

  messages: {
    nobodyAnswers: {
      severity: 'critical',
      modes: { guided: 'deny', strict: 'deny' },
      facts: 'public',
      defects: ({ link }: Broken) => [link.what],
      text: ({ link }: Broken): Explanation => ({
        what: link.what,
        why: 'Every Pod of the cluster asks this Service: all name look-ups fail at once, and with them most connections.',
        fixes: fixesOf(link),
      }),
    },
    /** Over TCP a client asks for what does not fit into one packet; an undeclared number may be served all the same. */
    someGoUnanswered: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'public',
      defects: ({ link }: Broken) => [link.what],
      text: ({ link }: Broken): Explanation => ({
        what: link.what,
        why: 'Every Pod of the cluster asks this Service: look-ups fail as far as they depend on that.',
        fixes: fixesOf(link),
      }),
    },
    removed: {
      severity: 'critical',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'public',
      defects: () => ['removed'],
      text: ({ resolver }: { readonly resolver: Resolver }): Explanation => {
        const address = addressOf(resolver.service);
        return {
          what: `this is the cluster's DNS, ${formatResolver(resolver)}`,
          why: 'Every kubelet hands its address to all Pods: name look-ups fail at once, and a Service made anew has another address unless it asks for the same.',
          fixes: [{ text: address === undefined ? 'keep it' : `keep it; where it is made anew, write clusterIP: ${address} in it` }],
        };
      },
    },
  },

  *check({ object: service, operation, before, cluster, shared, finding }) {
    const { namespace, name } = service.metadata;
    if (before === undefined || !mayHoldResolver(namespace, shared.resolver)) return;
    // What is there under a likelier name is the resolver, and this one stands beside it: ends here where that is not known.
    if (!ranksFirst(name, shared.resolver)) cluster.list('Service', namespace);
    const resolver = findResolver(before(), shared.resolver);
    if (resolver?.service.metadata.namespace !== namespace || resolver.service.metadata.name !== name) return;
    if (operation === 'DELETE') {
      yield finding('removed', ['metadata', 'name'], { resolver }, [refOf(service)]);
      return;
    }
    const link = brokenBy(resolver.service, service, cluster);
    if (link !== undefined) yield finding(link.isCertain ? 'nobodyAnswers' : 'someGoUnanswered', link.path, { link });
  },
});

interface Broken {
  readonly link: BrokenLink;
}

function fixesOf({ path, kept, values }: BrokenLink): readonly [...Fix[], Fix] {
  const place = path.at(-1) === 'ports' ? [...path, '-'] : path;
  return [{ text: `keep ${kept}`, patch: values.map((value) => ({ op: 'add', path: place, value })) }, { text: `keep ${kept}` }];
}
