/**
 * An Ingress is no way around policies: its controller sends requests from Pods of its own. Where the policies of a backend do
 * not let those in, or the controller's do not let them out, every request times out. A default deny that was applied before
 * the Ingress is the usual cause.
 */
import { z } from 'zod';
import { type OpeningPolicy, openingsAsText, policyToAllow } from '../cluster/dependencies/allow-again.ts';
import { type AskedPort, titleOfPort } from '../cluster/dependencies/dependency.ts';
import { ConnectionsReader } from '../cluster/dependencies/foreign.ts';
import { type BackendWays, backendsOfIngress, type Serving, servingOf } from '../cluster/dependencies/ingress-backends.ts';
import { type Lost, refusalsOf } from '../cluster/dependencies/lost.ts';
import { flowFromUnseen, isUnseen, unseenServing } from '../cluster/dependencies/unseen-controller.ts';
import type { Elsewhere } from '../cluster/elsewhere.ts';
import { classOf } from '../cluster/ingress-classes.ts';
import { type Flow, flow } from '../cluster/traffic/flow.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Explanation, Fix } from '../engine/finding.ts';
import { defineRule } from '../engine/rule.ts';
import { listed } from '../kube/listed.ts';
import { type Ingress, type NetworkPolicy, refOf } from '../kube/resources.ts';

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
    if (classOf(ingress) === undefined) return;
    const { namespace } = ingress.metadata;
    const isPart = isAmongFilesOnly(cluster);
    // A controller that the files hold is shut out whatever else runs; one that they do not hold nobody here knows.
    const serving = isPart ? amongFiles(known, ingress) : servingOf(cluster, ingress);
    if (isPart && serving === undefined) return;
    const found = refusedBackends(cluster, ingress, serving);
    const evident = isPart ? [] : refusedBackends(cluster, ingress, unseenServing(cluster, ingress));
    // Nobody is asked about where nothing is refused.
    if (found.length + evident.length === 0) return;
    const { seesAll } = new ConnectionsReader(namespace, elsewhere);
    for (const refused of seesAll ? found : evident) {
      const { controller, backend } = refused;
      const policies = tellable(refused, elsewhere);
      if (policies.length === 0) continue;
      const fixes = fixesFor(refused, namespace, policyToAllow([refused.lost], ingress.metadata, known, elsewhere));
      const blocked = { controller, asked: backend.asked, policies, fixes };
      yield finding(refused.isShutOut ? 'notLetIn' : 'notLetOut', backend.paths[0], blocked, policies.map(refOf));
    }
  },
});

/** Files seldom hold the controller, and do not tell of all that runs. */
const isAmongFilesOnly = (cluster: ClusterView): boolean =>
  cluster.coverage('Template', '*') === 'notGiven' || cluster.coverage('Pod', '*') === 'notGiven';

/** Who serves it in the files. Where they hold no policy at all, nobody is shut out as far as they tell. */
const amongFiles = (known: ClusterView, ingress: Ingress): Serving | undefined =>
  known.coverage('NetworkPolicy', '*') === 'notGiven' ? undefined : servingOf(known, ingress);

interface Blocked {
  readonly controller: string;
  readonly asked: AskedPort;
  readonly policies: readonly NetworkPolicy[];
  readonly fixes: readonly [...Fix[], Fix];
}

/** `NetworkPolicy a and b isolate the Pods`. */
const shutting = (policies: readonly NetworkPolicy[], whom: string): string =>
  `NetworkPolicy ${listed(policies.map(({ metadata }) => metadata.name))} ${policies.length === 1 ? 'isolates' : 'isolate'} ${whom}`;

interface Refused {
  /** As people call it. */
  readonly controller: string;
  readonly backend: BackendWays;
  readonly lost: Lost;
  /** By the backend's own policies; else by the controller's. */
  readonly isShutOut: boolean;
  /** Which isolate the end that refuses. */
  readonly blockers: ReadonlySet<NetworkPolicy>;
}

/** The backends that such a controller does not reach. */
const refusedBackends = (cluster: ClusterView, ingress: Ingress, serving: Serving | undefined): readonly Refused[] =>
  serving === undefined
    ? []
    : [...backendsOfIngress(cluster, ingress, serving, ingress.metadata.namespace)].flatMap((backend) => {
        const refusal = refusalOf(cluster, backend);
        return refusal === undefined ? [] : [{ ...refusal, backend, controller: serving.controller.title }];
      });

/** Undefined where some way to some Pod is open, or may be. */
function refusalOf(cluster: ClusterView, { ways }: BackendWays): Omit<Refused, 'backend' | 'controller'> | undefined {
  const flows = ways.map((way) => (isUnseen(way) ? flowFromUnseen(cluster, way.to) : flow(cluster, way.from, way.to)));
  const [first, ...others] = ways.map((dependency, at) => ({ dependency, refusedAt: refusalsOf(flows[at] as Flow) }));
  if (first === undefined || !flows.every(({ answer }) => answer === 'denied')) return undefined;
  const isShutOut = flows.every(({ ingress: { answer } }) => answer === 'denied');
  const blockers = new Set(flows.flatMap(({ ingress, egress }) => (isShutOut ? ingress : egress).isolatedBy));
  return { lost: { title: first.dependency.title, ways: [first, ...others] }, isShutOut, blockers };
}

/** Those of the own namespace always, those of the controller's as far as the reader may list them. */
const tellable = ({ isShutOut, blockers }: Refused, elsewhere: Elsewhere | undefined): readonly NetworkPolicy[] =>
  isShutOut ? [...blockers] : (elsewhere?.those('NetworkPolicy', (one) => blockers.has(one)) ?? []);

function fixesFor({ lost, isShutOut }: Refused, own: string, opening: OpeningPolicy | undefined): Blocked['fixes'] {
  const here = `allow ${openingsAsText([lost], own)}`;
  const inWords: Fix = { text: isShutOut ? `${here} from the controller` : 'allow egress to the backend in a policy for the controller' };
  return opening === undefined ? [inWords] : [{ text: `${here} ${opening.peers}`, manifest: opening.manifest }, inWords];
}
