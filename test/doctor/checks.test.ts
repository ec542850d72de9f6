/** Each check on installations that are well and on ones that are not: what it says, how gravely, and what it has one run. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checks } from '../../src/doctor/checks.ts';
import { diagnose } from '../../src/doctor/diagnose.ts';
import type { Facts } from '../../src/doctor/facts.ts';
import { jsonOf } from '../../src/doctor/print.ts';
import {
  absent,
  ailing,
  certificate,
  conditions,
  deployment,
  entry,
  installation,
  lease,
  namespace,
  now,
  pod,
  policy,
  registration,
  seen,
  served,
  service,
  unseen,
  withEntry,
} from './installation.ts';

const byHelm = deployment({}, {}, { annotations: { 'meta.helm.sh/release-name': 'p', 'meta.helm.sh/release-namespace': 'ns' } });
const at = (ms: number): string => new Date(now + ms).toISOString();
const day = 86_400_000;
const anyPort = { ingress: [{}] };
const closed = { failurePolicy: 'Fail' };
const otherLabels = { matchLabels: { app: 'other' } };
const nobody = [pod('portcullis-1', {}, false), pod('portcullis-2', {}, false)];
const waiting = (reason: string, message = ''): Record<string, unknown> => ({ state: { waiting: { reason, message } } });
const right = (verb: string, resource: string, more: object = {}) => ({
  verb,
  group: '',
  resource,
  namespace: '',
  neededBy: ['service-x'],
  allowed: false,
  ...more,
});

/** What is well: title, what differs from the installation of the other file. */
const well: readonly (readonly [string, Partial<Facts>])[] = [
  ['nothing differs', {}],
  [
    'the registration lists its entries in another order',
    { registration: seen(registration([entry('delete'), entry('system'), entry('validate')])) },
  ],
  [
    'an entry of somebody else leads elsewhere',
    { otherRegistrations: seen([registration([entry('x', { clientConfig: { service: { name: 'x', namespace: 'portcullis' } } })], 'x')]) },
  ],
  [
    'an entry of somebody else names a URL',
    { otherRegistrations: seen([registration([entry('x', { clientConfig: { url: 'https://x' } })], 'x')]) },
  ],
  [
    'another namespace has a Service of our name',
    {
      otherRegistrations: seen([
        registration([entry('x', { clientConfig: { service: { name: 'portcullis', namespace: 'other' } } })], 'x'),
      ]),
    },
  ],
  ['validate is Fail, and all is excluded', { registration: seen(withEntry('validate', closed)), trial: seen('') }],
  [
    'validate is Fail, and its exit is asked for in double quotes',
    {
      registration: seen(
        withEntry('validate', {
          ...closed,
          matchConditions: [...conditions.slice(0, 2), { name: 'not-break-glass', expression: 'authorizer.check("breakglass").allowed()' }],
        }),
      ),
    },
  ],
  ['the dry-run was refused for another reason', { registration: seen(withEntry('validate', closed)), trial: unseen }],
  [
    'entries ask about routes and gateways too',
    { registration: seen(withEntry('validate', { rules: [{ resources: ['httproutes', 'gateways', 'adminnetworkpolicies'] }] })) },
  ],
  [
    'a bundle of two authorities, one of which has ended',
    { bundles: new Map([['validate.portcullis.dev', [certificate({ notAfter: now - day }), certificate()]]]) },
  ],
  ['the certificate was not looked at', { certificate: unseen, secretName: undefined }],
  ['a certificate of their own, for our name', { keepsSecret: false, certificate: seen(served({ source: 'given', isAuthority: false })) }],
  ['an authority, which is for no name', { certificate: seen(served({ certificate: certificate({ names: [] }) })) }],
  ['an authority that ends in three weeks', { certificate: seen(served({ certificate: certificate({ notAfter: now + 21 * day }) })) }],
  ['nothing of namespaces was seen', { namespaces: unseen }],
  ['Pods were not looked at', { pods: unseen }],
  ['Deployments were not looked at, and Pods are ready', { deployments: unseen }],
  ['one replica, and nothing is Fail', { deployments: seen([deployment({ replicas: 1 })]) }],
  [
    'three replicas, and validate is Fail',
    { registration: seen(withEntry('validate', closed)), deployments: seen([deployment({ replicas: 3 })]) },
  ],
  [
    'another Deployment stands beside ours',
    { deployments: seen([{ metadata: { name: 'a' }, spec: { template: { metadata: { labels: { app: 'a' } } } } }, deployment()]) },
  ],
  [
    'Pods of others are ill',
    {
      pods: seen([
        pod('portcullis-1'),
        { ...ailing('other', waiting('ImagePullBackOff')), metadata: { name: 'other', labels: { app: 'other' } } },
      ]),
    },
  ],
  [
    'a Pod is being created',
    {
      pods: seen(
        [
          pod('portcullis-1'),
          ailing('portcullis-2', { ...waiting('ContainerCreating'), image: '' }) as object as ReturnType<typeof pod>,
        ].map((one, index) => (index === 0 ? one : { ...one, status: { ...(one['status'] as object), phase: 'Pending' } })),
      ),
    },
  ],
  ['a few restarts', { pods: seen([pod('portcullis-1', { containerStatuses: [{ name: 'portcullis', restartCount: 4 }] })]) }],
  [
    'a Pod that will be ended',
    {
      pods: seen([
        pod('portcullis-1'),
        {
          ...pod('portcullis-2'),
          metadata: { name: 'portcullis-2', labels: { 'app.kubernetes.io/name': 'portcullis' }, deletionTimestamp: at(0) },
        },
      ]),
    },
  ],
  ['the targetPort is the number', { service: seen(service({ ports: [{ port: 443, targetPort: 10250 }] })) }],
  [
    'the Service has more ports',
    {
      service: seen(
        service({
          ports: [
            { name: 'm', port: 8081, targetPort: 'health' },
            { name: 'w', port: 443, targetPort: 'webhook' },
          ],
        }),
      ),
    },
  ],
  [
    'the Service selects by fewer labels than the Deployment',
    {
      deployments: seen([
        deployment({
          template: {
            metadata: { labels: { 'app.kubernetes.io/name': 'portcullis', more: 'x' } },
            spec: { containers: [{ name: 'portcullis', ports: [{ name: 'webhook', containerPort: 10250 }] }] },
          },
        }),
      ]),
    },
  ],
  [
    'an ExternalName Service, for tests',
    { service: seen(service({ type: 'ExternalName', selector: {}, ports: [] })), endpointSlices: seen([]) },
  ],
  ['an endpoint does not say whether it is ready', { endpointSlices: seen([{ endpoints: [{ conditions: {} }] }]) }],
  ['EndpointSlices were not looked at', { endpointSlices: unseen }],
  ['a policy selects others', { policies: seen([policy({ podSelector: otherLabels })]) }],
  ['a policy of another namespace', { policies: seen([policy({}, 'deny', 'shop')]) }],
  ['a policy lets all in', { policies: seen([policy(anyPort)]) }],
  ['a policy lets the port in', { policies: seen([policy({ ingress: [{ ports: [{ port: 10250 }] }] })]) }],
  ['a policy lets the port in by its name', { policies: seen([policy({ ingress: [{ ports: [{ port: 'webhook' }] }] })]) }],
  [
    'a policy lets the addresses of API servers in',
    { policies: seen([policy({ ingress: [{ from: [{ ipBlock: { cidr: '192.0.2.0/24' } }] }] })]) },
  ],
  ['one policy denies, another allows', { policies: seen([policy({}), policy(anyPort, 'allow')]) }],
  ['policies that deny, where the API server has no known address', { policies: seen([policy({})]), apiServer: unseen }],
  [
    'egress to 443 alone, before the translation',
    { policies: seen([policy({ policyTypes: ['Egress'], egress: [{ ports: [{ port: 443 }] }] })]) },
  ],
  ['egress to 6443 alone, after it', { policies: seen([policy({ policyTypes: ['Egress'], egress: [{ ports: [{ port: 6443 }] }] })]) }],
  [
    'egress to the address of Service kubernetes',
    { policies: seen([policy({ policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr: '10.96.0.1/32' } }] }] })]) },
  ],
  ['rights were not looked at', { rights: unseen }],
  ['a label that makes stricter', { namespaces: seen([namespace('shop', { 'portcullis.dev/profile': 'strict' })]) }],
  ['a label that says what holds anyway', { namespaces: seen([namespace('shop', { 'portcullis.dev/profile': 'guided' })]) }],
  [
    'a label that makes milder, where that is allowed',
    {
      namespaces: seen([namespace('shop', { 'portcullis.dev/profile': 'observe' })]),
      file: seen({ profile: 'guided', namespaceProfiles: 'any' }),
    },
  ],
  ['a label, and the file was not seen', { namespaces: seen([namespace('shop', { 'portcullis.dev/profile': 'observe' })]), file: unseen }],
  ['a Lease that nobody has held yet', { lease: seen({ metadata: { name: 'portcullis-leader' } }) }],
  ['a Lease that was given up', { lease: seen(lease({ holderIdentity: '', renewTime: at(-day) })) }],
  ['a Lease of the Pod of that name', { lease: seen(lease({ holderIdentity: 'portcullis-2' })) }],
  ['a Lease of a Pod that has just gone', { lease: seen(lease({ holderIdentity: 'portcullis-0_abc', renewTime: at(-10_000) })) }],
  ['a Lease that is renewed late', { lease: seen(lease({ renewTime: at(-25_000) })) }],
  ['no Lease is used', { leaseName: undefined, lease: absent }],
  ['the Lease was not looked at', { lease: unseen }],
  [
    'a budget in per cent',
    { budgets: seen([{ metadata: { name: 'b' }, spec: { maxUnavailable: '50%', selector: { matchLabels: {} } } }]) },
  ],
  [
    'a budget that lets one go',
    {
      budgets: seen([
        { metadata: { name: 'b' }, spec: { maxUnavailable: 1, selector: { matchLabels: { 'app.kubernetes.io/name': 'portcullis' } } } },
      ]),
    },
  ],
  ['no budget for one replica', { deployments: seen([deployment({ replicas: 1 })]), budgets: seen([]) }],
  ['budgets were not looked at', { budgets: unseen }],
  ['old warnings', { events: seen([{ type: 'Warning', lastTimestamp: at(-2 * 3_600_000) }]) }],
  ['events that warn of nothing', { events: seen([{ type: 'Normal', lastTimestamp: at(0) }]) }],
  [
    'nothing could be looked at but the registration',
    {
      ...Object.fromEntries(
        [
          'otherRegistrations',
          'service',
          'endpointSlices',
          'deployments',
          'pods',
          'budgets',
          'certificate',
          'lease',
          'rights',
          'clusterRole',
          'policies',
          'namespaces',
          'apiServer',
          'file',
          'counters',
          'events',
          'trial',
        ].map((key) => [key, unseen]),
      ),
    },
  ],
];

