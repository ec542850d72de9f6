/** What the API server calls by a Service: webhooks, and APIs that somebody else serves. Never the certificates in them. */
import { selectorOf } from './normalize-networking.ts';
import { given, isObject, numberAt, objectAt, objectsAt, stringAt, stringsAt } from './read.ts';
import type { ApiService, CalledService, ObjectMeta, RawObject, Webhook, WebhookConfiguration } from './resources.ts';

export const normalizeWebhookConfiguration = (
  raw: RawObject,
  kind: WebhookConfiguration['kind'],
  metadata: ObjectMeta,
): WebhookConfiguration => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata,
  webhooks: objectsAt(raw, 'webhooks').map(webhookOf),
});

/** Defaults of pkg/apis/admissionregistration/v1/defaults.go. */
const webhookOf = (raw: RawObject): Webhook => ({
  name: stringAt(raw, 'name') ?? '',
  failurePolicy: stringAt(raw, 'failurePolicy') === 'Ignore' ? 'Ignore' : 'Fail',
  ...given('service', serviceOf(objectAt(raw, 'clientConfig'))),
  rules: objectsAt(raw, 'rules').map((rule) => ({ apiGroups: stringsAt(rule, 'apiGroups'), resources: stringsAt(rule, 'resources') })),
  namespaceSelector: selectorOf(objectAt(raw, 'namespaceSelector')),
});

/** Undefined for a part of the API that the API server, or a definition in it, serves: nobody is called for that. */
export function normalizeApiService(raw: RawObject, metadata: ObjectMeta): ApiService | undefined {
  const service = serviceOf(objectAt(raw, 'spec'));
  return service && { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata, spec: { service } };
}

/** Without a port, 443 is asked (for APIs: kube-aggregator pkg/apis/apiregistration/v1/defaults.go). */
function serviceOf(raw: RawObject): CalledService | undefined {
  const { service } = raw;
  if (!isObject(service)) return undefined;
  return { namespace: stringAt(service, 'namespace') ?? '', name: stringAt(service, 'name') ?? '', port: numberAt(service, 'port') ?? 443 };
}
