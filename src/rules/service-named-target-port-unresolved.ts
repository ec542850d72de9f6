/**
 * A targetPort that is a name is looked up in each Pod behind the Service, by name and protocol. Where no Pod declares
 * it, the Service has endpoints with addresses but without this port, and looks healthy while nothing answers.
 */
import { z } from 'zod';
import { type Backend, backendsOf, declaredPorts, isHeadless } from '../cluster/backends.ts';
import { isCertainTypo, type nearestWord, nearestWords } from '../cluster/near-miss.ts';
import { servedPorts } from '../cluster/served-ports.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { formatPort, isForWatchers, notYetTargeted, nthWithTarget } from '../kube/ports.ts';
import type { ContainerPort, ServicePort } from '../kube/resources.ts';

export const serviceNamedTargetPortUnresolved = defineRule({
  id: 'service-named-target-port-unresolved',
  kinds: ['Service'],
  orderClass: 'forward',
  summary: 'A named targetPort is declared by the Pods that the Service selects',
  reads: ['Pod', 'Template'],
  since: '0.1.0',
  options: z.strictObject({}),

  messages: {
    nameNotDeclared: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      defects: defectsOf,
      text: (undeclared: Undeclared): Explanation => ({
        what: whatOf(undeclared),
        why: 'The endpoints of this Service will have addresses but no port, so every connection to it fails.',
        fixes: fixesOf(undeclared),
      }),
    },
    headlessNameNotDeclared: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      defects: defectsOf,
      text: (undeclared: Undeclared): Explanation => ({
        what: whatOf(undeclared),
        why: 'The Service is headless, so its addresses resolve, but DNS has no SRV record for this port.',
        fixes: fixesOf(undeclared),
      }),
    },
  },

  *check({ object: service, cluster, finding }) {
    if (!service.spec.ports.some(({ targetPort }) => typeof targetPort === 'string')) return;
    const backends = backendsOf(service, cluster);
    if (backends.length === 0) return; // service-selector-matches-no-pods says so
    const served = servedPorts(backends);
    const declared = declaredPorts(backends).slice(0, mostCandidates);
    const names = declared.flatMap(({ name }) => name ?? []);
    const nearest = nearestWords();
    const message = isHeadless(service) ? 'headlessNameNotDeclared' : 'nameNotDeclared';
    for (const [index, port] of service.spec.ports.entries()) {
      cluster.step();
      if (typeof port.targetPort === 'number' || served.by(port).size > 0) continue;
      // Declared for another protocol: service-target-port-protocol-mismatch says so.
      if (!isHeadless(service) && served.declared(port.targetPort) !== undefined) continue;
      const related = backends.map(({ ref }) => ref);
      const candidates = notYetTargeted(declared, service.spec.ports, index);
      const data = { index, port, nth: nthWithTarget(service.spec.ports, index), backends, candidates, declared: names, nearest };
      yield finding(message, ['spec', 'ports', index, 'targetPort'], data, related);
    }
  },
});

interface Undeclared {
  readonly index: number;
  readonly port: ServicePort;
  /** Which of the ports with this target: to add another one to a wrong one is new. */
  readonly nth: number;
  readonly backends: readonly Backend[];
  /** Container ports that may be meant. */
  readonly candidates: readonly ContainerPort[];
  /** The names of all that are declared. */
  readonly declared: readonly string[];
  readonly nearest: typeof nearestWord;
}

/** Of so many, nobody can tell which one was meant. */
const mostCandidates = 500;

function defectsOf({ port, nth }: Undeclared): readonly string[] {
  return [`${port.targetPort}/${port.protocol}/${nth}`];
}

function whatOf({ port: { targetPort, protocol }, backends }: Undeclared): string {
  const [first, ...others] = backends as readonly [Backend, ...Backend[]];
  const declared = declaredPorts(others.length === 0 ? backends : [first]);
  const listed = [...declared.slice(0, 3).map(formatPort), ...(declared.length > 3 ? [`${declared.length - 3} more`] : [])];
  const says = `${first.title} declares ${listed.length === 0 ? 'no ports' : listed.join(', ')}`;
  const more = others.length === 0 ? '' : ` (0 of ${backends.length} workloads declare it)`;
  return `no selected Pod has a ${protocol} port "${targetPort}"; ${says}${more}`;
}

function fixesOf({ index, port, candidates, declared, nearest }: Undeclared): readonly [...Fix[], Fix] {
  const path = ['spec', 'ports', index, 'targetPort'];
  const meant = probablyMeant(port, candidates, nearest);
  const value = meant && (meant.name ?? meant.containerPort);
  const last = lastFix(port, candidates);
  if (value === undefined) return [{ text: last }];
  const number = typeof value === 'string' ? ` (or the number ${meant?.containerPort})` : '';
  const isCertain = typeof value === 'string' && isCertainTypo(String(port.targetPort), value, declared);
  return [{ text: `did you mean ${value}${number}?`, ...editTowards(isCertain, [{ op: 'replace', path, value }]) }, { text: last }];
}

/** Where nothing but metrics is declared, the port that is meant is not declared at all. */
function lastFix({ targetPort }: ServicePort, candidates: readonly ContainerPort[]): string {
  const name = `name the container's port "${targetPort}"`;
  const values = [...new Set(candidates.map(({ name: called, containerPort }) => called ?? containerPort))];
  if (values.length === 0 || candidates.every(isForWatchers)) return `${name}, or use the number on which it listens as targetPort`;
  const shown = values.slice(0, 3);
  const others = values.length > shown.length ? ' or another that is declared' : '';
  return `use targetPort ${shown.join(others === '' ? ' or ' : ', ')}${others}, or ${name}`;
}

/** The name that looks alike; else the container port that has the Service port's number; else the only one that may serve it. */
function probablyMeant(
  { targetPort, port }: ServicePort,
  candidates: readonly ContainerPort[],
  nearest: typeof nearestWord,
): ContainerPort | undefined {
  const alike = nearest(
    String(targetPort),
    candidates.flatMap(({ name }) => name ?? []),
  );
  if (alike !== undefined) return candidates.find(({ name }) => name === alike);
  const sameNumber = candidates.find(({ containerPort }) => containerPort === port);
  const [only, ...others] = candidates;
  return sameNumber ?? (only !== undefined && others.length === 0 && !isForWatchers(only) ? only : undefined);
}
