/** Small clusters in which every rule finds something now and then: few names, so that things meet and miss one another. */
import fc from 'fast-check';
import { normalize } from '../../src/kube/normalize.ts';
import { objectAt } from '../../src/kube/read.ts';
import type { Kind, RawObject } from '../../src/kube/resources.ts';
import { withContent } from '../../src/sources/secret-content.ts';
import { complete, identityOf } from './objects.ts';
import { apiServer, dependent, flannel, nodeCache, ovnKubernetes, resolver, usual } from './usual-objects.ts';

const subjectNamespace = 'shop';
/** No rule of an object in `shop` may be moved by what stands here. */
const unrelatedNamespace = 'elsewhere';
/** Ingresses here may claim what those of `shop` do. */
const rivalNamespace = 'rivals';

const name = fc.constantFrom('web', 'api', 'db');
const labelValue = fc.constantFrom('web', 'wbe', 'api', 'constructor');
const anyLabels = fc.dictionary(fc.constantFrom('app', 'tier', 'role', 'pod-template-hash', 'constructor'), labelValue, {
  minKeys: 1,
  maxKeys: 2,
});
/** Most things belong together, or no rule about that would ever be asked. */
const labels = fc.oneof({ weight: 3, arbitrary: fc.constant({ app: 'web' }) }, { weight: 2, arbitrary: anyLabels });
const protocol = fc.constantFrom('TCP', 'TCP', 'UDP');
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const portName = fc.constantFrom('http', 'http', 'dns');
const number = fc.constantFrom(53, 80, 8080);

