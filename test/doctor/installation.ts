/** An installation in which nothing is wrong, as doctor would have read it; tests break one thing of it. */
import { entriesOf } from '../../src/doctor/entries.ts';
import type { Bundle, CertificateFacts, Facts, ServedCertificate } from '../../src/doctor/facts.ts';
import { objectsAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';

export const now = Date.UTC(2026, 10, 21);
const day = 86_400_000;
const labels = { 'app.kubernetes.io/name': 'portcullis' };
const nameLabel = 'kubernetes.io/metadata.name';

export const seen = <T>(value: T) => ({ state: 'seen', value }) as const;
export const absent = { state: 'absent' } as const;
export const unseen = { state: 'unseen', why: 'forbidden' } as const;

export const conditions = [
  { name: 'not-the-api-server', expression: "request.userInfo.username != 'system:apiserver'" },
  { name: 'not-a-node', expression: "!('system:nodes' in request.userInfo.groups)" },
  { name: 'not-break-glass', expression: "!authorizer.group('x').resource('y').name('portcullis').check('breakglass').allowed()" },
];

export const entry = (name: string, more: RawObject = {}): RawObject => ({
  name: `${name}.portcullis.dev`,
  clientConfig: { service: { name: 'portcullis', namespace: 'portcullis', path: '/validate', port: 443 } },
  failurePolicy: 'Ignore',
  timeoutSeconds: 3,
  matchConditions: conditions,
  namespaceSelector: {
    matchExpressions: [
      name === 'system'
        ? { key: nameLabel, operator: 'In', values: ['kube-system'] }
        : { key: nameLabel, operator: 'NotIn', values: ['portcullis', ...(name === 'validate' ? ['kube-system'] : [])] },
    ],
  },
  rules: [{ operations: ['CREATE'], resources: ['services', 'networkpolicies'] }],
  ...more,
});

export const registration = (
  webhooks: readonly RawObject[] = [entry('validate'), entry('system'), entry('delete')],
  name = 'portcullis',
) => ({
  metadata: { name },
  webhooks,
});

export const certificate = (more: Partial<CertificateFacts> = {}): CertificateFacts => ({
  subject: 'CN=portcullis',
  notBefore: now - day,
  notAfter: now + 60 * day,
  names: ['portcullis.portcullis.svc'],
  ...more,
});

export const served = (more: Partial<ServedCertificate> = {}): ServedCertificate => ({
  source: 'auto',
  certificate: certificate(),
  isAuthority: true,
  authorityKey: 'ca.crt',
  trustedBy: new Map(),
  ...more,
});

export const deployment = (spec: RawObject = {}, container: RawObject = {}, metadata: RawObject = {}): RawObject => ({
  metadata: { name: 'portcullis', namespace: 'portcullis', ...metadata },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        containers: [
          {
            name: 'portcullis',
            image: 'portcullis:1',
            args: ['serve', '--lease=portcullis-leader', '--tls-secret', 'portcullis-ca'],
            ports: [
              { name: 'webhook', containerPort: 10250 },
              { name: 'health', containerPort: 8081 },
            ],
            ...container,
          },
        ],
      },
    },
    ...spec,
  },
});

export const pod = (name: string, status: RawObject = {}, ready = true): RawObject => ({
  metadata: { name, namespace: 'portcullis', labels },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }], ...status },
});

/** A Pod that is not ready, whose container is in this state. */
export const ailing = (name: string, container: RawObject): RawObject =>
  pod(name, { containerStatuses: [{ name: 'portcullis', image: 'portcullis:1', ...container }] }, false);

export const service = (spec: RawObject = {}): RawObject => ({
  metadata: { name: 'portcullis', namespace: 'portcullis' },
  spec: { type: 'ClusterIP', selector: labels, ports: [{ name: 'webhook', port: 443, targetPort: 'webhook' }], ...spec },
});

export const policy = (spec: RawObject, name = 'deny', namespace = 'portcullis'): RawObject => ({
  metadata: { name, namespace },
  spec: { podSelector: {}, policyTypes: ['Ingress'], ...spec },
});

export const namespace = (name: string, more: RawObject = {}): RawObject => ({
  metadata: { name, labels: { [nameLabel]: name, ...more } },
});

export const lease = (spec: RawObject = {}): RawObject => ({
  metadata: { name: 'portcullis-leader' },
  spec: { holderIdentity: 'portcullis-1_abc', leaseDurationSeconds: 15, renewTime: new Date(now - 3_000).toISOString(), ...spec },
});

const budget = { metadata: { name: 'portcullis' }, spec: { minAvailable: 1, selector: { matchLabels: labels } } };
const slice = { endpoints: [{ addresses: ['10.1.0.1'], conditions: { ready: true } }] };

/** All of it, with other facts in place of some. The entries' bundles follow from the registration. */
export function installation(more: Partial<Facts> = {}): Facts {
  const given = more.registration ?? seen(registration());
  const entries = given.state === 'seen' ? entriesOf(given.value) : [];
  return {
    now,
    kubectl: 'kubectl',
    configuration: 'portcullis',
    namespace: 'portcullis',
    serviceName: 'portcullis',
    serviceAccount: 'portcullis',
    leaseName: 'portcullis-leader',
    secretName: 'portcullis-ca',
    keepsSecret: true,
    registration: given,
    bundles: new Map(entries.map(({ name }): [string, Bundle] => [name, [certificate({ names: [] })]])),
    otherRegistrations: seen([]),
    service: seen(service()),
    endpointSlices: seen([slice]),
    deployments: seen([deployment()]),
    pods: seen([pod('portcullis-1'), pod('portcullis-2')]),
    readiness: new Map(),
    budgets: seen([budget]),
    certificate: seen(served({ trustedBy: new Map(entries.map(({ name }) => [name, true])) })),
    lease: seen(lease()),
    rights: seen([{ verb: 'get', group: '', resource: 'pods', namespace: '', neededBy: ['x'], allowed: true }]),
    clusterRole: seen('portcullis'),
    policies: seen([]),
    namespaces: seen([namespace('default'), namespace('portcullis'), namespace('kube-system'), namespace('shop')]),
    apiServer: seen({ addresses: ['192.0.2.1'], port: 6443, serviceAddresses: ['10.96.0.1'], routesToPods: false }),
    file: seen({ profile: 'guided', namespaceProfiles: 'stricter' }),
    counters: seen([]),
    events: seen([]),
    trial: absent,
    ...more,
  };
}

/** With one entry changed. */
export const withEntry = (name: string, change: RawObject): RawObject => ({
  metadata: { name: 'portcullis' },
  webhooks: objectsAt(registration(), 'webhooks').map((one) => (one['name'] === `${name}.portcullis.dev` ? { ...one, ...change } : one)),
});
