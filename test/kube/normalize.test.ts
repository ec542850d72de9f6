import { describe, expect, it } from 'vitest';
import { groupOf, itemsOf, normalize } from '../../src/kube/normalize.ts';
import type {
  Ingress,
  IngressClass,
  NetworkPolicy,
  Pod,
  RawObject,
  Secret,
  SecretSource,
  Service,
  Workload,
} from '../../src/kube/resources.ts';

const metadata = { name: 'web', namespace: 'shop' };
const service = (spec: RawObject, more: RawObject = {}): Service =>
  normalize({ apiVersion: 'v1', kind: 'Service', metadata: { ...metadata, ...more }, spec }) as Service;

describe('identity', () => {
  it('has the namespace of the command where the object names none', () => {
    const raw = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' } };
    expect(normalize(raw)?.metadata.namespace).toBe('default');
    expect(normalize(raw, { namespace: 'shop' })?.metadata.namespace).toBe('shop');
    expect(normalize({ ...raw, metadata }, { namespace: 'other' })?.metadata.namespace).toBe('shop');
  });

  it.each([
    ['ConfigMap', 'v1'],
    ['Service', 'serving.knative.dev/v1'],
    ['Ingress', 'networking.internal.knative.dev/v1alpha1'],
    ['NetworkPolicy', 'crd.projectcalico.org/v1'],
    ['Deployment', 'v1'],
  ])('%s of %s is none of ours', (kind, apiVersion) => expect(normalize({ apiVersion, kind, metadata })).toBeUndefined());

  it.each([{}, { kind: 'Service' }, { apiVersion: 'v1' }, { apiVersion: 1, kind: [] }])('%j is nothing', (raw) =>
    expect(normalize(raw)).toEqual(raw.kind === 'Service' ? expect.objectContaining({ kind: 'Service' }) : undefined),
  );

  it.each([
    ['v1', ''],
    ['apps/v1', 'apps'],
    ['networking.k8s.io/v1', 'networking.k8s.io'],
  ])('%s is of group "%s"', (apiVersion, group) => expect(groupOf(apiVersion)).toBe(group));
});

describe('when an object last changed', () => {
  const changedMs = (given: RawObject): number | undefined => service({}, given).metadata.changedMs;
  const at = (second: number): string => `2026-11-21T10:00:0${second}Z`;

  const owningSpec = { fieldsV1: { 'f:metadata': {}, 'f:spec': {} } };

  it('is the newest of its creation and of what managers wrote, by the API server', () => {
    const managedFields = [
      { manager: 'kubectl', time: at(5), ...owningSpec },
      { manager: 'helm', time: at(3), ...owningSpec },
    ];
    expect(changedMs({ creationTimestamp: at(1) })).toBe(Date.parse(at(1)));
    expect(changedMs({ creationTimestamp: at(1), managedFields })).toBe(Date.parse(at(5)));
  });

  it('keeps beside it when the object was made', () => {
    const madeMs = (given: RawObject): number | undefined => service({}, given).metadata.createdMs;
    expect(madeMs({ creationTimestamp: at(1), managedFields: [{ time: at(3), ...owningSpec }] })).toBe(Date.parse(at(1)));
    expect(madeMs({ creationTimestamp: 'soon', managedFields: [{ time: at(3), ...owningSpec }] })).toBeUndefined();
  });

  it('is not moved by its status, as when a load balancer gets an address', () =>
    expect(changedMs({ creationTimestamp: at(1), managedFields: [{ subresource: 'status', time: at(9), ...owningSpec }] })).toBe(
      Date.parse(at(1)),
    ));

  it('is not moved by a label or an annotation of somebody who owns nothing of the spec', () => {
    const labelled = { manager: 'kubectl-label', time: at(9), fieldsV1: { 'f:metadata': { 'f:labels': { 'f:spec': {} } } } };
    expect(changedMs({ creationTimestamp: at(1), managedFields: [{ time: at(3), ...owningSpec }, labelled] })).toBe(Date.parse(at(3)));
  });

  it('is unknown in a file, and where a time is none', () => {
    expect(changedMs({})).toBeUndefined();
    expect(changedMs({ creationTimestamp: 'soon', managedFields: [{ time: 'later', ...owningSpec }, {}] })).toBeUndefined();
  });
});

