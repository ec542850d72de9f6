import { describe, expect, it } from 'vitest';
import { normalize } from '../../src/kube/normalize.ts';
import type { ApiService, RawObject, WebhookConfiguration } from '../../src/kube/resources.ts';

const service = { namespace: 'policies', name: 'checks' };

describe('a webhook configuration', () => {
  const configuration = (webhook: RawObject, kind = 'ValidatingWebhookConfiguration'): WebhookConfiguration =>
    normalize(
      { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: 'checks' }, webhooks: [webhook] },
      { namespace: 'shop' },
    ) as WebhookConfiguration;

  it('keeps what rules read, and no certificate', () => {
    const webhook = {
      name: 'checks.example.com',
      failurePolicy: 'Ignore',
      clientConfig: { caBundle: 'Q0E=', service: { ...service, port: 8443, path: '/check' } },
      namespaceSelector: { matchLabels: { checked: 'yes' } },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods', 'nodes'] }],
      sideEffects: 'None',
    };
    expect(configuration(webhook).webhooks).toEqual([
      {
        name: 'checks.example.com',
        failurePolicy: 'Ignore',
        service: { ...service, port: 8443 },
        namespaceSelector: { matchLabels: { checked: 'yes' }, matchExpressions: [] },
        rules: [{ apiGroups: [''], resources: ['pods', 'nodes'] }],
      },
    ]);
  });

  it('is defaulted as the API server would: it fails closed, and is asked on 443', () =>
    expect(configuration({ clientConfig: { service } }, 'MutatingWebhookConfiguration')).toMatchObject({
      kind: 'MutatingWebhookConfiguration',
      metadata: { namespace: '', name: 'checks' },
      webhooks: [{ failurePolicy: 'Fail', service: { ...service, port: 443 }, rules: [], namespaceSelector: { matchLabels: {} } }],
    }));

  it('names no Service where it is called by an address', () =>
    expect(configuration({ clientConfig: { url: 'https://203.0.113.7/check' } }).webhooks[0]).not.toHaveProperty('service'));
});

describe('an APIService', () => {
  const api = (spec: RawObject): ApiService | undefined =>
    normalize({ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1.example.com' }, spec }) as
      | ApiService
      | undefined;

  it('keeps whom it leads to, and no certificate', () =>
    expect(api({ service, caBundle: 'Q0E=', group: 'example.com' })?.spec).toEqual({ service: { ...service, port: 443 } }));

  it.each([{}, { service: null }])('is nothing where the API server serves it itself: %j', (spec) => expect(api(spec)).toBeUndefined());
});
