/**
 * With a traffic policy `Local`, a node sends traffic to Pods on itself only, and drops it where there are none. Inside the
 * cluster that fits Pods that run on every node, as those of a DaemonSet do; clients beside anything else find no endpoint.
 */
import { z } from 'zod';
import { type Backend, backendsOf, isHeadless } from '../cluster/backends.ts';
import { titleWithPods } from '../cluster/selection.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { listed } from '../kube/listed.ts';

export const serviceLocalTrafficPolicyGaps = defineRule({
  id: 'service-local-traffic-policy-gaps',
  kinds: ['Service'],
  orderClass: 'forward',
  summary: 'A Service with a traffic policy Local has Pods on every node',
  reads: ['Pod', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    internalGaps: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: ({ backends }: Gaps): Explanation => ({
        what: `internalTrafficPolicy is Local, and ${titles(backends)} ${runs(backends)} not on every node`,
        why: 'Clients on a node without one of these Pods find no endpoint, and what they send is dropped.',
        fixes: fixesFor('internalTrafficPolicy', 'use internalTrafficPolicy: Cluster, or run the Pods by a DaemonSet'),
      }),
    },
    /** A load balancer asks each node whether it has Pods; whoever uses a node's address himself does not. */
    nodePortGaps: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      text: ({ backends }: Gaps): Explanation => ({
        what: `externalTrafficPolicy is Local, and ${titles(backends)} ${runs(backends)} not on every node`,
        why: 'The nodePort answers only on nodes with one of these Pods; on all others traffic is dropped.',
        fixes: fixesFor('externalTrafficPolicy', 'use externalTrafficPolicy: Cluster, if clients need not be known by their address'),
      }),
    },
  },

  *check({ object: service, cluster, finding }) {
    const { type, internalTrafficPolicy, externalTrafficPolicy } = service.spec;
    const isGappy = type === 'NodePort' && externalTrafficPolicy === 'Local';
    if (isHeadless(service) || !(internalTrafficPolicy === 'Local' || isGappy)) return;
    const backends = backendsOf(service, cluster).filter(({ scaledToZero }) => !scaledToZero);
    if (backends.length === 0 || !backends.every(isSpreadByChance)) return;
    const related = backends.map(({ ref }) => ref);
    if (internalTrafficPolicy === 'Local') yield finding('internalGaps', ['spec', 'internalTrafficPolicy'], { backends }, related);
    if (isGappy) yield finding('nodePortGaps', ['spec', 'externalTrafficPolicy'], { backends }, related);
  },
});

interface Gaps {
  readonly backends: readonly Backend[];
}

/** Of Pods that nobody known made, such as those that a kubelet runs from files, nobody knows on which nodes they are. */
const spreadByChance: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob']);
const isSpreadByChance = ({ ref }: Backend): boolean => spreadByChance.has(ref.kind);

const titles = (backends: readonly Backend[]): string => listed(backends.map(titleWithPods), 2);
const runs = (backends: readonly Backend[]): string => (backends.length > 1 ? 'run' : 'runs');

const fixesFor = (field: string, text: string): readonly [Fix, Fix] => [
  { text, patch: [{ op: 'replace', path: ['spec', field], value: 'Cluster' }] },
  { text },
];