describe('a Service, defaulted as the API server would (SetDefaults_Service)', () => {
  it('is a ClusterIP without selector', () =>
    expect(service({ ports: [{ port: 80 }] }).spec).toEqual({
      type: 'ClusterIP',
      selector: {},
      ports: [{ protocol: 'TCP', port: 80, targetPort: 80 }],
      clusterIPs: [],
      publishNotReadyAddresses: false,
    }));

  it('keeps what it was given of addresses and traffic', () => {
    const { spec, status } = normalize({
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {
        type: 'LoadBalancer',
        externalIPs: ['203.0.113.5'],
        internalTrafficPolicy: 'Local',
        externalTrafficPolicy: 'Cluster',
        loadBalancerClass: 'service.k8s.aws/nlb',
        ports: [{ port: 80, appProtocol: 'kubernetes.io/ws' }],
      },
      status: { loadBalancer: { ingress: [{ ip: '203.0.113.6' }, { hostname: 'lb.example.com' }] } },
    }) as Service;
    expect(spec).toMatchObject({ externalIPs: ['203.0.113.5'], internalTrafficPolicy: 'Local', loadBalancerClass: 'service.k8s.aws/nlb' });
    expect(spec.externalTrafficPolicy).toBeUndefined();
    expect(spec.ports[0]?.appProtocol).toBe('kubernetes.io/ws');
    expect(status).toEqual({ loadBalancer: { ingress: [{ ip: '203.0.113.6' }, {}] } });
  });

  it.each([
    [0, 80],
    ['', 80],
    [undefined, 80],
    [8080, 8080],
    ['http', 'http'],
    ['8080', '8080'],
  ])('targetPort %j is %j', (targetPort, expected) =>
    expect(service({ ports: [{ port: 80, targetPort }] }).spec.ports[0]?.targetPort).toBe(expected),
  );

  it.each([
    [{ clusterIP: 'None' }, ['None']],
    [{ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', 'fd00::1'] }, ['10.0.0.1', 'fd00::1']],
    [{ clusterIP: '' }, []],
  ])('%j has addresses %j', (spec, expected) => expect(service(spec).spec.clusterIPs).toEqual(expected));

  it('keeps the place of ports that are none', () =>
    expect(service({ ports: ['x', { port: 81 }] }).spec.ports.map(({ port }) => port)).toEqual([0, 81]));

  const managed = (fields: RawObject) => ({ managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:spec': { 'f:ports': fields } } }] });
  it.each([
    ['a file', {}, true],
    ['a writer that named it', managed({ 'k:{"port":80,"protocol":"TCP"}': { 'f:nodePort': {}, 'f:port': {} } }), true],
    ['a writer that named the port alone', managed({ 'k:{"port":80,"protocol":"TCP"}': { 'f:port': {} } }), false],
    ['a writer of another port', managed({ 'k:{"port":81,"protocol":"TCP"}': { 'f:nodePort': {} } }), false],
    ['a writer of the other protocol', managed({ 'k:{"port":80,"protocol":"UDP"}': { 'f:nodePort': {} } }), false],
    ['fields that cannot be read', managed({ 'k:{': { 'f:nodePort': {} } }), false],
  ])('a nodePort in %s is named: %s', (_, more, named) =>
    expect(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30007 }] }, more).spec.ports[0]?.nodePortNamed).toBe(named),
  );

  it('has no nodePort where the API server writes 0', () => {
    const [port] = service({ type: 'LoadBalancer', ports: [{ port: 80, nodePort: 0 }] }).spec.ports;
    expect(port).toEqual({ protocol: 'TCP', port: 80, targetPort: 80 });
  });
});

describe('an IngressClass', () => {
  const ingressClass = (annotations: RawObject): RawObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'nginx', annotations },
    spec: { controller: 'k8s.io/ingress-nginx' },
  });

  it('is of no namespace, whichever is the default', () => {
    const one = normalize(ingressClass({}), { namespace: 'shop' }) as IngressClass;
    expect(one).toMatchObject({
      metadata: { namespace: '', name: 'nginx' },
      spec: { controller: 'k8s.io/ingress-nginx' },
      isDefault: false,
    });
  });

  it.each([
    ['true', true],
    ['false', false],
    ['yes', false],
  ])('is the default where its annotation says %s: %s', (value, expected) =>
    expect((normalize(ingressClass({ 'ingressclass.kubernetes.io/is-default-class': value })) as IngressClass).isDefault).toBe(expected),
  );
});

