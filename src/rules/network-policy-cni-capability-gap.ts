/**
 * Who enforces NetworkPolicies does not do all of what they may ask for: Cilium before 1.16 knows no port ranges, OVN-Kubernetes
 * takes a named port for any port. The API server stores the policy all the same, and it cuts more than it says, or less.
 */
import { z } from 'zod';
import type { Elsewhere } from '../cluster/elsewhere.ts';
import { type Capability, type Enforcer, enforcers, type Gap } from '../cluster/network-plugins.ts';
import { gapsOf, onlyEnforcer, type Sighting } from '../cluster/policy-enforcement.ts';
import { type PlacedRule, rulesInForce } from '../cluster/policy-peers.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { shorten } from '../kube/display.ts';
import type { FieldPath } from '../kube/field-path.ts';
import type { NetworkPolicyPort } from '../kube/policy-parts.ts';
import { type NetworkPolicy, refOf } from '../kube/resources.ts';

export const networkPolicyCniCapabilityGap = defineRule({
  id: 'network-policy-cni-capability-gap',
  kinds: ['NetworkPolicy'],
  orderClass: 'backward',
  summary: 'A policy asks only for what the network plugin of this cluster can do',
  reads: ['Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    notDone: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'public',
      text: explain,
    },
    /** Whether it is set stands in a ConfigMap, or in the arguments of the plugin. */
    notDoneUnlessSet: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'public',
      text: explain,
    },
  },

  *check({ object: policy, cluster, known, elsewhere, offline, finding }) {
    const asked = [...askedIn(policy, cluster)];
    // Among files the network plugin is mostly not: that nobody knows it is not worth telling.
    if (asked.length === 0 || (offline && onlyEnforcer(known).length === 0)) return;
    const sightings = onlyEnforcer(cluster);
    const told = toldOf(sightings, elsewhere);
    for (const gap of gapsOf(sightings))
      for (const { path, ...ask } of asked) {
        cluster.step();
        if (gap.capability !== ask.capability || ask.count <= (gap.limit ?? 0)) continue;
        const message = gap.unless === undefined ? 'notDone' : 'notDoneUnlessSet';
        yield finding(
          message,
          path,
          { gap, ask, title: told[0]?.plugin.title },
          told.map(({ daemonSet }) => refOf(daemonSet)),
        );
      }
  },
});

interface Asked {
  readonly capability: Capability;
  /** As the policy has it. */
  readonly value: string;
  /** How many ports of one protocol, of `manyPorts`. */
  readonly count: number;
}

interface Lacking {
  readonly gap: Gap;
  readonly ask: Asked;
  /** Of the plugin, for who may list it. */
  readonly title: string | undefined;
}

function explain({ gap: { effect, unless, why, fix }, ask: { value }, title }: Lacking): Explanation {
  const setting = title === undefined || unless === undefined ? '' : ` (${unless})`;
  return { what: `${value}: ${title ?? 'what enforces policies in this cluster'} ${effect}${setting}`, why, fixes: [{ text: fix }] };
}

function* askedIn(policy: NetworkPolicy, cluster: ClusterView): Generator<Asked & { readonly path: FieldPath }> {
  for (const rule of rulesInForce(policy, cluster)) {
    for (const [index, port] of (rule.ports ?? []).entries()) {
      cluster.step();
      yield* askedBy(port, [...rule.path, 'ports', index]);
    }
    yield* manyPortsIn(rule);
  }
}

function* askedBy({ port, endPort, protocol }: NetworkPolicyPort, path: FieldPath): Generator<Asked & { readonly path: FieldPath }> {
  if (endPort !== undefined && endPort !== port)
    yield { capability: 'endPort', value: `ports ${port} to ${endPort}`, count: 1, path: [...path, 'endPort'] };
  if (typeof port === 'string') yield { capability: 'namedPort', value: `port ${shorten(port)}`, count: 1, path: [...path, 'port'] };
  if (protocol === 'SCTP') yield { capability: 'SCTP', value: 'protocol SCTP', count: 1, path: [...path, 'protocol'] };
}

/** A policy with fewer is never asked who enforces it. */
const fewestTaken = Math.min(...enforcers.flatMap(({ gaps = [] }) => gaps.flatMap(({ limit }) => limit ?? [])));

/** Of the protocol that has most: a range counts once, and so does what is written twice. */
function* manyPortsIn({ ports = [], path }: PlacedRule): Generator<Asked & { readonly path: FieldPath }> {
  if (ports.length <= fewestTaken) return;
  const byProtocol = Map.groupBy(ports, ({ protocol }) => protocol);
  const counts = Array.from(byProtocol, ([protocol, those]) => ({
    protocol,
    count: new Set(those.map(({ port, endPort }) => `${port}-${endPort ?? ''}`)).size,
  }));
  const [most] = counts.toSorted((a, b) => b.count - a.count);
  if (most === undefined || most.count <= fewestTaken) return;
  const { protocol, count } = most;
  yield { capability: 'manyPorts', value: `${count} ${protocol} ports in one rule`, count, path: [...path, 'ports'] };
}

/** Its DaemonSets, where the reader may list them; else it is not named. */
function toldOf(sightings: readonly Sighting<Enforcer>[], elsewhere: Elsewhere | undefined): readonly Sighting<Enforcer>[] {
  const all = new Set(sightings.map(({ daemonSet }) => daemonSet));
  const those = elsewhere?.those('Template', (one) => all.has(one)) ?? [];
  return sightings.filter(({ daemonSet }) => those.includes(daemonSet));
}