describe('what is well', () => {
  it.each(well)('%s', (_, facts) => {
    const { problems, notes, emergency } = diagnose(installation(facts));
    expect(problems).toEqual([]);
    expect(notes).toEqual([]);
    expect(emergency).toBeUndefined();
  });
});

/** What is not: title, the check that says so first, how gravely, a part of what it has one run, what differs. */
const ill: readonly (readonly [string, string, string, string | RegExp, Partial<Facts>])[] = [
  ['no registration', 'webhook-configuration', 'high', 'kubectl apply -f deploy/50-webhook.yaml', { registration: absent }],
  [
    'no registration, of a release of Helm',
    'webhook-configuration',
    'high',
    /^helm get manifest guard -n ns \| kubectl apply --server-side --field-manager=helm --force-conflicts -f -/,
    {
      registration: absent,
      deployments: seen([
        deployment({}, {}, { annotations: { 'meta.helm.sh/release-name': 'guard', 'meta.helm.sh/release-namespace': 'ns' } }),
      ]),
    },
  ],
  [
    'another name',
    'webhook-configuration',
    'high',
    /^$/,
    { registration: absent, otherRegistrations: seen([registration([entry('validate', { clientConfig: {} })], 'guard')]) },
  ],
  [
    'an entry is missing',
    'webhook-entries',
    'medium',
    'deploy/50-webhook.yaml',
    { registration: seen(registration([entry('validate'), entry('system')])) },
  ],
  [
    'the main entry is missing',
    'webhook-entries',
    'high',
    'deploy/50-webhook.yaml',
    { registration: seen(registration([entry('delete'), entry('system')])) },
  ],
  [
    'registered twice',
    'registered-once',
    'high',
    'kubectl delete validatingwebhookconfiguration old',
    { otherRegistrations: seen([registration([entry('validate')], 'old')]) },
  ],
  [
    'an entry leads elsewhere',
    'webhook-leads-to-service',
    'medium',
    'deploy/50-webhook.yaml',
    { registration: seen(withEntry('delete', { clientConfig: { url: 'https://x' } })) },
  ],
  ['no Deployment', 'deployment', 'high', 'kubectl apply -k deploy/', { deployments: seen([]), pods: seen([]) }],
  [
    'scaled to nothing',
    'deployment',
    'high',
    'kubectl -n portcullis scale deployment/portcullis --replicas=2',
    { deployments: seen([deployment({ replicas: 0 })]), pods: seen([]) },
  ],
  [
    'scaled to nothing, and Fail',
    'deployment',
    'critical',
    'scale',
    { deployments: seen([deployment({ replicas: 0 })]), pods: seen([]), registration: seen(withEntry('validate', closed)) },
  ],
  [
    'the first image cannot be pulled',
    'image',
    'high',
    'rollout restart',
    { pods: seen([ailing('portcullis-1', waiting('ImagePullBackOff', 'not found'))]) },
  ],
  [
    'a later image cannot be pulled',
    'image',
    'medium',
    'kubectl -n portcullis rollout undo deployment/portcullis',
    {
      deployments: seen([deployment({}, {}, { annotations: { 'deployment.kubernetes.io/revision': '2' } })]),
      pods: seen([pod('portcullis-1'), ailing('portcullis-2', waiting('ErrImagePull'))]),
    },
  ],
  [
    'it crashes',
    'crashes',
    'high',
    'kubectl -n portcullis logs portcullis-1 -c portcullis --previous',
    {
      pods: seen([
        ailing('portcullis-1', { ...waiting('CrashLoopBackOff'), lastState: { terminated: { reason: 'Error', message: 'PC0003' } } }),
      ]),
    },
  ],
  [
    'it needs more memory',
    'crashes',
    'high',
    'set resources deployment/portcullis -c portcullis --limits=memory=1Gi',
    { pods: seen([ailing('portcullis-1', { ...waiting('CrashLoopBackOff'), lastState: { terminated: { reason: 'OOMKilled' } } })]) },
  ],
  [
    'no node takes it',
    'scheduling',
    'high',
    'describe pod portcullis-1',
    {
      pods: seen([
        pod('portcullis-1', { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes' }] }),
      ]),
    },
  ],
  [
    'Pods run and are not ready',
    'readiness',
    'high',
    'kubectl -n portcullis rollout restart deployment/portcullis',
    { pods: seen(nobody) },
  ],
  [
    'Pods run and are not ready, and Fail',
    'readiness',
    'critical',
    'rollout restart',
    { pods: seen(nobody), registration: seen(withEntry('validate', closed)) },
  ],
  ['one Pod is not ready', 'readiness', 'medium', 'rollout restart', { pods: seen([pod('portcullis-1'), pod('portcullis-2', {}, false)]) }],
  ['Pods are not made', 'pods', 'high', 'get events', { pods: seen([]) }],
  [
    'it restarts again and again',
    'restarts',
    'low',
    'delete pod portcullis-1',
    { pods: seen([pod('portcullis-1', { containerStatuses: [{ name: 'portcullis', restartCount: 5 }] })]) },
  ],
  ['no Service', 'service', 'high', 'kubectl apply -k deploy/', { service: absent }],
  [
    'the Service selects nobody',
    'service-selector',
    'high',
    `'{"spec":{"selector":{"app":null,"app.kubernetes.io/name":"portcullis"}}}'`,
    { service: seen(service({ selector: { app: 'portcullis' } })), endpointSlices: seen([]) },
  ],
  ['the Service has no selector', 'service-selector', 'high', 'patch service portcullis', { service: seen(service({ selector: null })) }],
  [
    'the Service has another port',
    'service-port',
    'high',
    `'[{"op":"replace","path":"/spec/ports/0/port","value":443}]'`,
    { service: seen(service({ ports: [{ port: 8443, targetPort: 'webhook' }] })) },
  ],
  [
    'the port leads to health',
    'target-port',
    'high',
    `'{"spec":{"ports":[{"port":443,"targetPort":"webhook"}]}}'`,
    { service: seen(service({ ports: [{ port: 443, targetPort: 'health' }] })) },
  ],
  ['the port leads nowhere', 'target-port', 'high', 'webhook', { service: seen(service({ ports: [{ port: 443, targetPort: 9443 }] })) }],
  [
    'endpoints do not follow',
    'endpoints',
    'high',
    'delete endpointslices -l kubernetes.io/service-name=portcullis',
    { endpointSlices: seen([]) },
  ],
  [
    'endpoints are said not to be ready',
    'endpoints',
    'high',
    'delete endpointslices',
    { endpointSlices: seen([{ endpoints: [{ conditions: { ready: false } }] }]) },
  ],
  ['no Secret', 'certificate', 'high', 'create secret generic portcullis-ca', { certificate: absent }],
  [
    'no Secret, which was to be given',
    'certificate',
    'high',
    /^openssl req .*\nkubectl -n portcullis create secret tls .* \| kubectl -n portcullis create -f -\nkubectl patch/,
    { certificate: absent, keepsSecret: false },
  ],
  ['an empty Secret', 'certificate', 'high', 'rollout restart', { certificate: seen(served({ certificate: undefined })) }],
  [
    'the authority has ended',
    'certificate',
    'high',
    `'[{"op":"remove","path":"/data"}]'`,
    { certificate: seen(served({ certificate: certificate({ notAfter: now }) })) },
  ],
  [
    'the certificate has ended',
    'certificate',
    'high',
    'replace -f -',
    { keepsSecret: false, certificate: seen(served({ source: 'given', isAuthority: false, certificate: certificate({ notAfter: now }) })) },
  ],
  [
    "cert-manager's certificate has ended",
    'certificate',
    'high',
    'delete secret portcullis-ca',
    {
      keepsSecret: false,
      certificate: seen(served({ source: 'cert-manager', isAuthority: false, certificate: certificate({ notAfter: now }) })),
    },
  ],
  [
    'the certificate is not valid yet',
    'certificate',
    'high',
    'portcullis-ca',
    { certificate: seen(served({ certificate: certificate({ notBefore: now + 1 }) })) },
  ],
  [
    'the certificate is for another name',
    'certificate',
    'high',
    'openssl',
    {
      keepsSecret: false,
      certificate: seen(served({ source: 'given', isAuthority: false, certificate: certificate({ names: ['portcullis'] }) })),
    },
  ],
  [
    'the certificate ends in a week',
    'certificate',
    'medium',
    'openssl',
    {
      keepsSecret: false,
      certificate: seen(served({ source: 'given', isAuthority: false, certificate: certificate({ notAfter: now + 7 * day }) })),
    },
  ],
  [
    'no caBundle',
    'ca-bundle',
    'high',
    /^CA=\$\(kubectl -n portcullis get secret portcullis-ca -o 'jsonpath=\{\.data\.ca\\\.crt\}'\)\nkubectl patch .*"caBundle":"'"\$CA"'"\}\}\]\}'$/,
    { bundles: new Map([['validate.portcullis.dev', 'empty']]) },
  ],
  [
    'no caBundle, and the Secret was not seen',
    'ca-bundle',
    'high',
    'rollout restart',
    { bundles: new Map([['validate.portcullis.dev', 'empty']]), certificate: unseen },
  ],
  ['a caBundle that is none', 'ca-bundle', 'high', 'CA=', { bundles: new Map([['delete.portcullis.dev', 'unreadable']]) }],
  [
    'a caBundle that has ended',
    'ca-bundle',
    'high',
    'CA=',
    { bundles: new Map([['validate.portcullis.dev', [certificate({ notAfter: now - 1 })]]]) },
  ],
  [
    'a caBundle of somebody else',
    'ca-bundle-fits',
    'high',
    'CA=',
    { certificate: seen(served({ trustedBy: new Map([['system.portcullis.dev', false]]) })) },
  ],
  [
    'a caBundle of somebody else, by cert-manager',
    'ca-bundle-fits',
    'high',
    'cert-manager.io/inject-ca-from=portcullis/tls',
    {
      keepsSecret: false,
      certificate: seen(served({ source: 'cert-manager', certificateName: 'tls', trustedBy: new Map([['system.portcullis.dev', false]]) })),
    },
  ],
  [
    'a caBundle of somebody else, by hand',
    'ca-bundle-fits',
    'high',
    'ca.crt',
    {
      keepsSecret: false,
      certificate: seen(served({ source: 'given', authorityKey: undefined, trustedBy: new Map([['system.portcullis.dev', false]]) })),
    },
  ],
  ['a policy lets nobody in', 'policy-to-webhook', 'high', 'allow-api-server-to-webhook', { policies: seen([policy({})]) }],
  [
    'a policy lets another port in',
    'policy-to-webhook',
    'high',
    '"port":10250',
    { policies: seen([policy({ ingress: [{ ports: [{ port: 443 }] }] })]) },
  ],
  [
    'a policy lets other addresses in',
    'policy-to-webhook',
    'high',
    'echo',
    { policies: seen([policy({ ingress: [{ from: [{ ipBlock: { cidr: '198.51.100.0/24' } }] }] })]) },
  ],
  ['a policy lets nothing out', 'policy-to-api-server', 'high', '"port":6443', { policies: seen([policy({ policyTypes: ['Egress'] })]) }],
  [
    'our namespace is sent',
    'own-namespace-excluded',
    'critical',
    '"operator":"NotIn","values":["portcullis","kube-system","kube-public","kube-node-lease"]',
    { registration: seen(withEntry('validate', { ...closed, namespaceSelector: {} })) },
  ],
  [
    'kube-system is sent, and nothing is Fail',
    'own-namespace-excluded',
    'low',
    '"values":["portcullis","kube-system","kube-public","kube-node-lease"]',
    {
      registration: seen(
        withEntry('validate', {
          namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['portcullis'] }] },
        }),
      ),
    },
  ],
  [
    'our namespace is sent, and nothing is Fail',
    'own-namespace-excluded',
    'low',
    '"values":["portcullis"]',
    { registration: seen(withEntry('delete', { namespaceSelector: {} })) },
  ],
  [
    'the API server is judged',
    'control-plane-excluded',
    'critical',
    'system:apiserver',
    { registration: seen(withEntry('validate', { ...closed, matchConditions: conditions.slice(1) })) },
  ],
  [
    'nodes are judged',
    'control-plane-excluded',
    'low',
    'system:nodes',
    { registration: seen(withEntry('delete', { matchConditions: [conditions[0], conditions[2]] })) },
  ],
  [
    'no emergency exit',
    'emergency-exit',
    'medium',
    'not-break-glass',
    { registration: seen(withEntry('validate', { ...closed, matchConditions: conditions.slice(0, 2) })) },
  ],
  [
    'removals can be refused',
    'side-entries-open',
    'critical',
    '"failurePolicy":"Ignore"',
    { registration: seen(withEntry('delete', closed)) },
  ],
  [
    'writes are refused',
    'writes-pass',
    'critical',
    '"failurePolicy":"Ignore"',
    { registration: seen(withEntry('validate', closed)), trial: seen('failed calling webhook') },
  ],
  [
    'it asks about Pods',
    'networking-only',
    'medium',
    'edit',
    { registration: seen(withEntry('validate', { rules: [{ resources: ['pods'] }] })) },
  ],
  [
    'it asks about everything, and Fail',
    'networking-only',
    'critical',
    'edit',
    { registration: seen(withEntry('validate', { ...closed, rules: [{ resources: ['*'] }] })) },
  ],
  [
    'it may take half a minute',
    'networking-only',
    'low',
    '"timeoutSeconds":3',
    { registration: seen(withEntry('validate', { timeoutSeconds: 30 })) },
  ],
  [
    'it sees some objects only',
    'sees-everything',
    'low',
    '"objectSelector":null',
    { registration: seen(withEntry('validate', { objectSelector: otherLabels })) },
  ],
  [
    'it may not read a kind',
    'access',
    'high',
    `'[{"op":"add","path":"/rules/-","value":{"apiGroups":[""],"resources":["services"],"verbs":["list","watch"]}}]'`,
    { rights: seen([right('list', 'services'), right('watch', 'services'), right('get', 'pods', { allowed: true })]) },
  ],
  [
    'it may read nothing, since it is not bound',
    'access',
    'high',
    'kubectl apply -f deploy/10-rbac.yaml',
    { rights: seen([right('list', 'services')]), clusterRole: absent },
  ],
  [
    'it may not read a kind, and its ClusterRole is that of others too',
    'access',
    'high',
    /^echo '\{.*"kind":"ClusterRole","metadata":\{"name":"portcullis-portcullis-own"\},.*"resources":\["secrets"\].*\}' \| kubectl auth reconcile -f -\nkubectl create clusterrolebinding portcullis-portcullis-own --clusterrole=portcullis-portcullis-own --serviceaccount=portcullis:portcullis --dry-run=client -o yaml \| kubectl auth reconcile -f -$/,
    { rights: seen([right('get', 'secrets')]), clusterRole: seen(undefined) },
  ],
  [
    'no budget, and Helm installed it',
    'disruption-budget',
    'low',
    'helm get manifest p -n ns | kubectl apply --server-side --field-manager=helm --force-conflicts -f -',
    { budgets: seen([]), deployments: seen([byHelm]) },
  ],
  [
    'it may not keep its Secret',
    'access',
    'high',
    '"resourceNames":["portcullis-ca"],"verbs":["get","update"]',
    { rights: seen(['get', 'update'].map((verb) => right(verb, 'secrets', { namespace: 'portcullis', name: 'portcullis-ca' }))) },
  ],
  [
    'one replica, and Fail',
    'replicas',
    'medium',
    '--replicas=3',
    { registration: seen(withEntry('validate', closed)), deployments: seen([deployment({ replicas: 1 })]) },
  ],
  ['no budget', 'disruption-budget', 'low', 'deploy/', { budgets: seen([]) }],
  [
    'a budget that lets nobody go',
    'disruption-budget',
    'medium',
    '"minAvailable":1',
    { budgets: seen([{ metadata: { name: 'b' }, spec: { minAvailable: 2, selector: { matchLabels: {} } } }]) },
  ],
  [
    'the rollout does not get on',
    'rollout',
    'medium',
    'rollout status',
    { deployments: seen([{ ...deployment(), status: { conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }] } }]) },
  ],
  ['no Lease', 'lease-exists', 'medium', '"kind":"Lease"', { lease: absent }],
  [
    'a Lease that nobody renews',
    'lease',
    'medium',
    `'{"spec":{"holderIdentity":null}}'`,
    { lease: seen(lease({ renewTime: at(-60_000) })) },
  ],
  [
    'a configuration file with a mistake',
    'configuration-file',
    'medium',
    'edit configmap portcullis',
    { file: seen({ problem: 'one problem' }) },
  ],
  [
    'a label with a typo',
    'profile-labels',
    'low',
    'kubectl label namespace shop portcullis.dev/profile=strict --overwrite',
    { namespaces: seen([namespace('shop', { 'portcullis.dev/profile': 'strickt' })]) },
  ],
  [
    'a label that makes milder',
    'profile-labels',
    'low',
    'portcullis.dev/profile-',
    { namespaces: seen([namespace('shop', { 'portcullis.dev/profile': 'observe' })]) },
  ],
  [
    'a label where labels are ignored',
    'profile-labels',
    'low',
    'portcullis.dev/profile-',
    {
      namespaces: seen([namespace('shop', { 'portcullis.dev/profile': 'strict' })]),
      file: seen({ profile: 'guided', namespaceProfiles: 'ignore' }),
    },
  ],
  [
    'a label where nothing is judged',
    'profile-labels',
    'low',
    'kube-system',
    { namespaces: seen([namespace('kube-system', { 'portcullis.dev/profile': 'strict' })]) },
  ],
];

