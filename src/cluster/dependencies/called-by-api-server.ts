/** What the API server calls through Services: webhooks, and whoever serves a part of its API. */
import { type CalledService, type ObjectRef, refOf, type Webhook, type WebhookConfiguration } from '../../kube/resources.ts';
import { openersOf } from '../openness.ts';
import type { Destination } from '../traffic/flow.ts';
import type { ClusterView } from '../view.ts';
import { mayBeApiServer } from './api-server.ts';
import { destinationsBehind } from './dependency.ts';

/** What comes of a call that nobody answers: writes are refused, a part of the API is gone, or writes pass unseen. The gravest first. */
export const losses = ['refused', 'unserved', 'unseen'] as const;

export interface Called {
  readonly ref: ObjectRef;
  readonly loss: (typeof losses)[number];
  /** What webhooks are asked about, each once. */
  readonly resources: readonly string[];
  readonly destinations: readonly Destination[];
}

/** Whoever is called through a Service of this namespace behind which there is somebody, the gravest first. */
export function calledIn(view: ClusterView, namespace: string): readonly Called[] {
  const configurations = [...view.list('ValidatingWebhookConfiguration', ''), ...view.list('MutatingWebhookConfiguration', '')];
  const all: readonly Called[] = [
    ...configurations.flatMap((one) => one.webhooks.flatMap((webhook) => askedBy(view, one, webhook, namespace))),
    ...view.list('APIService', '').map((one): Called => {
      const destinations = destinationsOf(view, one.spec.service, namespace);
      return { ref: refOf(one), loss: 'unserved', resources: [], destinations };
    }),
  ];
  const answered = all.filter(({ destinations }) => destinations.length > 0);
  return answered.toSorted((a, b) => losses.indexOf(a.loss) - losses.indexOf(b.loss));
}

function askedBy(view: ClusterView, configuration: WebhookConfiguration, webhook: Webhook, namespace: string): readonly Called[] {
  view.step();
  if (webhook.service === undefined) return [];
  const loss = webhook.failurePolicy === 'Fail' ? 'refused' : 'unseen';
  const resources = [...new Set(webhook.rules.flatMap((rule) => rule.resources))];
  return [{ ref: refOf(configuration), loss, resources, destinations: destinationsOf(view, webhook.service, namespace) }];
}

function destinationsOf(view: ClusterView, called: CalledService, namespace: string): readonly Destination[] {
  if (called.namespace !== namespace) return [];
  const service = view.get('Service', namespace, called.name);
  const port = service?.spec.ports.find((one) => one.port === called.port && one.protocol === 'TCP');
  return service === undefined || port === undefined ? [] : destinationsBehind({ service, port }, view);
}

/**
 * Whether no policy lets the API server in to any of those who would answer. It still gets through where it runs on their own node,
 * which no object tells (rules.md D.4, 39).
 */
export const isOutOfReach = (view: ClusterView, { destinations }: Called): boolean =>
  destinations.every(
    (destination) => !mayBeApiServer(view, openersOf(view, destination.workload, 'Ingress', destination.workload, destination)),
  );
