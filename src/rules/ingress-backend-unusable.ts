/**
 * The way of a request is Ingress → Service → port → Pods. Where the Service and its port are there and nothing answers
 * behind them, the Ingress looks right, and every request to it fails with 502, 503 or 504. The first link that is
 * broken is told.
 */
import { z } from 'zod';
import { type Backend, declaredPorts, isHeadless } from '../cluster/backends.ts';
import { type Chain, chainFrom } from '../cluster/chain.ts';
import { wantedServices } from '../cluster/ingress-services.ts';
import { nearMiss } from '../cluster/near-miss.ts';
import { correctedSelector, countOf, pairsOfOperators, pairsToCome } from '../cluster/selection.ts';
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
      isEvident: () => true, // the Service is there, and what it selects
      text: ({ service, port, backends }: NoTargetPort): Explanation => ({
        what: `Service ${shorten(service.metadata.name)} sends port ${port.port} to a port "${port.targetPort}", which no Pod behind it has; ${declaredBy(backends)}`,
        why: 'The endpoints have addresses but not this port, so requests that this backend should answer fail.',
        fixes: [{ text: `correct the targetPort in Service ${shorten(service.metadata.name)}, or name the container's port so` }],
      }),
    },
    /** Where all is judged as it stands, its Service is judged too: one cause is one finding, however many Ingresses lead there. */
    saidOfService: {
      severity: 'info',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'namespace',
      defects: defectsOf,
      text: ({ service, port }: Behind): Explanation => ({
        what: `nothing answers behind port ${port.port} of Service ${shorten(service.metadata.name)}; the rules about Services say why`,
        why: 'Requests that this backend should answer fail until that is repaired.',
        fixes: [{ text: `repair Service ${shorten(service.metadata.name)}` }],
      }),
    },
    /** HTTP/3 is between the client and the controller: behind it, no controller speaks it. */
    notTcp: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects: defectsOf,
      isEvident: () => true, // the Service is there, and what it selects
      text: ({ service, port }: Behind): Explanation => ({
        what: `port ${port.port} of Service ${shorten(service.metadata.name)} is ${port.protocol}`,
        why: 'Controllers forward HTTP over TCP only, so requests that this backend should answer fail.',
        fixes: [{ text: `lead to a TCP port, or set protocol TCP in Service ${shorten(service.metadata.name)}` }],
      }),
    },
  },

  *check({ object: ingress, cluster, known, isSurvey, finding }) {
    const { namespace } = ingress.metadata;
    const told = new Set<string>();
    for (const { name, port: wanted, paths } of wantedServices(ingress)) {
      const chain = chainFrom({ service: { name, port: wanted } }, namespace, cluster);
      if (!('port' in chain)) continue; // nothing is behind it that we could see, or another rule says what is missing
      const at = [...paths[0], 'service'];
      const related = [refOf(chain.service)];
      if (chain.port.protocol !== 'TCP') yield finding('notTcp', [...at, 'port'], chain, related);
      else if (chain.end === 'noTargetPort') yield finding(unlessSaid('noTargetPort', chain, isSurvey), [...at, 'port'], chain, related);
      else if (isWithoutPods(chain, cluster) && !told.has(name)) {
        told.add(name);
        yield finding(unlessSaid('noPods', chain, isSurvey), [...at, 'name'], { ...chain, ...whoIsThere(chain.service, known) }, related);
      }
    }
  },
});

/** Of a headless Service, an undeclared port is not much: the Ingress makes it a failure. */
function unlessSaid<Id extends 'noPods' | 'noTargetPort'>(message: Id, { service }: Behind, isSurvey: boolean): Id | 'saidOfService' {
  return isSurvey && !(message === 'noTargetPort' && isHeadless(service)) ? 'saidOfService' : message;
}

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
  [pairsToCome, pairsOfOperators].every(
    (toCome) => toCome(service.spec.selector, cluster.workloads(service.metadata.namespace)) === undefined,
  );

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