const containerPort = fc.record({ name: maybe(portName), containerPort: number, protocol, hostPort: maybe(fc.constantFrom(30007, 31000)) });
const podSpec = fc.record({
  containers: fc.array(
    fc.record({
      ports: fc.array(containerPort, { minLength: 1, maxLength: 2 }),
      readinessProbe: maybe(fc.record({ tcpSocket: fc.record({ port: fc.oneof(number, portName) }) })),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  hostNetwork: fc.boolean(),
  dnsPolicy: fc.constantFrom('ClusterFirst', 'Default'),
  priorityClassName: fc.constantFrom(undefined, undefined, 'system-cluster-critical'),
  serviceAccountName: fc.constantFrom(undefined, 'web'),
});
const meta = (namespace: string) => fc.record({ name, namespace: fc.constant(namespace) });
/** For the rule about exemptions. */
const exempting = fc.dictionary(
  fc.constantFrom('service-node-port-policy', 'tls-secret-missing', 'tls-secret-mising', 'x').map((id) => `exempt.portcullis.dev/${id}`),
  fc.constantFrom('', 'agreed', 'agreed until 2026-11-30', 'agreed until 2020-01-31', 'agreed until tomorrow'),
  { minKeys: 1, maxKeys: 2 },
);

const pod = (namespace: string) =>
  fc.record({
    kind: fc.constant('Pod'),
    metadata: fc.record({ name, namespace: fc.constant(namespace), labels }),
    spec: podSpec,
    status: fc.record({ phase: fc.constantFrom('Running', 'Pending', 'Succeeded') }),
  });
const workload = (namespace: string) =>
  fc.record({
    kind: fc.constantFrom('Deployment', 'StatefulSet', 'DaemonSet', 'Job'),
    metadata: meta(namespace),
    spec: fc.record({
      replicas: fc.constantFrom(0, 1),
      serviceName: maybe(name),
      template: fc.record({ metadata: fc.record({ labels }), spec: podSpec }),
    }),
  });

const servicePort = fc.record({
  port: number,
  protocol,
  targetPort: maybe(fc.oneof(number, portName, portName)),
  nodePort: maybe(fc.constantFrom(30007, 30100, 31000)),
  appProtocol: maybe(fc.constantFrom('http', 'kubernetes.io/h2c', 'kubernetes.io/h2', 'k8s.io/ws')),
});
const service = (namespace: string) =>
  fc.record({
    kind: fc.constant('Service'),
    metadata: meta(namespace),
    spec: fc.record({
      type: fc.constantFrom('ClusterIP', 'NodePort', 'NodePort', 'LoadBalancer', 'ExternalName'),
      clusterIP: fc.constantFrom(undefined, undefined, undefined, 'None'),
      externalName: fc.constantFrom('example.com', '192.0.2.10', 'localhost'),
      internalTrafficPolicy: fc.constantFrom(undefined, undefined, 'Local'),
      externalIPs: maybe(fc.constantFrom(['203.0.113.5'], ['10.96.0.10', '203.0.113.5'])),
      loadBalancerClass: maybe(fc.constantFrom('service.k8s.aws/nlb', 'service.k8s.asw/nlb')),
      selector: fc.option(labels, { nil: undefined, freq: 6 }),
      ports: fc.uniqueArray(servicePort, { minLength: 1, maxLength: 2, selector: (port) => `${port.port}/${port.protocol}` }),
    }),
  });

const host = fc.constantFrom('shop.example', 'api.example', '*.example');
const tlsEntry = fc.record({ hosts: fc.array(host, { maxLength: 2 }), secretName: maybe(name) });
const backend = fc.record({ service: fc.record({ name, port: fc.constantFrom({ number: 80 }, { name: 'http' }) }) });
const urlPath = fc.record({
  path: fc.constantFrom('/', '/', '/api', '/api/', '/api/*'),
  pathType: fc.constantFrom('Prefix', 'Prefix', 'Exact'),
  backend,
});
/** Who claims a host and path is for the whole cluster to know: what has nothing to do with the object claims others. */
const ingressRule = (namespace: string) =>
  fc.record({
    host: namespace === unrelatedNamespace ? fc.constant('elsewhere.example') : maybe(host),
    http: fc.option(fc.record({ paths: fc.array(urlPath, { minLength: 1, maxLength: 2 }) }), { nil: undefined, freq: 6 }),
  });
const forControllers = fc.constantFrom(
  { 'nginx.ingress.kubernetes.io/proxy-body-size': '8m' },
  { 'nginx.ingress.kubernetes.io/proxy-body-sise': '8m' },
);
export const ingress = (namespace: string) =>
  fc.record({
    kind: fc.constant('Ingress'),
    metadata: fc.record({ name, namespace: fc.constant(namespace), annotations: maybe(forControllers) }),
    spec: fc.record({
      ingressClassName: maybe(fc.constantFrom('nginx', 'nginx', 'ngnix')),
      tls: fc.array(tlsEntry, { maxLength: 2 }),
      rules: fc.array(ingressRule(namespace), { maxLength: 2 }),
    }),
  });

const secret = (namespace: string) =>
  fc.record({
    kind: fc.constant('Secret'),
    metadata: meta(namespace),
    type: fc.constantFrom('kubernetes.io/tls', 'Opaque'),
    stringData: fc.constantFrom(
      ...[
        { 'tls.crt': '<example.crt>', 'tls.key': '<example.key>' },
        { 'tls.crt': '<shop.crt>', 'tls.key': '<other.key>' },
        { password: 'x' },
      ],
    ),
  });

const ingressClass = fc.record({
  kind: fc.constant('IngressClass'),
  metadata: fc.record({
    name: fc.constantFrom('nginx', 'edge'),
    annotations: fc.record({ 'ingressclass.kubernetes.io/is-default-class': fc.constantFrom('true', 'false') }),
  }),
  spec: fc.record({ controller: fc.constantFrom('k8s.io/ingress-nginx', 'k8s.io/ingress-nginx', 'traefik.io/ingress-controller') }),
});

const called = fc.record({ namespace: fc.constant(subjectNamespace), name, port: number });
/** Whom the API server calls. */
const caller = fc.oneof(
  fc.record({
    kind: fc.constantFrom('ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'),
    metadata: fc.record({ name }),
    webhooks: fc.array(
      fc.record({
        failurePolicy: fc.constantFrom('Fail', 'Ignore'),
        clientConfig: fc.record({ service: called }),
        rules: fc.constant([{ apiGroups: [''], resources: ['pods'] }]),
      }),
      { maxLength: 2 },
    ),
  }),
  fc.record({
    kind: fc.constant('APIService'),
    metadata: fc.record({ name: fc.constant('v1.example.com') }),
    spec: fc.record({ service: called }),
  }),
);

const selector = fc.record({
  matchLabels: fc.dictionary(fc.constantFrom('app', 'k8s-app'), fc.constantFrom('web', 'web', 'kube-dns', 'wbe'), { maxKeys: 1 }),
});
const namespaceSelector = fc.constantFrom(
  {},
  { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
  { matchLabels: { 'kubernetes.io/metadata.name': subjectNamespace } },
  { matchLabels: { name: 'kube-system' } },
);
const peer = fc.oneof(
  fc.record({ namespaceSelector, podSelector: selector }),
  fc.record({ namespaceSelector }),
  fc.record({ podSelector: selector }),
  fc.record({ podSelector: selector }),
  fc.record({ ipBlock: fc.record({ cidr: fc.constantFrom('0.0.0.0/0', '10.96.0.10/32', '192.0.2.0/24') }) }),
);
/** The usual one, to what `usual` below is. */
const toWeb = fc.constant({ to: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ protocol: 'TCP', port: 80 }] });
const policyRule = (peers: 'from' | 'to') =>
  fc.record({
    [peers]: fc.array(peer, { maxLength: 2 }),
    ports: fc.array(fc.record({ protocol: maybe(protocol), port: fc.constantFrom(53, 53, 80, 5353, 'http', 'dns') }), { maxLength: 2 }),
  });
export const policy = (namespace: string) =>
  fc.record({
    kind: fc.constant('NetworkPolicy'),
    metadata: meta(namespace),
    spec: fc.record({
      podSelector: selector,
      policyTypes: fc.constantFrom(['Egress'], ['Ingress'], ['Ingress', 'Egress'], []),
      egress: fc.array(fc.oneof({ weight: 3, arbitrary: policyRule('to') }, { weight: 1, arbitrary: toWeb }), { maxLength: 2 }),
      ingress: fc.array(policyRule('from'), { maxLength: 2 }),
    }),
  });

/** Each object once; later ones take the place of earlier ones. */
const distinct = (objects: readonly RawObject[]): readonly RawObject[] => [
  ...new Map(objects.map((one) => [identityOf(one), one])).values(),
];
const completed = (objects: readonly (RawObject | object)[]): readonly RawObject[] => distinct(objects.map((one) => complete(plain(one))));
/** Without the keys whose value is undefined, as JSON has it. */
const plain = (object: object): RawObject => JSON.parse(JSON.stringify(object));

/** What may stand in a namespace. */
export const inhabitants = (namespace: string) =>
  fc.array(
    fc.oneof(
      ...[pod(namespace), pod(namespace), workload(namespace), workload(namespace)],
      ...[service(namespace), policy(namespace), ingress(namespace), secret(namespace), secret(namespace)],
    ),
    { maxLength: 6 },
  );

export interface RuleWorld {
  /** What is judged. */
  readonly object: RawObject;
  /** What there is beside it, in its namespace and in the resolver's. */
  readonly cluster: readonly RawObject[];
  /** What there is in a namespace that has nothing to do with it. */
  readonly unrelated: readonly RawObject[];
}

const judged: Readonly<Record<Kind, (namespace: string) => fc.Arbitrary<object>>> = {
  Service: service,
  Ingress: ingress,
  NetworkPolicy: policy,
};

/** One of these kinds, now and then in the resolver's namespace. */
const subject = (kinds: readonly Kind[]) =>
  fc
    .tuple(fc.constantFrom(...kinds), fc.constantFrom(subjectNamespace, subjectNamespace, subjectNamespace, 'kube-system'))
    .chain(([kind, namespace]) => judged[kind](namespace));
const exemptions = fc.option(exempting, { nil: undefined, freq: 2 });

/** As the API server takes it. */
function completeSubject(object: object, annotations: object | undefined): RawObject {
  const { metadata, ...rest } = plain(object);
  const all = { ...objectAt(metadata as RawObject, 'annotations'), ...annotations };
  return complete({ ...rest, metadata: { ...(metadata as object), annotations: all } });
}

/** What is judged, without a world. */
export const judgedObject = (kinds: readonly Kind[]): fc.Arbitrary<RawObject> =>
  fc.tuple(subject(kinds), exemptions).map(([object, annotations]) => completeSubject(object, annotations));

/** Worlds in which an object of one of these kinds is judged. */
export const ruleWorld = (kinds: readonly Kind[]): fc.Arbitrary<RuleWorld> =>
  fc
    .record({
      object: subject(kinds),
      cluster: fc.oneof({ weight: 5, arbitrary: inhabitants(subjectNamespace) }, { weight: 1, arbitrary: fc.constant(usual) }),
      classes: fc.array(ingressClass, { maxLength: 2 }),
      callers: fc.array(caller, { maxLength: 2 }),
      rivals: fc.array(ingress(rivalNamespace), { maxLength: 2 }),
      caches: fc.constantFrom([], [], [nodeCache]),
      plugins: fc.constantFrom([], [], [flannel], [ovnKubernetes]),
      dependents: fc.constantFrom([], [], dependent),
      annotations: exemptions,
      unrelated: inhabitants(unrelatedNamespace),
    })
    .map(({ object, annotations, cluster, classes, callers, rivals, caches, plugins, dependents, unrelated }) => {
      const whole = completeSubject(object, annotations);
      const namespace = { kind: 'Namespace', metadata: { name: subjectNamespace, labels: { team: 'a' } } };
      const beside = completed([
        ...resolver,
        apiServer,
        ...caches,
        ...plugins,
        ...dependents,
        namespace,
        ...classes,
        ...callers,
        ...rivals,
        ...cluster,
      ]).filter((one) => identityOf(one) !== identityOf(whole));
      return { object: whole, cluster: beside, unrelated: completed(unrelated) };
    });

/** The same object with one more label, or other annotations: what no rule reads. */
export const relabelled = (object: RawObject): RawObject => {
  const metadata = objectAt(object, 'metadata');
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...objectAt(metadata, 'labels'), 'example.com/unrelated': 'x' },
      annotations: { ...objectAt(metadata, 'annotations'), note: 'y' },
    },
  };
};

/** All of them that some rule reads. */
export const resourcesOf = (objects: readonly RawObject[]) => objects.flatMap((raw) => withContent(normalize(raw), raw) ?? []);
