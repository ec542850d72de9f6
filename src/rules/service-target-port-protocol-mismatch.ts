/**
 * A Service port and the container port behind it must have the same protocol, and both are TCP where nothing is said.
 * A container that declares `containerPort: 53` without more declares TCP; a UDP Service port in front leads nowhere.
 */
import { z } from 'zod';
import { backendsOf, isHeadless } from '../cluster/backends.ts';
import { servedPorts } from '../cluster/served-ports.ts';
import { type Explanation, editTowards, type Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { isTargetOfAnother, nthWithTarget } from '../kube/ports.ts';
import type { ContainerPort, Protocol, Service, ServicePort } from '../kube/resources.ts';

export const serviceTargetPortProtocolMismatch = defineRule({
  id: 'service-target-port-protocol-mismatch',
  kinds: ['Service'],
  orderClass: 'forward',
  summary: 'A Service port has the protocol of the container port that it leads to',
  reads: ['Pod', 'Template'],
  since: '0.1.0',
  options: z.strictObject({}),

  messages: {
    nameOfOtherProtocol: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      defects: defectsOf,
      text: (mismatch: Mismatch): Explanation => ({
        what: whatOf(mismatch),
        why: 'A name is looked up by protocol too, so the endpoints will have addresses but no port, and every connection fails.',
        fixes: fixesOf(mismatch),
      }),
    },
    numberOfOtherProtocol: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects: defectsOf,
      text: (mismatch: Mismatch): Explanation => ({
        what: whatOf(mismatch),
        why: 'If nothing listens there with that protocol, what is sent to the Service is lost.',
        fixes: fixesOf(mismatch),
      }),
    },
  },

  *check({ object: service, cluster, finding }) {
    if (isHeadless(service)) return;
    const served = servedPorts(backendsOf(service, cluster));
    for (const [index, port] of service.spec.ports.entries()) {
      cluster.step();
      if (served.by(port).size > 0) continue;
      const found = served.declared(port.targetPort);
      if (found === undefined) continue;
      const { backend, port: declared } = found;
      const message = typeof port.targetPort === 'string' ? 'nameOfOtherProtocol' : 'numberOfOtherProtocol';
      const nth = nthWithTarget(service.spec.ports, index);
      const data = { index, port, nth, declared, title: backend.title, ...othersOf(service, index, declared.protocol) };
      yield finding(message, ['spec', 'ports', index, 'protocol'], data, [backend.ref]);
    }
  },
});

interface Mismatch {
  readonly index: number;
  readonly port: ServicePort;
  /** Which of the ports with this target and protocol: to add another one is new. */
  readonly nth: number;
  readonly declared: ContainerPort;
  /** Of the workload that declares it. */
  readonly title: string;
  /** No other port of the Service has the number with the protocol that is declared: the API server would refuse two. */
  readonly isFree: boolean;
  /** Another port of the Service leads to the same target with the protocol that is declared, which must stay declared. */
  readonly isShared: boolean;
}

function othersOf({ spec }: Service, index: number, protocol: Protocol): Pick<Mismatch, 'isFree' | 'isShared'> {
  const { port, targetPort } = spec.ports[index] as ServicePort;
  const isFree = !spec.ports.some((other, at) => at !== index && other.protocol === protocol && other.port === port);
  return { isFree, isShared: isTargetOfAnother(spec.ports, index, protocol, targetPort) };
}

function whatOf({ port, declared, title }: Mismatch): string {
  const target = typeof port.targetPort === 'string' ? `"${port.targetPort}"` : port.targetPort;
  return `port ${port.port} is ${port.protocol}, but ${title} declares its target ${target} as ${declared.protocol} only`;
}

/** A container port without protocol is TCP, a forgotten UDP as likely as not; one of another protocol was written on purpose. */
function fixesOf(mismatch: Mismatch): readonly [...Fix[], Fix] {
  const { index, port, declared, isFree } = mismatch;
  const value = declared.protocol;
  const inContainer = fixInContainer(mismatch);
  if (!isFree) return [{ text: inContainer }];
  const text =
    value === 'TCP'
      ? `write protocol: TCP here, or, if the container listens on ${port.protocol}, ${inContainer}`
      : `did you mean protocol: ${value}?`;
  // A number may be served undeclared, but a name that is declared for another protocol leads nowhere.
  const isCertain = value !== 'TCP' && typeof port.targetPort === 'string';
  return [
    { text, ...editTowards(isCertain, [{ op: 'replace', path: ['spec', 'ports', index, 'protocol'], value }]) },
    { text: inContainer },
  ];
}

/** To declare the port once more is no repair: a container may use a name once, and kubectl merges its ports by their number. */
function fixInContainer({ port: { targetPort, protocol }, declared: { containerPort }, isShared }: Mismatch): string {
  if (typeof targetPort === 'number')
    return isShared
      ? `declare containerPort ${containerPort} with protocol: ${protocol} too`
      : `set protocol: ${protocol} on its containerPort ${containerPort}`;
  return isShared
    ? `declare ${containerPort}/${protocol} under a name of its own and use that as targetPort`
    : `set protocol: ${protocol} on its port "${targetPort}"`;
}

/** The protocol alone would make an old mismatch of a new one: what counts is which target is asked for how. */
function defectsOf({ port, nth }: Mismatch): readonly string[] {
  return [`${port.targetPort}/${port.protocol}/${nth}`];
}
