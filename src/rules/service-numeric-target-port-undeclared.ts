/**
 * A targetPort that is a number is used as it is: containers need not declare it, and many that work do not. But where
 * all of them declare ports, and one of those looks like the one that was meant, the number is probably wrong.
 */
import { z } from 'zod';
import { type Backend, backendsOf, declaredPorts, isHeadless } from '../cluster/backends.ts';
import { type nearestWord, nearestWords } from '../cluster/near-miss.ts';
import { servedPorts } from '../cluster/served-ports.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { formatPort, isForWatchers, notYetTargeted, nthWithTarget } from '../kube/ports.ts';
import type { ContainerPort, ServicePort } from '../kube/resources.ts';

export const serviceNumericTargetPortUndeclared = defineRule({
  id: 'service-numeric-target-port-undeclared',
  kinds: ['Service'],
  orderClass: 'forward',
  summary: 'A numeric targetPort is one that the selected Pods declare or probe',
  reads: ['Pod', 'Template'],
  since: '0.1.0',
  options: z.strictObject({}),

  messages: {
    othersDeclared: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects: defectsOf,
      text: (undeclared: Undeclared): Explanation => ({
        what: whatOf(undeclared),
        why: 'If nothing listens on that number, every connection to the Service is refused.',
        fixes: fixesOf(undeclared),
      }),
    },
    nothingDeclared: {
      severity: 'info',
      modes: { guided: 'audit', strict: 'audit' },
      facts: 'namespace',
      defects: defectsOf,
      text: ({ port, backends }: Undeclared): Explanation => ({
        what: `port ${port.targetPort}/${port.protocol} is not declared by ${titles(backends)}, which may serve it all the same`,
        why: 'Declaring a port is optional, so this usually works; a declaration lets mistakes be found.',
        fixes: [{ text: `declare containerPort ${port.targetPort} in ${titles(backends)}` }],
      }),
    },
  },

  *check({ object: service, cluster, finding }) {
    // Clients of a headless Service connect to the Pods' own addresses: nothing is sent to its targetPort.
    if (isHeadless(service) || !service.spec.ports.some(({ targetPort }) => typeof targetPort === 'number')) return;
    const backends = backendsOf(service, cluster);
    if (backends.length === 0) return; // service-selector-matches-no-pods says so
    const served = servedPorts(backends);
    const declared = declaredPorts(backends).slice(0, mostCandidates);
    const nearest = nearestWords();
    // Who declares nothing but metrics has not told what else it serves: proxies that get their ports by injection, for one.
    const all = backends.every((backend) => declaredPorts([backend]).some((port) => !isForWatchers(port)));
    for (const [index, port] of service.spec.ports.entries()) {
      cluster.step();
      if (typeof port.targetPort === 'string' || served.by(port).size > 0) continue;
      // Declared for another protocol: service-target-port-protocol-mismatch says so.
      if (served.declared(port.targetPort) !== undefined) continue;
      const related = backends.map(({ ref }) => ref);
      const candidates = notYetTargeted(declared, service.spec.ports, index);
      const message = all && isProbablyWrong(port, service.spec.ports, candidates, nearest) ? 'othersDeclared' : 'nothingDeclared';
      yield finding(
        message,
        ['spec', 'ports', index, 'targetPort'],
        { index, port, nth: nthWithTarget(service.spec.ports, index), backends, candidates, nearest },
        related,
      );
    }
  },
});

interface Undeclared {
  readonly index: number;
  readonly port: ServicePort;
  /** Which of the ports with this target. */
  readonly nth: number;
  readonly backends: readonly Backend[];
  /** Container ports that may be meant. */
  readonly candidates: readonly ContainerPort[];
  readonly nearest: typeof nearestWord;
}

/**
 * Many declare some of their ports only, as istiod does, and Rancher: that others are declared tells little. That the number was
 * meant to be another tells a container port of the same name, or of the number in `port`; where the Service has no other
 * port, any that does not go by another name.
 */
function isProbablyWrong(
  port: ServicePort,
  ports: readonly ServicePort[],
  candidates: readonly ContainerPort[],
  nearest: typeof nearestWord,
): boolean {
  if (candidates.some(({ name, containerPort }) => containerPort === port.port || (name !== undefined && name === port.name))) return true;
  const goByIt = candidates.filter(({ name }) => name === undefined || port.name === undefined);
  return ports.length === 1 && probablyMeant(port, goByIt, nearest) !== undefined;
}

/** Of so many, nobody can tell which one was meant. */
const mostCandidates = 500;

function defectsOf({ port, nth }: Undeclared): readonly string[] {
  return [`${port.targetPort}/${port.protocol}/${nth}`];
}

const titles = ([first, ...others]: readonly Backend[]): string =>
  others.length === 0 ? `${first?.title}` : `${first?.title} and ${others.length} more`;

function declarations(backends: readonly Backend[]): string {
  const declared = declaredPorts(backends);
  const listed = [...declared.slice(0, 3).map(formatPort), ...(declared.length > 3 ? [`${declared.length - 3} more`] : [])];
  return `${titles(backends)} ${backends.length > 1 ? 'declare' : 'declares'} ${listed.join(', ')}`;
}

const whatOf = ({ port, backends }: Undeclared): string =>
  `no selected Pod declares port ${port.targetPort}/${port.protocol}; ${declarations(backends)}`;

function fixesOf({ index, port, candidates, nearest }: Undeclared): readonly [...Fix[], Fix] {
  const meant = probablyMeant(port, candidates, nearest);
  const last = { text: `use a port that the containers declare, or declare containerPort ${port.targetPort} if they listen there` };
  if (meant === undefined) return [last];
  const path = ['spec', 'ports', index, 'targetPort'];
  return [{ text: `did you mean targetPort ${meant}?`, guess: [{ op: 'replace', path, value: meant }] }, last];
}

/** The Service port's own number, where a container declares that; else the only number that may serve it; else one that looks alike. */
function probablyMeant(
  { targetPort, port }: ServicePort,
  candidates: readonly ContainerPort[],
  nearest: typeof nearestWord,
): number | undefined {
  const numbers = [...new Set(candidates.map(({ containerPort }) => containerPort))];
  if (numbers.includes(port)) return port;
  const serving = new Set(candidates.filter((one) => !isForWatchers(one)).map(({ containerPort }) => containerPort));
  if (serving.size === 1) return [...serving][0];
  const alike = nearest(String(targetPort), numbers.map(String));
  return alike === undefined ? undefined : Number(alike);
}
