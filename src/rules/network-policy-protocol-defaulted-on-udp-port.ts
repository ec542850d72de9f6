/**
 * A port of a NetworkPolicy without `protocol` is TCP. Some protocols go over UDP, DNS and NTP among them: who opens their
 * port and says no more has opened something else. The API server fills the protocol in, so that only the manifest tells.
 */
import { z } from 'zod';
import { rulesInForce } from '../cluster/policy-peers.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { type FieldPath, formatPath } from '../kube/field-path.ts';
import { omissionsIn } from '../kube/last-applied.ts';
import type { NetworkPolicyPort } from '../kube/policy-parts.ts';

export const networkPolicyProtocolDefaultedOnUdpPort = defineRule({
  id: 'network-policy-protocol-defaulted-on-udp-port',
  kinds: ['NetworkPolicy'],
  orderClass: 'self-contained',
  summary: 'A port that is used over UDP is opened for UDP',
  reads: [],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    opensTcpAlone: {
      severity: 'low',
      modes: { guided: 'audit', strict: 'warn' },
      facts: 'self',
      text: ({ port, service, ports }: Defaulted): Explanation => ({
        what: `port ${port} without a protocol is TCP, and ${service} goes over UDP`,
        why: 'What is sent to this port over UDP is not allowed by this rule.',
        fixes: [
          { text: `add {port: ${port}, protocol: UDP}`, patch: [{ op: 'add', path: [...ports, '-'], value: { protocol: 'UDP', port } }] },
          { text: `add {port: ${port}, protocol: UDP}, or say protocol: TCP where that is meant` },
        ],
      }),
    },
  },

  *check({ object: policy, cluster, isSurvey, finding }) {
    // What stands is judged by what is stored alone, so that a snapshot, which holds no such annotation, says the same.
    const omitted = new Set((isSurvey ? policy.omits : omissionsIn(policy))?.protocols);
    if (omitted.size === 0) return;
    for (const { ports = [], path } of rulesInForce(policy, cluster)) {
      const open = portsOverUdp(ports);
      for (const [index, { port }] of ports.entries()) {
        cluster.step();
        const at = [...path, 'ports', index];
        const service = typeof port === 'number' ? overUdp.get(port) : undefined;
        if (typeof port !== 'number' || service === undefined || open.has(port) || !omitted.has(formatPath(at))) continue;
        yield finding('opensTcpAlone', at, { port, service, ports: [...path, 'ports'] });
      }
    }
  },
});

interface Defaulted {
  readonly port: number;
  readonly service: string;
  /** The list in which it stands. */
  readonly ports: FieldPath;
}

/** Ports by which clients mean UDP (IANA's registry of service names; WireGuard's by its own documentation). */
const overUdp: ReadonlyMap<number, string> = new Map([
  [53, 'DNS'],
  [123, 'NTP'],
  [161, 'SNMP'],
  [514, 'syslog'],
  [4789, 'VXLAN'],
  [51820, 'WireGuard'],
]);

/** Those of them that another entry of the rule opens. */
const portsOverUdp = (ports: readonly NetworkPolicyPort[]): ReadonlySet<number> =>
  new Set(
    ports.flatMap(({ protocol, port, endPort }) =>
      protocol === 'UDP' ? [...overUdp.keys()].filter((one) => port === undefined || isWithin(one, port, endPort)) : [],
    ),
  );

/** A name may be that of any port. */
const isWithin = (one: number, port: number | string, endPort = port): boolean =>
  typeof port === 'string' || (one >= port && one <= Number(endPort));
