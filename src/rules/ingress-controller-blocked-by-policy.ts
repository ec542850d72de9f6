/**
 * An Ingress is no way around policies: its controller sends requests from Pods of its own. Where the policies of a backend do
 * not let those in, or the controller's do not let them out, every request times out. A default deny that was applied before
 * the Ingress is the usual cause.
 */
import { z } from 'zod';
import { openingsAsText, policyToAllow } from '../cluster/dependencies/allow-again.ts';
import { type AskedPort, titleOfPort } from '../cluster/dependencies/dependency.ts';
import { type BackendWays, backendsOfIngress, servingOf } from '../cluster/dependencies/ingress-backends.ts';
import { type Lost, refusalsOf } from '../cluster/dependencies/lost.ts';
import { type Flow, flow } from '../cluster/traffic/flow.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { listed } from '../kube/listed.ts';
import { type NetworkPolicy, refOf } from '../kube/resources.ts';

const defects = ({ asked: { service, port } }: Blocked): readonly string[] => [`${service.metadata.name}:${port.port}`];

export const ingressControllerBlockedByPolicy = defineRule({
  id: 'ingress-controller-blocked-by-policy',
  kinds: ['Ingress'],
  orderClass: 'exclusive',
  summary: 'NetworkPolicies let the Ingress controller reach the Pods behind every Service that an Ingress leads to',
  reads: ['IngressClass', 'Namespace', 'NetworkPolicy', 'Pod', 'Service', 'Template'],
  since: '0.1.0',

  options: z.strictObject({}),

  messages: {
    notLetIn: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      defects,
      text: ({ controller, asked, policies, fixes }: Blocked): Explanation => ({
        what: `${controller} cannot reach ${titleOfPort(asked, asked.service.metadata.namespace)}: ${shutting(policies, 'the Pods')} and ${policies.length === 1 ? 'does' : 'do'} not let it in`,
        why: 'Requests that this backend should answer time out at the controller.',
        fixes,
      }),
    },
    /** By policies of the controller's own namespace, of which only who may list them is told. */
    notLetOut: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'foreign',
      defects,
      text: ({ controller, asked, policies, fixes }: Blocked): Explanation => ({
        what: `${controller} may not send to ${titleOfPort(asked, asked.service.metadata.namespace)}: ${shutting(policies, 'the controller')}`,
        why: 'Requests that this backend should answer time out at the controller.',
        fixes,
      }),
    },
  },

  *check({ object: ingress, cluster, known, elsewhere, finding }) {
    const { namespace } = ingress.metadata;
    const serving = servingOf(cluster, ingress);
    if (serving === undefined) return;
    for (const backend of backendsOfIngress(cluster, ingress, serving, namespace)) {
      const refusals = refusalsIn(cluster, backend);
      if (refusals === undefined) continue;
      const isShutOut = refusals.flows.every(({ ingress: { answer } }) => answer === 'denied');
      const blockers = new Set(refusals.flows.flatMap((one) => (isShutOut ? one.ingress : one.egress).isolatedBy));
      const policies = isShutOut ? [...blockers] : (elsewhere?.those('NetworkPolicy', (one) => blockers.has(one)) ?? []);
      if (policies.length === 0) continue;
      const opening = policyToAllow([refusals.lost], ingress.metadata, known, elsewhere);
      const inWords: Fix = { text: isShutOut ? `allow ${openingsAsText([refusals.lost], namespace)} from the controller` : comesFromThere };
      const fixes: Blocked['fixes'] =
        opening === undefined
          ? [inWords]
          : [{ text: `allow ${openingsAsText([refusals.lost], namespace)} ${opening.peers}`, manifest: opening.manifest }, inWords];
      const blocked = { controller: serving.controller.title, asked: backend.asked, policies, fixes };
      yield finding(isShutOut ? 'notLetIn' : 'notLetOut', backend.paths[0], blocked, policies.map(refOf));
    }
  },
});

interface Blocked {
  readonly controller: string;
  readonly asked: AskedPort;
  readonly policies: readonly NetworkPolicy[];
  readonly fixes: readonly [...Fix[], Fix];
}

const comesFromThere = "allow egress to the backend in a policy of the controller's namespace";

/** `NetworkPolicy a and b isolate the Pods`. */
const shutting = (policies: readonly NetworkPolicy[], whom: string): string =>
  `NetworkPolicy ${listed(policies.map(({ metadata }) => metadata.name))} ${policies.length === 1 ? 'isolates' : 'isolate'} ${whom}`;

interface Refusals {
  readonly flows: readonly Flow[];
  readonly lost: Lost;
}

/** Undefined where some way to some Pod is open, or may be. */
function refusalsIn(cluster: ClusterView, { ways }: BackendWays): Refusals | undefined {
  const flows = ways.map(({ from, to }) => flow(cluster, from, to));
  const [first, ...others] = ways.map((dependency, at) => ({ dependency, refusedAt: refusalsOf(flows[at] as Flow) }));
  if (first === undefined || !flows.every(({ answer }) => answer === 'denied')) return undefined;
  return { flows, lost: { title: first.dependency.title, ways: [first, ...others] } };
}
