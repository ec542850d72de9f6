/**
 * A headless Service has no address of its own: DNS answers with the addresses of the Pods, and nothing on the way turns
 * `port` into `targetPort`. Clients that use the Service's port knock where no container listens.
 */
import { z } from 'zod';
import { isHeadless } from '../cluster/backends.ts';
import { ingressTo } from '../cluster/referrers.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import type { ServicePort } from '../kube/resources.ts';

export const serviceHeadlessPortTranslation = defineRule({
  id: 'service-headless-port-translation',
  kinds: ['Service'],
  orderClass: 'forward',
  summary: 'A port of a headless Service is the port that the Pods listen on',
  reads: ['Ingress'],
  since: '0.1.0',
  annotations: ({ discoveryAnnotations }) => discoveryAnnotations,

  options: z.strictObject({
    discoveryAnnotations: z
      .array(z.string())
      .default(['prometheus.io/scrape', 'prometheus.io/port'])
      .describe('Annotations of Services whose clients take ports from EndpointSlices or SRV records, where targetPort stands'),
  }),

  messages: {
    notTranslated: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'self',
      defects: ({ port }: NotTranslated) => [`${port.port}/${port.protocol} ${port.targetPort}`],
      text: ({ index, port, isFree }: NotTranslated): Explanation => ({
        what: `port ${port.port} of a headless Service is not turned into targetPort ${port.targetPort}`,
        why: `Clients connect to the Pods themselves, on ${port.port}, where nothing leads to ${port.targetPort}.`,
        fixes: fixesOf(index, port, isFree),
      }),
    },
  },

  *check({ object: service, cluster, known, options, finding }) {
    const { metadata, spec } = service;
    if (!isHeadless(service) || options.discoveryAnnotations.some((key) => metadata.annotations[key] !== undefined)) return;
    // What a name stands for, the Pods say; and what watchers scrape, they find in EndpointSlices.
    const differing = [...spec.ports.entries()].filter(
      ([, port]) => typeof port.targetPort === 'number' && port.targetPort !== port.port && !isScraped(port),
    );
    // Controllers of Ingresses send to the ports of EndpointSlices, as kube-proxy does.
    if (differing.length === 0 || ingressTo(service, cluster, known) !== undefined) return;
    const used = new Set(spec.ports.map(({ port, protocol }) => `${port}/${protocol}`));
    for (const [index, port] of differing) {
      const isFree = !used.has(`${port.targetPort}/${port.protocol}`);
      yield finding('notTranslated', ['spec', 'ports', index, 'targetPort'], { index, port, isFree });
    }
  },
});

interface NotTranslated {
  readonly index: number;
  readonly port: ServicePort;
  /** No other port of the Service has the number of the target: the API server would refuse two. */
  readonly isFree: boolean;
}

const isScraped = ({ name = '' }: ServicePort): boolean => /metric|prom/.test(name);

function fixesOf(index: number, { port, targetPort }: ServicePort, isFree: boolean): readonly [...Fix[], Fix] {
  const last = { text: `let clients use ${targetPort}, or take clusterIP: None out, so that ${port} is translated` };
  if (!isFree) return [last];
  const text = `use port: ${targetPort}, or take clusterIP: None out, so that ${port} is translated`;
  return [{ text, patch: [{ op: 'replace', path: ['spec', 'ports', index, 'port'], value: targetPort }] }, last];
}