describe('what is not', () => {
  it.each(ill)('%s: %s', (_, check, severity, command, facts) => {
    const [first] = diagnose(installation(facts)).problems;
    expect(first).toMatchObject({ check, severity });
    const commands = first?.commands.join('\n') ?? '';
    if (typeof command === 'string') expect(commands).toContain(command);
    else expect(commands).toMatch(command);
  });

  it('has a case for each check that finds problems', () => {
    const notes = ['match-conditions', 'fail-open', 'routing', 'events'];
    expect(checks.map(({ id }) => id).filter((id) => !notes.includes(id) && !ill.some(([, check]) => check === id))).toEqual([]);
  });
});

describe('notes', () => {
  it.each<readonly [string, string, Partial<Facts>]>([
    [
      'fail-open',
      '7 writes passed validate.portcullis.dev unjudged and 2 were refused',
      { counters: seen([{ entry: 'validate.portcullis.dev', failedOpen: 7, failedClosed: 2 }]) },
    ],
    [
      'routing',
      'the API server goes to the Pods itself',
      { apiServer: seen({ addresses: [], port: 6443, serviceAddresses: [], routesToPods: true }) },
    ],
    [
      'events',
      '1 warnings in namespace portcullis',
      { events: seen([{ type: 'Warning', lastTimestamp: at(-60_000), reason: 'BackOff' }]) },
    ],
    [
      'match-conditions',
      'validate.portcullis.dev has matchConditions that are not ours: mine',
      { registration: seen(withEntry('validate', { matchConditions: [...conditions, { name: 'mine', expression: 'false' }] })) },
    ],
  ])('%s', (check, what, facts) => {
    const { notes, problems } = diagnose(installation(facts));
    expect(problems).toEqual([]);
    expect(notes).toMatchObject([{ check, what: expect.stringContaining(what) }]);
  });
});

