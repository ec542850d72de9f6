/**
 * A targetPort that is a name is looked up in each Pod by itself. Where only some of the workloads behind a Service
 * declare it, the Pods of the others are listed as endpoints without this port and never get its traffic.
 */
import { z } from 'zod';
import { type Backend, backendsOf, declaredPorts, isHeadless } from '../cluster/backends.ts';
import { servedPorts } from '../cluster/served-ports.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { servesNumber } from '../kube/ports.ts';
import type { ServicePort } from '../kube/resources.ts';

export const serviceNamedTargetPortPartial = defineRule({
  id: 'service-named-target-port-partial',
  kinds: ['Service'],
  orderClass: 'forward',
  summary: 'A named targetPort is declared by all workloads that the Service selects',
  reads: ['Pod', 'Template'],
  since: '0.1.0',
  options: z.strictObject({}),

  messages: {
    someLackTheName: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: ({ index, port, having, lacking, number }: SomeLackTheName): Explanation => ({
        what: `${port.protocol} port "${port.targetPort}" is declared by ${listed(having)} but not by ${listed(lacking)}${share(having, lacking)}`,
        why: 'Pods that lack the name are endpoints without this port and never get its traffic.',
        fixes: [
          ...(number === undefined ? [] : [numericFix(index, number)]),
          { text: `declare the name in ${lacking.length > 1 ? 'those' : lacking[0]?.title}, or narrow the selector` },
        ],
      }),
    },
  },

  *check({ object: service, cluster, finding }) {
    if (isHeadless(service) || !service.spec.ports.some(({ targetPort }) => typeof targetPort === 'string')) return;
    const backends = backendsOf(service, cluster);
    const served = servedPorts(backends);
    const awaited = backends.filter(({ scaledToZero, ref }) => !scaledToZero && !runsToItsEnd(ref.kind));
    for (const [index, port] of service.spec.ports.entries()) {
      cluster.step();
      if (typeof port.targetPort === 'number') continue;
      // In one of its shapes: while a roll-out replaces Pods that lack the name by Pods that have it, nothing is wrong.
      const declaring = served.by(port);
      if (declaring.size === 0) continue;
      const missed = awaited.filter((backend) => {
        cluster.step();
        return !declaring.has(backend);
      });
      if (missed.length === 0) continue;
      const having = [...declaring];
      const data = { index, port, having, lacking: missed, number: commonNumber(backends, having, port) };
      const related = missed.map(({ ref }) => ref);
      yield finding('someLackTheName', ['spec', 'ports', index, 'targetPort'], data, related);
    }
  },
});

interface SomeLackTheName {
  readonly index: number;
  readonly port: ServicePort;
  readonly having: readonly Backend[];
  readonly lacking: readonly Backend[];
  /** One that all of them serve, under whatever name. */
  readonly number: number | undefined;
}

/** Nobody means a Job's Pods to serve: that they lack the name is what keeps a Service's traffic from them. */
const runsToItsEnd = (kind: string): boolean => kind === 'Job' || kind === 'CronJob';

function commonNumber(backends: readonly Backend[], having: readonly Backend[], { targetPort, protocol }: ServicePort): number | undefined {
  const number = declaredPorts(having).find((port) => port.name === targetPort && port.protocol === protocol)?.containerPort;
  return number !== undefined && backends.every(({ shapes }) => shapes.some((shape) => servesNumber(shape, number, protocol)))
    ? number
    : undefined;
}

const numericFix = (index: number, number: number): Fix => ({
  text: `use the number ${number}, which all of them serve`,
  patch: [{ op: 'replace', path: ['spec', 'ports', index, 'targetPort'], value: number }],
});

const listed = (backends: readonly Backend[]): string =>
  backends.length > 2
    ? `${backends[0]?.title} and ${backends.length - 1} other workloads`
    : backends.map(({ title }) => title).join(' and ');

const podsOf = (backends: readonly Backend[]): number => backends.reduce((sum, { pods }) => sum + pods, 0);

/** How many of the Pods that exist will never get traffic; nothing where none exists, as in files. */
function share(having: readonly Backend[], lacking: readonly Backend[]): string {
  const without = podsOf(lacking);
  return without === 0 ? '' : ` (${without} of ${without + podsOf(having)} Pods)`;
}
