/** Verdicts as the audit tells them. */
import type { Verdict } from '../../src/audit/verdict.ts';
import type { Finding } from '../../src/engine/finding.ts';
import type { Service } from '../../src/kube/resources.ts';

export const uidOf = (name: string): string => `uid-of-${name}`;

export const serviceNamed = (name: string, uid = uidOf(name), namespace = 'shop'): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace, name, uid, labels: {}, annotations: {} },
  spec: { type: 'ClusterIP', selector: {}, ports: [], clusterIPs: [], publishNotReadyAddresses: false },
});

/** About a port, by which findings of one rule differ. */
export function findingOf(service: Service, port: number | string = 80, changes: Partial<Finding> = {}): Finding {
  const { namespace, name } = service.metadata;
  return {
    ruleId: 'service-named-target-port-unresolved',
    messageId: 'unresolved',
    severity: 'high',
    facts: 'namespace',
    subject: { apiVersion: 'v1', kind: 'Service', namespace, name },
    path: ['spec', 'ports', 0, 'targetPort'],
    what: `targetPort ${port} is declared by 0 of 3 Pods`,
    why: 'Nobody answers on this port.',
    fix: { text: `name a containerPort ${port}` },
    related: [],
    fingerprint: JSON.stringify(['service-named-target-port-unresolved', 'unresolved', `Service ${namespace}/${name}`, port]),
    defects: [],
    ...changes,
  };
}

export const clean = (object: Service): Verdict => ({ object, findings: [], pending: [], exempted: [], faults: [] });

export const broken = (
  object: Service,
  findings: readonly Finding[] = [findingOf(object)],
  mode: 'deny' | 'warn' | 'audit' = 'warn',
): Verdict => ({
  ...clean(object),
  findings: findings.map((finding) => ({ finding, mode })),
});
