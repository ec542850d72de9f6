/**
 * Some Pods carry the cluster: those of protected namespaces, usually kube-system, and those whose priority class says so. A
 * policy that isolates them and opens none of the ports to which their Services lead, or keeps them from the API server or the
 * resolver, breaks more than its own namespace. What stays open to somebody is left alone: who uses a port is not known.
 */
import { z } from 'zod';
import { asBackends, type Backend, tallyOf } from '../cluster/backends.ts';
import { apiServerPorts } from '../cluster/dependencies/api-server.ts';
import { type Closed, closedAmong, criticalAmong, type IsNew, type Muted, mutedAmong } from '../cluster/dependencies/critical-system.ts';
import { selectedBy } from '../cluster/dns-rules.ts';
import { fixesByOpening } from '../cluster/opening.ts';
import { boundBy, formatOthers, type Left, leftBy } from '../cluster/policy-write.ts';
import { findResolver, mayHoldResolver } from '../cluster/resolver.ts';
import type { Direction, PortOfPod } from '../cluster/traffic/flow.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule, type Operation } from '../engine/rule.ts';
import { listed } from '../kube/listed.ts';
import { formatRef, type NetworkPolicy, refOf, type Workload } from '../kube/resources.ts';

const defects = ({ backends }: Cut): readonly string[] => backends.map(({ ref }) => formatRef(ref));

export const networkPolicyCutsCriticalSystem = defineRule({
  id: 'network-policy-cuts-critical-system',
  kinds: ['NetworkPolicy'],
  orderClass: 'exclusive',
  summary: 'What the cluster rests on can be reached, and reaches the API server and DNS',
  reads: ['Namespace', 'NetworkPolicy', 'Pod', 'Service', 'Template'],
  // Templates are left out: to read each kind of them again would take seven of the ten calls.
  confirms: ['Namespace', 'NetworkPolicy', 'Pod', 'Service'],
  judgesDelete: true,
  guardsSystem: true,
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    nobodyReaches: {
      severity: 'critical',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      // An allow policy may stand in the same stage, of which a dry-run sees nothing.
      deniesDryRun: false,
      text: explainClosed,
      defects,
    },
    /** Who lists the ports of a component may well leave out those that nobody uses. */
    nobodyReachesSomePorts: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'namespace',
      text: explainClosed,
      defects,
    },
    cannotAsk: {
      severity: 'critical',
      modes: { guided: 'warn', strict: 'deny' },
      facts: 'namespace',
      deniesDryRun: false,
      text: explainMute,
      defects,
    },
  },

  *check({ object: policy, operation, before, cluster, known, shared, finding }) {
    const isProtected = (shared.protectedNamespaces ?? ['kube-system']).includes(policy.metadata.namespace);
    const write = { policy, before, cluster };
    const [shut, muted] = [criticalAmong(boundBy(write, 'Ingress'), isProtected), criticalAmong(boundBy(write, 'Egress'), isProtected)];
    if (shut.length + muted.length === 0) return;
    const mayMeetResolver = isProtected || mayHoldResolver(policy.metadata.namespace, shared.resolver);
    const resolver = mayMeetResolver ? findResolver(cluster, shared.resolver, shared.dnsNodeAddresses) : undefined;
    const isNew: IsNew = (holds) => holds(cluster) && (before === undefined || !holds(before()));
    const cutOf = (workloads: readonly Workload[], direction: Direction): Cut => {
      const left = leftBy(write, workloads, direction);
      const of = asBackends(selectedBy(cluster, left?.was ?? policy), known).length;
      return { policy, operation, backends: asBackends([...new Set(workloads)], known), of, left };
    };

    if (shut.length > 0) {
      const found = closedAmong(cluster, shut, resolver, isNew);
      const cut = cutOf(
        found.ports.map(({ workload }) => workload),
        'Ingress',
      );
      const related = [...new Set(found.ports.map(({ service }) => service)), ...(cut.left?.others ?? [])].map(refOf);
      const message = found.isWhole ? 'nobodyReaches' : 'nobodyReachesSomePorts';
      if (found.ports.length > 0) yield finding(message, cut.left?.path ?? ['spec', 'ingress'], { ...found, ...cut }, related);
    }
    if (muted.length > 0) {
      // Elsewhere network-policy-isolates-dns speaks of names, and of all Pods.
      const found = mutedAmong(muted, { apiServerPorts: apiServerPorts(cluster), resolver, judgesNames: isProtected }, isNew);
      if (found.missed.length === 0) return;
      const cut = cutOf(found.workloads, 'Egress');
      yield finding('cannotAsk', cut.left?.path ?? ['spec', 'egress'], { ...found, ...cut }, cut.left?.others.map(refOf));
    }
  },
});

interface Cut {
  readonly policy: NetworkPolicy;
  readonly operation: Operation;
  readonly backends: readonly Backend[];
  /** How many workloads the policy selects. */
  readonly of: number;
  /** Where an update has left them to other policies. */
  readonly left: Left | undefined;
}

const fixesFor = (ports: readonly PortOfPod[], key: 'ingress' | 'egress', { policy, operation, left }: Cut): Explanation['fixes'] =>
  fixesByOpening(ports, policy, key, { isRemoved: operation === 'DELETE', left });

const under = ({ left }: Cut): string => (left === undefined ? '' : `with ${formatOthers(left)} alone `);

function explainClosed({ ports, closed, ...cut }: Cut & Closed): Explanation {
  const numbers = [...new Set(ports.map(({ port, protocol }) => `${port}/${protocol}`))];
  const services = [...new Set(ports.map(({ service }) => service.metadata.name))];
  return {
    what: `${under(cut)}nobody reaches ${tallyOf(cut.backends, cut.of)} on ${listed(numbers)}, to which Service ${listed(services)} leads`,
    why: 'The cluster rests on them, and all that asks these Services fails.',
    fixes: fixesFor(closed, 'ingress', cut),
  };
}

function explainMute({ ports, missed, ...cut }: Cut & Muted): Explanation {
  return {
    what: `${under(cut)}${tallyOf(cut.backends, cut.of)} cannot reach ${listed(missed)}`,
    why: 'The cluster rests on them, and they cannot do their work.',
    fixes: fixesFor(ports, 'egress', cut),
  };
}
