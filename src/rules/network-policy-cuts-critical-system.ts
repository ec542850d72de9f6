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
import { findResolver, mayHoldResolver } from '../cluster/resolver.ts';
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
    const critical = criticalAmong(cluster, policy, isProtected);
    if (critical.length === 0) return;
    const mayMeetResolver = isProtected || mayHoldResolver(policy.metadata.namespace, shared.resolver);
    const resolver = mayMeetResolver ? findResolver(cluster, shared.resolver, shared.dnsNodeAddresses) : undefined;
    const isNew: IsNew = (holds) => holds(cluster) && (before === undefined || !holds(before()));
    const cutOf = (workloads: readonly Workload[]): Cut => ({
      policy,
      operation,
      backends: asBackends([...new Set(workloads)], known),
      of: asBackends(selectedBy(cluster, policy), known).length,
    });

    if (policy.spec.policyTypes.includes('Ingress')) {
      const found = closedAmong(cluster, critical, resolver, isNew);
      const related = [...new Set(found.ports.map(({ service }) => service))].map(refOf);
      const data = { ...found, ...cutOf(found.ports.map(({ workload }) => workload)) };
      if (related.length > 0) yield finding(found.isWhole ? 'nobodyReaches' : 'nobodyReachesSomePorts', ['spec', 'ingress'], data, related);
    }
    if (policy.spec.policyTypes.includes('Egress')) {
      // Elsewhere network-policy-isolates-dns speaks of names, and of all Pods.
      const found = mutedAmong(critical, { apiServerPorts: apiServerPorts(cluster), resolver, judgesNames: isProtected }, isNew);
      if (found.missed.length > 0) yield finding('cannotAsk', ['spec', 'egress'], { ...found, ...cutOf(found.workloads) });
    }
  },
});

interface Cut {
  readonly policy: NetworkPolicy;
  readonly operation: Operation;
  readonly backends: readonly Backend[];
  /** How many workloads the policy selects. */
  readonly of: number;
}

function explainClosed({ policy, operation, backends, of, ports, closed }: Cut & Closed): Explanation {
  const numbers = [...new Set(ports.map(({ port, protocol }) => `${port}/${protocol}`))];
  const services = [...new Set(ports.map(({ service }) => service.metadata.name))];
  return {
    what: `nobody reaches ${tallyOf(backends, of)} on ${listed(numbers)}, to which Service ${listed(services)} leads`,
    why: 'The cluster rests on them, and all that asks these Services fails.',
    fixes: fixesByOpening(closed, policy, 'ingress', operation === 'DELETE'),
  };
}

function explainMute({ policy, operation, backends, of, ports, missed }: Cut & Muted): Explanation {
  return {
    what: `${tallyOf(backends, of)} cannot reach ${listed(missed)}`,
    why: 'The cluster rests on them, and they cannot do their work.',
    fixes: fixesByOpening(ports, policy, 'egress', operation === 'DELETE'),
  };
}
