/**
 * The way of a request is Ingress → Service → port → Pods. Where the Service and its port are there and nothing answers
 * behind them, the Ingress looks right, and every request to it fails with 502, 503 or 504. The first link that is
 * broken is told.
 */
import { z } from 'zod';
import { type Backend, declaredPorts } from '../cluster/backends.ts';
import { type Chain, chainFrom } from '../cluster/chain.ts';
import { wantedServices } from '../cluster/ingress-services.ts';
import { nearMiss } from '../cluster/near-miss.ts';
import { correctedSelector, countOf, pairsToCome } from '../cluster/selection.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';
import { formatLabels } from '../kube/labels.ts';
import { listed } from '../kube/listed.ts';
import { formatPort } from '../kube/ports.ts';
import { refOf, type Service, type ServicePort } from '../kube/resources.ts';

export const ingressBackendUnusable = defineRule({
  id: 'ingress-backend-unusable',
  kinds: ['Ingress'],
  orderClass: 'forward',
  summary: 'Pods answer behind every Service that an Ingress leads to',
  reads: ['Pod', 'Service', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    noPods: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects: ({ service }: NoPods) => [service.metadata.name],
      text: ({ service, tally, hint }: NoPods): Explanation => ({
        what: `Service ${shorten(service.metadata.name)} is there, but its selector ${formatLabels(service.spec.selector)} matches ${tally}`,
        why: 'The Service has no endpoints, so requests that this backend should answer fail.',
        fixes: [{ text: hint }],
      }),
    },
    noTargetPort: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects: defectsOf,
      text: ({ service, port, backends }: NoTargetPort): Explanation => ({
        what: `Service ${shorten(service.metadata.name)} sends port ${port.port} to a port "${port.targetPort}", which no Pod behind it has; ${declaredBy(backends)}`,
        why: 'The endpoints have addresses but not this port, so requests that this backend should answer fail.',
        fixes: [{ text: `correct the targetPort in Service ${shorten(service.metadata.name)}, or name the container's port so` }],
      }),
    },
    /** HTTP/3 is between the client and the controller: behind it, no controller speaks it. */
    notTcp: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects: defectsOf,
      text: ({ service, port }: Behind): Explanation => ({
        what: `port ${port.port} of Service ${shorten(service.metadata.name)} is ${port.protocol}`,
        why: 'Controllers forward HTTP over TCP only, so requests that this backend should answer fail.',
        fixes: [{ text: `lead to a TCP port, or set protocol TCP in Service ${shorten(service.metadata.name)}` }],
      }),
    },
  },

  *check({ object: ingress, cluster, known, finding }) {
    const { namespace } = ingress.metadata;
    const told = new Set<string>();
    for (const { name, port: wanted, paths } of wantedServices(ingress)) {
      const chain = chainFrom({ service: { name, port: wanted } }, namespace, cluster);
      if (!('port' in chain)) continue; // nothing is behind it that we could see, or another rule says what is missing
      const { service, port } = chain;
      const [path] = paths;
      const related = [refOf(service)];
      if (port.protocol !== 'TCP') yield finding('notTcp', [...path, 'service', 'port'], { service, port }, related);
      else if (chain.end === 'noTargetPort') yield finding('noTargetPort', [...path, 'service', 'port'], chain, related);
      else if (isWithoutPods(chain, cluster) && !told.has(name)) {
        told.add(name);
        yield finding('noPods', [...path, 'service', 'name'], whoIsThere(service, known), related);
      }
    }
  },
});

interface Behind {
  readonly service: Service;
  readonly port: ServicePort;
}

interface NoTargetPort extends Behind {
  readonly backends: readonly Backend[];
}

interface NoPods {
  readonly service: Service;
  /** Of how many none is selected. */
  readonly tally: string;
  readonly hint: string;
}

function defectsOf({ service, port }: Behind): readonly string[] {
  return [`${service.metadata.name}:${port.port}`];
}

/** Nothing says that some controller will bring them, or will label one that is there. */
const isWithoutPods = ({ end, service }: Chain & Behind, cluster: ClusterView): boolean =>
  end === 'noPods' &&
  service.metadata.owner === undefined &&
  pairsToCome(service.spec.selector, cluster.workloads(service.metadata.namespace)) === undefined;

function whoIsThere(service: Service, known: ClusterView): NoPods {
  const { selector } = service.spec;
  const workloads = known.workloads(service.metadata.namespace);
  const miss = nearMiss(selector, workloads);
  const name = shorten(service.metadata.name);
  const hint =
    miss === undefined
      ? `create the workload behind Service ${name}, or correct its selector`
      : `did Service ${name} mean ${correctedSelector(selector, miss.differences).change} (${miss.workload.kind} ${shorten(miss.workload.metadata.name)})?`;
  return { service, tally: countOf(workloads, known), hint };
}

function declaredBy(backends: readonly Backend[]): string {
  const ports = declaredPorts(backends).map(formatPort);
  return `${listed(backends.map(({ title }) => title))} declare${backends.length === 1 ? 's' : ''} ${ports.length === 0 ? 'no ports' : listed(ports)}`;
}
