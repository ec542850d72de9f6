/**
 * The API server calls webhooks, and those who serve a part of its API, through Services. It is no Pod: a policy that isolates
 * these Pods and lets in only Pods, or nobody, shuts it out. Where a webhook then fails closed, writes of the whole cluster are
 * refused; where an API is gone, so is all that asks it, and no namespace can be removed.
 */
import { z } from 'zod';
import { asBackends, type Backend, tallyOf } from '../cluster/backends.ts';
import { type Called, calledIn, isOutOfReach } from '../cluster/dependencies/called-by-api-server.ts';
import { selectedBy } from '../cluster/dns-rules.ts';
import { fixesByOpening } from '../cluster/opening.ts';
import { boundBy, formatOthers, type Left, leftBy } from '../cluster/policy-write.ts';
import type { Destination } from '../cluster/traffic/flow.ts';
import type { Explanation } from '../engine/finding.ts';
import { defineRule, type Operation } from '../engine/rule.ts';
import { listed } from '../kube/listed.ts';
import { formatRef, type NetworkPolicy, refOf } from '../kube/resources.ts';

const defects = ({ called }: Cut): readonly string[] => called.map(({ ref }) => formatRef(ref));

export const networkPolicyCutsWebhookOrApiservice = defineRule({
  id: 'network-policy-cuts-webhook-or-apiservice',
  kinds: ['NetworkPolicy'],
  orderClass: 'exclusive',
  summary: 'The API server can reach the webhooks and the APIs that it calls',
  reads: [
    'APIService',
    'MutatingWebhookConfiguration',
    'Namespace',
    'NetworkPolicy',
    'Pod',
    'Service',
    'Template',
    'ValidatingWebhookConfiguration',
  ],
  // Templates are left out: to read each kind of them again would take seven of the ten calls.
  confirms: ['APIService', 'MutatingWebhookConfiguration', 'NetworkPolicy', 'Pod', 'Service', 'ValidatingWebhookConfiguration'],
  judgesDelete: true,
  guardsSystem: true,
  since: '0.1.0',

  options: z.strictObject({}),

  // Nothing is denied: to Pods on its own node the API server still gets through, and no object tells where it runs.
  messages: {
    webhookFailsClosed: {
      severity: 'critical',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: (cut: Cut) =>
        explain(cut, `Writes of ${formatKinds(cut.called[0]?.resources ?? [])} are refused wherever it asks the webhook.`),
      defects,
    },
    apiUnserved: {
      severity: 'high',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: (cut: Cut) => explain(cut, 'All that asks for this API fails, and namespaces stay Terminating.'),
      defects,
    },
    webhookIsPassedOver: {
      severity: 'medium',
      modes: { guided: 'warn', strict: 'warn' },
      facts: 'namespace',
      text: (cut: Cut) => explain(cut, 'Each write waits for its timeout, and then passes without the webhook.'),
      defects,
    },
  },

  *check({ object: policy, operation, before, cluster, known, offline, finding }) {
    // Who brings something that is called brings this with it: most sets of files hold nothing of the kind, and need not be told.
    if (offline && cluster.coverage('ValidatingWebhookConfiguration', '') === 'notGiven') return;
    const write = { policy, before, cluster };
    const bound = boundBy(write, 'Ingress');
    if (bound.size === 0) return;
    const called = calledIn(cluster, policy.metadata.namespace)
      .filter(({ destinations }) => destinations.some(({ workload }) => bound.has(workload)))
      .filter((one) => isOutOfReach(cluster, one) && (before === undefined || !isOutOfReach(before(), one)));
    const [gravest] = called;
    if (gravest === undefined) return;
    const closed = called.flatMap(({ destinations }) => destinations).filter(({ workload }) => bound.has(workload));
    const workloads = [...new Set(closed.map(({ workload }) => workload))];
    const left = leftBy(write, workloads, 'Ingress');
    const of = asBackends(selectedBy(cluster, left?.was ?? policy), known).length;
    const cut: Cut = { policy, operation, called, closed, backends: asBackends(workloads, known), of, left };
    yield finding(messages[gravest.loss], left?.path ?? ['spec', 'ingress'], cut, left?.others.map(refOf));
  },
});

const messages = { refused: 'webhookFailsClosed', unserved: 'apiUnserved', unseen: 'webhookIsPassedOver' } as const;

interface Cut {
  readonly policy: NetworkPolicy;
  readonly operation: Operation;
  /** The gravest first. */
  readonly called: readonly Called[];
  readonly closed: readonly Destination[];
  readonly backends: readonly Backend[];
  /** How many workloads the policy selects. */
  readonly of: number;
  /** Where an update has left them to other policies. */
  readonly left: Left | undefined;
}

// A star stands for all resources, with all their subresources if there are two.
const formatKinds = (resources: readonly string[]): string =>
  resources.some((resource) => /^\*(\/\*)?$/.test(resource)) ? 'all kinds' : listed(resources);

function explain({ policy, operation, called, closed, backends, of, left }: Cut, why: string): Explanation {
  const ports = [...new Set(closed.map(({ port }) => `${port}/TCP`))];
  const names = [...new Set(called.map(({ ref }) => formatRef(ref)))];
  return {
    what: `${left === undefined ? '' : `with ${formatOthers(left)} alone `}the API server cannot reach ${tallyOf(backends, of)} on ${listed(ports)}, for ${listed(names, 2, names.length === 1 ? 100 : 60)}`,
    why: `It is no Pod, so no rule for Pods lets it in, and only on its own node are they open to it. ${why}`,
    fixes: fixesByOpening(closed, policy, 'ingress', { isRemoved: operation === 'DELETE', left }),
  };
}
