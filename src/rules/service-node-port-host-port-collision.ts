/**
 * A nodePort is open on every node, and the hostPort of a Pod, or any port of a Pod on the host network, on the Pod's node.
 * Nothing keeps the numbers apart: where they are equal, one of the two gets the traffic of the other on that node.
 */
import { z } from 'zod';
import { asBackends, type Backend } from '../cluster/backends.ts';
import type { Elsewhere } from '../cluster/elsewhere.ts';
import { hostPortsOf } from '../cluster/host-ports.ts';
import { otherWithNodePort } from '../cluster/node-ports.ts';
import { titleWithPods } from '../cluster/selection.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { isWithin, nearestIn } from '../kube/port-range.ts';
import type { Service, ServicePort, Workload } from '../kube/resources.ts';

export const serviceNodePortHostPortCollision = defineRule({
  id: 'service-node-port-host-port-collision',
  kinds: ['Service'],
  orderClass: 'exclusive',
  summary: 'A nodePort is no port that Pods take on their nodes',
  reads: ['Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    isHostPort: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'foreign',
      isEvident: () => true, // who takes the port is there
      text: ({ port, backend, fixes }: Collision): Explanation => ({
        what: `nodePort ${port.nodePort}/${port.protocol} is also a port of the node for ${titleWithPods(backend)} in ${backend.ref.namespace}`,
        why: 'On each node with such a Pod, one of the two gets the traffic of the other.',
        fixes,
      }),
    },
  },

  *check({ object: service, cluster, known, elsewhere, finding }) {
    const { metadata, spec } = service;
    const wanted = new Set(spec.ports.flatMap((port) => (port.nodePort === undefined ? [] : [keyOf(port)])));
    if (wanted.size === 0) return;
    const own = cluster.workloads(metadata.namespace);
    const takesOne = ({ pod }: Workload): boolean => hostPortsOf(pod).some((port) => wanted.has(port));
    const taking = [...own.filter(takesOne), ...takingElsewhere(takesOne, metadata.namespace, elsewhere)];
    if (taking.length === 0) return;
    const isFree = freedom(service, own, known);
    const backendAt = firstBackends(taking, known);
    for (const [index, port] of spec.ports.entries()) {
      cluster.step();
      const backend = backendAt(keyOf(port));
      if (port.nodePort === undefined || backend === undefined) continue;
      const path = ['spec', 'ports', index, 'nodePort'];
      yield finding('isHostPort', path, { port, backend, fixes: fixesFor(path, port.nodePort, isFree) }, [backend.ref]);
    }
  },
});

interface Collision {
  readonly port: ServicePort;
  readonly backend: Backend;
  readonly fixes: readonly [...Fix[], Fix];
}

const keyOf = ({ nodePort, protocol }: ServicePort): string => `${nodePort}/${protocol}`;

/** By the port that it takes: thousands of ports may meet thousands of workloads. */
function firstBackends(taking: readonly Workload[], view: ClusterView): (key: string) => Backend | undefined {
  const byPort = new Map<string, Workload[]>();
  for (const workload of taking)
    for (const key of new Set(hostPortsOf(workload.pod))) {
      const those = byPort.get(key) ?? [];
      byPort.set(key, those);
      those.push(workload);
    }
  const known = new Map<string, Backend | undefined>();
  return (key) => {
    if (!known.has(key)) known.set(key, asBackends(byPort.get(key) ?? [], view)[0]);
    return known.get(key);
  };
}

/** Nodes belong to all namespaces. Who may not list Pods elsewhere is not told of them. */
const takingElsewhere = (takesOne: (one: Workload) => boolean, own: string, elsewhere: Elsewhere | undefined): readonly Workload[] =>
  (['Template', 'Pod'] as const).flatMap(
    (collection) => elsewhere?.those(collection, (one) => one.metadata.namespace !== own && takesOne(one)) ?? [],
  );

/** Numbers that Services have are no secret: the API server tells who asks for one. */
function freedom(service: Service, own: readonly Workload[], known: ClusterView): (number: number) => boolean {
  const twinOf = otherWithNodePort(service, known);
  const mine = new Set(service.spec.ports.map(({ nodePort }) => nodePort));
  const taken = new Set(own.flatMap(({ pod }) => hostPortsOf(pod)));
  const answers = new Map<number, boolean>();
  const isFree = (number: number): boolean =>
    !mine.has(number) && twinOf(number) === undefined && !(['TCP', 'UDP', 'SCTP'] as const).some((one) => taken.has(`${number}/${one}`));
  return (number) => {
    const free = answers.get(number) ?? isFree(number);
    answers.set(number, free);
    return free;
  };
}

const usualRange = { from: 30_000, to: 32_767 };

/** No number is proposed where the cluster has another range than the usual one. */
function fixesFor(path: FieldPath, nodePort: number, isFree: (number: number) => boolean): readonly [...Fix[], Fix] {
  const last = { text: 'use another nodePort' };
  const free = isWithin([usualRange], nodePort) ? nearestIn([usualRange], nodePort, isFree) : undefined;
  return free === undefined ? [last] : [{ text: `use nodePort ${free}`, patch: [{ op: 'replace', path, value: free }] }, last];
}