describe('a NetworkPolicy, defaulted as the API server would (SetDefaults_NetworkPolicy)', () => {
  const policy = (spec: RawObject): NetworkPolicy =>
    normalize({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec }) as NetworkPolicy;

  it.each([
    [{}, ['Ingress']],
    [{ egress: [] }, ['Ingress']],
    [{ egress: [{}] }, ['Ingress', 'Egress']],
    [{ ingress: [{}], policyTypes: ['Egress'] }, ['Egress']],
  ])('%j has the types %j', (spec, types) => expect(policy(spec).spec.policyTypes).toEqual(types));

  it('takes an empty list of peers or ports for none: both mean any', () =>
    expect(policy({ ingress: [{ from: [], ports: [] }], egress: [{ to: [] }] }).spec).toMatchObject({ ingress: [{}], egress: [{}] }));

  it('tells a selector that is empty from one that is not there', () => {
    const [rule] = policy({ ingress: [{ from: [{ podSelector: {} }, { namespaceSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8' } }] }] })
      .spec.ingress;
    expect(rule?.from?.map((peer) => Object.keys(peer))).toEqual([['podSelector'], ['namespaceSelector'], ['ipBlock']]);
  });

  it('gives ports TCP', () =>
    expect(policy({ egress: [{ ports: [{ port: 53 }, { protocol: 'UDP', port: 'dns' }] }] }).spec.egress[0]?.ports).toEqual([
      { protocol: 'TCP', port: 53 },
      { protocol: 'UDP', port: 'dns' },
    ]));
});

describe('an Ingress', () => {
  it('keeps what rules read', () => {
    const backend = { service: { name: 'web', port: { number: 80 } } };
    const spec = {
      ingressClassName: 'nginx',
      tls: [{ hosts: ['a.example'], secretName: 'a' }, {}],
      rules: [{ host: 'a.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }, { host: 'b.example' }],
      defaultBackend: { resource: { apiGroup: 'x', kind: 'Bucket', name: 'b' } },
    };
    expect((normalize({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec }) as Ingress).spec).toEqual({
      ...spec,
      tls: [{ hosts: ['a.example'], secretName: 'a' }, { hosts: [] }],
      defaultBackend: { resource: { kind: 'Bucket', name: 'b' } },
    });
  });
});

describe('workloads', () => {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] } };
  const workload = (kind: string, apiVersion: string, spec: RawObject, more: RawObject = {}): Workload | undefined =>
    normalize({ apiVersion, kind, metadata: { ...metadata, ...more }, spec }) as Workload | undefined;
  const ownedBy = (kind: string, name = 'web') => ({
    ownerReferences: [
      { kind: 'Other', name: 'x' },
      { kind, name, controller: true },
    ],
  });

  it('says which ports of the node lead to it, but for Pods on the host network, of which all do', () => {
    const ports = [
      { containerPort: 80, hostPort: 8080 },
      { containerPort: 81, hostPort: 0 },
    ];
    const portsOf = (spec: RawObject) =>
      workload('DaemonSet', 'apps/v1', { template: { spec: { containers: [{ ports }], ...spec } } })?.pod.ports;
    expect(portsOf({})?.map(({ hostPort }) => hostPort)).toEqual([8080, undefined]);
    expect(portsOf({ hostNetwork: true })?.map(({ hostPort }) => hostPort)).toEqual([undefined, undefined]);
  });

  it('of a DaemonSet says what images its containers have that keep running', () => {
    const spec = {
      initContainers: [{ image: 'setup:1' }, { image: 'sidecar:2', restartPolicy: 'Always' }],
      containers: [{ image: 'registry.example/agent:v3' }, {}],
    };
    const images = (kind: string) => workload(kind, 'apps/v1', { template: { spec } })?.images;
    expect(images('DaemonSet')).toEqual(['registry.example/agent:v3', '', 'sidecar:2']);
    expect(images('Deployment')).toBeUndefined();
  });

  it('of a StatefulSet says which Service it names', () => {
    expect(workload('StatefulSet', 'apps/v1', { serviceName: 'web', template })?.serviceName).toBe('web');
    expect(workload('StatefulSet', 'apps/v1', { serviceName: '', template })?.serviceName).toBeUndefined();
    expect(workload('Deployment', 'apps/v1', { serviceName: 'web', template })?.serviceName).toBeUndefined();
  });

  it.each([
    ['Deployment', 'apps/v1', { template }],
    ['StatefulSet', 'apps/v1', { template }],
    ['DaemonSet', 'apps/v1', { template }],
    ['ReplicaSet', 'apps/v1', { template }],
    ['ReplicationController', 'v1', { template }],
    ['Job', 'batch/v1', { template }],
    ['CronJob', 'batch/v1', { jobTemplate: { spec: { template } } }],
  ])('a %s is its template', (kind, apiVersion, spec) => {
    const { pod, replicas } = workload(kind, apiVersion, spec) as Workload;
    expect(replicas).toBe(1);
    expect(pod).toEqual({
      labels: { app: 'web' },
      ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
      probePorts: [],
      hostNetwork: false,
      dnsPolicy: 'ClusterFirst',
      nameservers: [],
    });
  });

  it.each([
    [{ priorityClassName: 'system-cluster-critical' }, { priorityClassName: 'system-cluster-critical' }],
    [{ priorityClassName: 'system-node-critical' }, { priorityClassName: 'system-node-critical' }],
    [{ priorityClassName: 'important' }, {}],
    [{ serviceAccountName: 'web' }, { serviceAccountName: 'web' }],
    [{ serviceAccountName: 'web', automountServiceAccountToken: true }, { serviceAccountName: 'web' }],
    [{ serviceAccountName: 'web', automountServiceAccountToken: false }, {}],
    [{ serviceAccountName: 'default' }, {}],
    [{ serviceAccountName: '' }, {}],
  ])('of %j says %j', (spec, said) => {
    const { priorityClassName, serviceAccountName } = (workload('Deployment', 'apps/v1', { template: { spec } }) as Workload).pod;
    expect({ priorityClassName, serviceAccountName }).toEqual({ priorityClassName: undefined, serviceAccountName: undefined, ...said });
  });

  it('a configured kind is its template too', () => {
    const kind = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', resource: 'rollouts', template: ['spec', 'template'] };
    const raw = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', metadata, spec: { template } };
    expect(normalize(raw)).toBeUndefined();
    expect(normalize(raw, { workloads: [kind] })).toMatchObject({ kind: 'Rollout', pod: { labels: { app: 'web' } } });
  });

  it.each([
    ['of a Deployment', ownedBy('Deployment'), 3, false],
    ['of an unknown controller', ownedBy('Rollout'), 3, true],
    ['of an unknown controller, left behind', ownedBy('Rollout'), 0, false],
    ['of nobody, scaled to zero', {}, 0, true],
  ])('a ReplicaSet %s counts: %#', (_, more, replicas, counts) =>
    expect(workload('ReplicaSet', 'apps/v1', { replicas, template }, more) !== undefined).toBe(counts),
  );

  it.each([
    ['Complete', 'True', false],
    ['Failed', 'True', false],
    ['Complete', 'False', true],
    ['Suspended', 'True', true],
  ])('a Job with the condition %s %s counts: %s', (type, status, counts) => {
    const raw = { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template }, status: { conditions: [{ type, status }] } };
    expect(normalize(raw) !== undefined).toBe(counts);
  });

  it('init containers count only where they keep running, after the others', () => {
    const spec = {
      containers: [{ ports: [{ containerPort: 1 }] }],
      initContainers: [{ ports: [{ containerPort: 2 }] }, { restartPolicy: 'Always', ports: [{ containerPort: 3 }] }],
    };
    expect(workload('Deployment', 'apps/v1', { template: { spec } })?.pod.ports.map(({ containerPort }) => containerPort)).toEqual([1, 3]);
  });

  it('probes show what listens', () => {
    const containers = [
      {
        readinessProbe: { httpGet: { port: 'http' } },
        livenessProbe: { tcpSocket: { port: 9090 } },
        startupProbe: { grpc: { port: 7070 } },
      },
      { livenessProbe: { exec: { command: ['true'] } } },
    ];
    expect(workload('Deployment', 'apps/v1', { template: { spec: { containers } } })?.pod.probePorts).toEqual(['http', 9090, 7070]);
  });

  const pod = (more: RawObject, status: RawObject = {}, spec: RawObject = {}): Pod | undefined =>
    normalize({ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, ...more }, spec, status }) as Pod | undefined;

  it.each([
    ['Pending', true],
    ['Running', true],
    ['Unknown', true],
    ['Succeeded', false],
    ['Failed', false],
  ])('a Pod that is %s counts: %s', (phase, counts) => expect(pod({}, { phase }) !== undefined).toBe(counts));

  it('a Pod of a Deployment names the Deployment', () => {
    expect(pod({ labels: { 'pod-template-hash': '5d8f' }, ...ownedBy('ReplicaSet', 'web-5d8f') })?.owner).toBe('Deployment/web');
    expect(pod({ labels: { 'pod-template-hash': '5d8f' }, ...ownedBy('ReplicaSet', 'web-77aa') })?.owner).toBe('ReplicaSet/web-77aa');
    expect(pod(ownedBy('StatefulSet'))?.owner).toBe('StatefulSet/web');
    expect(pod(ownedBy('Node'))?.owner).toBeUndefined();
    expect(pod({})?.owner).toBeUndefined();
  });

  it('a Pod keeps what is its own apart from what it shares', () => {
    const one = pod(
      { labels: { app: 'db', 'statefulset.kubernetes.io/pod-name': 'db-0' }, deletionTimestamp: '2026-01-01T00:00:00Z' },
      { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], conditions: [{ type: 'Ready', status: 'True' }] },
      { nodeName: 'n', hostNetwork: true, dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'] } },
    );
    expect({ ...one?.pod.labels }).toEqual({ app: 'db' });
    expect(one?.pod).toMatchObject({ hostNetwork: true, dnsPolicy: 'None', nameservers: ['1.1.1.1'] });
    expect(one?.record).toEqual({
      ips: '10.0.0.1,fd00::1',
      ready: true,
      terminating: true,
      scheduled: true,
      labels: { 'statefulset.kubernetes.io/pod-name': 'db-0' },
    });
  });
});

describe('Secrets', () => {
  it('leave nothing of their content', () => {
    const raw = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadata, annotations: { a: 'b' } },
      type: 'kubernetes.io/tls',
      data: { 'tls.key': 'c2VjcmV0' },
    };
    const secret = normalize(raw) as Secret;
    expect(JSON.stringify(secret)).not.toMatch(/c2VjcmV0|tls\.key/);
    expect(secret.type).toBe('kubernetes.io/tls');
  });

  it.each([
    ['cert-manager.io/v1', 'Certificate', { secretName: 'tls' }, 'tls'],
    ['external-secrets.io/v1', 'ExternalSecret', { target: { name: 'tls' } }, 'tls'],
    ['external-secrets.io/v1', 'ExternalSecret', {}, 'web'],
    ['bitnami.com/v1alpha1', 'SealedSecret', { template: { metadata: { name: 'tls' } } }, 'tls'],
    ['bitnami.com/v1alpha1', 'SealedSecret', {}, 'web'],
  ])('%s %s with %j writes %s', (apiVersion, kind, spec, name) =>
    expect((normalize({ apiVersion, kind, metadata, spec }) as SecretSource).secretName).toBe(name),
  );

  it('have a source that says why they are not there', () => {
    const conditions = [{ type: 'Ready', status: 'False', reason: 'Pending', message: 'waiting for DNS' }];
    const raw = { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata, spec: { secretName: 'a' }, status: { conditions } };
    expect((normalize(raw) as SecretSource).notReady).toBe('Pending: waiting for DNS');
  });
});

describe('a Namespace', () => {
  it('carries its own name as a label, as the API server adds it, and is in no namespace', () => {
    const namespace = normalize({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'a' } } });
    expect(namespace?.metadata).toMatchObject({
      namespace: '',
      name: 'shop',
      labels: { team: 'a', 'kubernetes.io/metadata.name': 'shop' },
    });
  });
});

describe('lists', () => {
  const item = { apiVersion: 'v1', kind: 'Service', metadata };
  it.each([
    ['an object', item, [item]],
    ['a List', { apiVersion: 'v1', kind: 'List', items: [item, item] }, [item, item]],
    ['a list whose items leave out their kind', { apiVersion: 'v1', kind: 'ServiceList', items: [{ metadata }] }, [item]],
    ['a List of Lists', { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'List', items: [item] }] }, [item]],
    ['a list with holes', { apiVersion: 'v1', kind: 'List', items: [null, 'x', item] }, [item]],
  ])('%s', (_, raw, items) => expect(itemsOf(raw)).toEqual(items));

  it('an object of another kind may have items', () => {
    const map = { apiVersion: 'v1', kind: 'ConfigMap', items: [item] };
    expect(itemsOf(map)).toEqual([map]);
  });
});