describe('the emergency', () => {
  const command = `kubectl patch validatingwebhookconfiguration portcullis -p '{"webhooks":[{"name":"validate.portcullis.dev","failurePolicy":"Ignore"}]}'`;
  const closedNow = { registration: seen(withEntry('validate', closed)) };

  it.each<readonly [string, Partial<Facts>]>([
    ['nobody is ready', { ...closedNow, pods: seen(nobody) }],
    ['the caBundle is empty', { ...closedNow, bundles: new Map([['validate.portcullis.dev', 'empty']]) }],
    ['the Service is gone', { ...closedNow, service: absent }],
    ['a dry-run is refused', { ...closedNow, trial: seen('failed calling webhook') }],
  ])('%s, and Fail', (_, facts) => expect(diagnose(installation(facts)).emergency).toBe(command));

  it.each<readonly [string, Partial<Facts>]>([
    ['nobody is ready, and Ignore', { pods: seen(nobody) }],
    ['all is well, and Fail', closedNow],
    ['one of two is not ready, and Fail', { ...closedNow, pods: seen([pod('portcullis-1'), pod('portcullis-2', {}, false)]) }],
    ['a danger, and Fail', { registration: seen(withEntry('validate', { ...closed, namespaceSelector: {} })) }],
    ['Pods were not looked at, and Fail', { ...closedNow, pods: unseen }],
  ])('%s: none', (_, facts) => expect(diagnose(installation(facts)).emergency).toBeUndefined());
});

