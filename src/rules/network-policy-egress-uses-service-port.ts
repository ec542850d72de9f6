/**
 * NetworkPolicies are about the ports of Pods. A Service that is asked on port 80 may lead to port 8080 of its Pods, and
 * an egress rule that opens 80 then opens nothing that is used. Only where the Pods are known to listen elsewhere, and
 * nothing else in the policy opens that, is the Service's port taken for a mistake.
 */
import { z } from 'zod';
import { isHeadless, selectsPods } from '../cluster/backends.ts';
import { type PlacedRule, podsOfPeers, rulesInForce } from '../cluster/policy-peers.ts';
import { findResolver } from '../cluster/resolver.ts';
import { type NumberedPort, servicesByPort } from '../cluster/services-by-port.ts';
import { portMatches } from '../cluster/traffic/ports.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule, type Shared } from '../engine/rule.ts';
import type { FieldPath } from '../kube/field-path.ts';
import { matchesPairs } from '../kube/labels.ts';
import { servesNumber, targetPortIn } from '../kube/ports.ts';
import { formatRef, refOf, type Service, type Workload } from '../kube/resources.ts';

export const networkPolicyEgressUsesServicePort = defineRule({
  id: 'network-policy-egress-uses-service-port',
  kinds: ['NetworkPolicy'],
  orderClass: 'forward',
  summary: 'An egress rule opens the port of the Pods, not that of their Service',
  reads: ['Namespace', 'Pod', 'Service', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    isServicePort: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: explain,
    },
    isServicePortElsewhere: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'foreign',
      text: explain,
    },
  },

  *check({ object: policy, cluster, known, elsewhere, shared, finding }) {
    const own = policy.metadata.namespace;
    const rules = rulesInForce(policy, cluster)
      .filter(({ direction }) => direction === 'Egress')
      .toArray();
    // One without ports opens them all: no other is missed.
    if (rules.some(({ ports }) => ports === undefined)) return;
    const servicesOn = servicesByPort(cluster);
    const opened = portsOpened(rules, cluster);
    for (const rule of rules) {
      const numbered = numbersIn(rule, cluster);
      const meant = numbered.length === 0 ? undefined : podsOfPeers(rule.peers, own, cluster, elsewhere);
      // One that declares nothing may listen anywhere.
      if (meant === undefined || meant.workloads.some(({ pod }) => pod.ports.length === 0)) continue;
      const namespaces = new Set(meant.workloads.map(({ metadata }) => metadata.namespace));
      const message = meant.isForeign ? 'isServicePortElsewhere' : 'isServicePort';
      for (const { path, ...port } of numbered) {
        const asked = [...namespaces].flatMap((namespace) => servicesOn(namespace, port));
        const lead = leadTo(port, asked, meant.workloads, cluster);
        // Where the Pods' port is open as well, the Service's is superfluous, and no harm.
        if (lead === undefined || isOfDns(lead.service, port, known, shared) || isOpen(opened, lead, port)) continue;
        yield finding(message, path, { ...lead, port, path }, [refOf(lead.service)]);
      }
    }
  },
});

/** A Service whose port leads to another port of the Pods. */
interface Lead {
  readonly service: Service;
  readonly workload: Workload;
  readonly target: number;
}

const isOpen = (opened: NonNullable<PlacedRule['ports']>, { workload, target }: Lead, { protocol }: NumberedPort): boolean =>
  portMatches(opened, workload, { protocol, port: target });

/** Of what is meant for the cluster's DNS other rules speak, and open both protocols at once. */
const isOfDns = (service: Service, { port }: NumberedPort, known: ClusterView, { resolver }: Shared): boolean =>
  port === 53 && service === findResolver(known, resolver)?.service;

const numbersIn = ({ ports = [], path }: PlacedRule, cluster: ClusterView): readonly (NumberedPort & { readonly path: FieldPath })[] =>
  ports.flatMap(({ port, endPort, protocol }, index) => {
    cluster.step();
    return typeof port === 'number' && endPort === undefined ? [{ port, protocol, path: [...path, 'ports', index, 'port'] }] : [];
  });

/** A Service of one of the Pods that is asked on this port, if none of the Pods listens on it. */
function leadTo(wanted: NumberedPort, asked: readonly Service[], workloads: readonly Workload[], cluster: ClusterView): Lead | undefined {
  const listens = ({ pod }: Workload): boolean => {
    cluster.step();
    return servesNumber(pod, wanted.port, wanted.protocol);
  };
  if (asked.length === 0 || workloads.some(listens)) return undefined;
  for (const service of asked) {
    const lead = leadBy(service, wanted, workloads, cluster);
    if (lead !== undefined) return lead;
  }
  return undefined;
}

function leadBy(service: Service, wanted: NumberedPort, workloads: readonly Workload[], cluster: ClusterView): Lead | undefined {
  cluster.step();
  const servicePort = service.spec.ports.find(({ port, protocol }) => port === wanted.port && protocol === wanted.protocol);
  // Without an address of its own a Service translates nothing.
  if (servicePort === undefined || !selectsPods(service) || isHeadless(service)) return undefined;
  for (const workload of workloads) {
    cluster.step();
    const isOfService =
      workload.metadata.namespace === service.metadata.namespace && matchesPairs(service.spec.selector, workload.pod.labels);
    const target = isOfService ? targetPortIn(workload.pod, servicePort) : undefined;
    if (target !== undefined && target !== wanted.port) return { service, workload, target };
  }
  return undefined;
}

/** The ports that some rule of the policy opens, in one list. */
const portsOpened = (rules: readonly PlacedRule[], cluster: ClusterView): NonNullable<PlacedRule['ports']> =>
  rules.flatMap(({ ports = [] }) => {
    cluster.step();
    return ports;
  });

function explain({ service, target, port, path }: Lead & { readonly port: NumberedPort; readonly path: FieldPath }): Explanation {
  return {
    what: `${port.port} is the port of ${formatRef(refOf(service))}, whose Pods listen on ${target}`,
    why: `Policies are about the ports of Pods, so this entry opens nothing that is used, and connections to the Service fail.`,
    fixes: [{ text: `use port ${target}`, patch: [{ op: 'replace', path, value: target }] }, { text: `open port ${target}` }],
  };
}