describe('a diagnosis', () => {
  it('says that Helm loses what is patched, where Helm installed it', () => {
    const registered = { registration: seen(withEntry('validate', { timeoutSeconds: 30 })) };
    const helm = expect.objectContaining({ check: 'helm', what: expect.stringContaining('no longer a field of Helm') });
    expect(diagnose(installation({ ...registered, deployments: seen([byHelm]) })).notes).toEqual([helm]);
    expect(diagnose(installation(registered)).notes).toEqual([]);
    expect(diagnose(installation({ deployments: seen([byHelm]) })).notes).toEqual([]);
  });

  it('is JSON on which no terminal acts', () => {
    const written = jsonOf(diagnose(installation({ pods: { state: 'unseen', why: 'a\u009b2J\u202eb' } })));
    expect(written).not.toMatch(/[\u009b\u202e]/);
    expect(JSON.parse(written).unseen).toEqual([{ what: 'Pods', why: 'a\u009b2J\u202eb' }]);
  });

  it('says what was not looked at, and why', () =>
    expect(diagnose(installation({ pods: unseen, events: unseen })).unseen).toEqual([
      { what: 'Pods', why: 'forbidden' },
      { what: 'Events', why: 'forbidden' },
    ]));

  it('puts what is grave before what is not, and a cause before what follows', () => {
    const { problems } = diagnose(
      installation({
        lease: absent,
        service: seen(service({ ports: [{ port: 8443 }] })),
        deployments: seen([deployment({ replicas: 0 })]),
        pods: seen([]),
      }),
    );
    expect(problems.map(({ check }) => check)).toEqual(['deployment', 'service-port', 'lease-exists']);
  });

  it('names each check once', () => expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length));

  it('has each check on its page', () => {
    const page = readFileSync('docs/doctor.md', 'utf8');
    expect(checks.filter(({ id, holds }) => !page.includes(`| \`${id}\` | ${holds} |`)).map(({ id }) => id)).toEqual([]);
  });
});
