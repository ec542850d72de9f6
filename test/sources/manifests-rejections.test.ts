import { describe, expect, it } from 'vitest';
import { formatPath } from '../../src/kube/field-path.ts';
import { rejectionsOf } from '../../src/sources/rejections.ts';
import { readYaml } from '../../src/sources/yaml.ts';

const rejected = (yaml: string): string[] =>
  rejectionsOf(readYaml(yaml).value as Record<string, unknown>).map(({ path, message }) => `${formatPath(path)}: ${message}`);
const service = (spec: string): string => `{apiVersion: v1, kind: Service, metadata: {name: a}, spec: ${spec}}`;
const ingress = (spec: string): string => `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a}, spec: ${spec}}`;
const path = (text: string): string => ingress(`{rules: [{http: {paths: [${text}]}}]}`);
const policy = (spec: string): string => `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a}, spec: ${spec}}`;
const backend = 'backend: {service: {name: b, port: {number: 80}}}';

describe('what the API server accepts', () => {
  it.each([
    service('{ports: [{port: 80}]}'),
    service('{clusterIP: None}'),
    service('{type: ExternalName, externalName: a.example}'),
    service(
      '{type: NodePort, ports: [{name: a, port: 80, targetPort: 0, nodePort: 30000}, {name: b, port: 80, protocol: UDP, targetPort: ""}]}',
    ),
    service('{ports: [{port: 80, targetPort: http}], selector: null}'),
    ingress(`{defaultBackend: {service: {name: a, port: {name: http}}}}`),
    ingress('{rules: [{host: a.example}]}'),
    path(`{path: /, pathType: Prefix, ${backend}}`),
    path(`{pathType: ImplementationSpecific, ${backend}}`),
    path('{path: /, pathType: Exact, backend: {resource: {kind: B, name: b}}}'),
    ingress('{rules: [{host: ""}, {host: "*.a.example"}, {host: 1.2.3.256}], tls: [{}, {hosts: [10.0.0.1, "*.b"], secretName: a.b-c}]}'),
    ingress(`{ingressClassName: nginx, rules: [{host: ${'a'.repeat(100)}.example}]}`),
    path(`{path: /a//b/./%2f/.., pathType: ImplementationSpecific, ${backend}}`),
    path(`{path: /a/..b/.c%2b*, pathType: Prefix, ${backend}}`),
    path('{path: /, pathType: Prefix, backend: {service: {name: 1-a, port: {number: 80}}}}'),
    '{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a.b, annotations: {kubernetes.io/ingress.class: a}}, spec: {ingressClassName: a, rules: [{}]}}',
    policy('{}'),
    policy('null'),
    policy('{egress: [{to: [{ipBlock: {cidr: 10.0.0.1/8, except: [10.1.0.0/16]}}, {ipBlock: {cidr: 010.0.0.0/08}}]}]}'),
    policy('{podSelector: {matchLabels: {example.com/app: "", constructor: A_b.c}}}'),
    policy(
      '{podSelector: {}, ingress: [{from: [{podSelector: {}, namespaceSelector: {}}, {ipBlock: {cidr: "::/0"}}], ports: [{}, {port: a}, {port: 1, endPort: 2}]}]}',
    ),
    policy('{podSelector: {matchExpressions: [{key: a, operator: In, values: [b]}, {key: a, operator: Exists}]}}'),
    '{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 0, template: {spec: {containers: [{ports: [{containerPort: 80}]}]}}}}',
    // Somebody else's kinds of the same name.
    '{apiVersion: crd.projectcalico.org/v1, kind: NetworkPolicy, metadata: {name: a}, spec: {order: 1}}',
    '{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a}, spec: {template: {}}}',
    '{apiVersion: config.openshift.io/v1, kind: Ingress, metadata: {name: a}}',
    '{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a}}',
    policy('{podSelector: {matchExpressions: [{key: a, operator: In, values: [null]}]}}'),
    '{apiVersion: example.com/v1, kind: Other, metadata: {generateName: a-}, spec: {anything: [1]}}',
  ])('%s', (yaml) => expect(rejected(yaml)).toEqual([]));
});

describe('what the API server refuses', () => {
  it.each<readonly [yaml: string, expected: string]>([
    ['{apiVersion: v1, kind: Pod}', 'metadata.name: it has no name'],
    [
      '{apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: a}}',
      'apiVersion: extensions/v1beta1 is not served since Kubernetes 1.22',
    ],
    ...[
      ['v1', 'NetworkPolicy', 'networking.k8s.io/v1'],
      ['networking/v1', 'NetworkPolicy', 'networking.k8s.io/v1'],
      ['networking.k8s.io/v1beta1', 'NetworkPolicy', 'networking.k8s.io/v1'],
      ['policy.networking.k8s.io/v1alpha1', 'NetworkPolicy', 'networking.k8s.io/v1'],
      ['v1', 'Ingress', 'networking.k8s.io/v1'],
      ['apps/v1', 'Service', 'v1'],
      ['core/v1', 'Namespace', 'v1'],
      ['v1', 'Deployment', 'apps/v1'],
      ['apps/v1', 'CronJob', 'batch/v1'],
      ['v2', 'Pod', 'v1'],
    ].map(
      ([apiVersion, kind, right]) =>
        [
          `{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: a}}`,
          `apiVersion: kind ${kind} is of ${right}, not of ${apiVersion}`,
        ] as const,
    ),
    [
      '{apiVersion: extensions/v1beta1, kind: NetworkPolicy, metadata: {name: a}}',
      'apiVersion: extensions/v1beta1 is not served since Kubernetes 1.16',
    ],
    ['{apiVersion: batch/v1beta1, kind: CronJob, metadata: {name: a}}', 'apiVersion: batch/v1beta1 is not served since Kubernetes 1.25'],
    [service('{}'), 'spec.ports: it has no ports'],
    [service('{type: External, ports: [{port: 80}]}'), 'spec.type: there is no type "External"'],
    [service('{type: ExternalName}'), 'spec.externalName: its type ExternalName needs an externalName'],
    [service('{ports: [{name: a}]}'), 'spec.ports[0].port: a port has no number'],
    [service('{ports: [{port: 70000}]}'), 'spec.ports[0].port: 70000 is no number of a port'],
    [service('{ports: [{port: 80, targetPort: 65536}]}'), 'spec.ports[0].targetPort: 65536 is no number of a port'],
    [service('{ports: [{port: 80, targetPort: "8080"}]}'), 'spec.ports[0].targetPort: "8080" is no name of a port'],
    [service('{ports: [{port: 80, targetPort: HTTP}]}'), 'spec.ports[0].targetPort: "HTTP" is no name of a port'],
    [service('{ports: [{port: 80, protocol: tcp}]}'), 'spec.ports[0].protocol: there is no protocol "tcp"'],
    [service('{ports: [{name: a, port: 80}, {port: 81}]}'), 'spec.ports[1].name: each of several ports needs a name'],
    [service('{ports: [{name: a, port: 80}, {name: a, port: 81}]}'), 'spec.ports[1].name: two ports are called "a"'],
    [service('{ports: [{name: a, port: 80}, {name: b, port: 80}]}'), 'spec.ports[1].port: two ports have the number 80/TCP'],
    [service('{ports: [{port: 80, nodePort: 30080}]}'), 'spec.ports[0].nodePort: a Service of type ClusterIP has no nodePort'],
    [ingress('{}'), 'spec: it has neither rules nor a defaultBackend'],
    [ingress('{rules: [{http: {paths: []}}]}'), 'spec.rules[0].http.paths: a rule with http has no paths'],
    [path(`{path: /, ${backend}}`), 'spec.rules[0].http.paths[0].pathType: a path has no pathType'],
    [path(`{path: /, pathType: prefix, ${backend}}`), 'spec.rules[0].http.paths[0].pathType: there is no pathType "prefix"'],
    [path(`{path: api, pathType: Prefix, ${backend}}`), 'spec.rules[0].http.paths[0].path: the path "api" does not begin with /'],
    [path(`{pathType: Exact, ${backend}}`), 'spec.rules[0].http.paths[0].path: the path "" does not begin with /'],
    [
      path('{path: /, pathType: Prefix, backend: {serviceName: a, servicePort: 80}}'),
      'spec.rules[0].http.paths[0].backend: a backend needs either a service or a resource',
    ],
    [
      path('{path: /, pathType: Prefix, backend: {service: {port: {number: 1}}}}'),
      'spec.rules[0].http.paths[0].backend.service.name: a backend names no Service',
    ],
    [
      path('{path: /, pathType: Prefix, backend: {service: {name: a}}}'),
      'spec.rules[0].http.paths[0].backend.service.port: a backend needs either the name or the number of a port',
    ],
    [
      path('{path: /, pathType: Prefix, backend: {service: {name: a, port: {name: b, number: 1}}}}'),
      'spec.rules[0].http.paths[0].backend.service.port: a backend needs either the name or the number of a port',
    ],
    ...['WWW.Example.com', 'a.example.', '-a.example', 'a..b', 'a_b', '*', 'a.*.b', '*a.b', 'a:80'].map(
      (host) => [ingress(`{rules: [{host: "${host}"}]}`), `spec.rules[0].host: "${host}" is no name of a host`] as const,
    ),
    ...['10.0.0.1', '010.000.0.1'].map(
      (host) => [ingress(`{rules: [{host: "${host}"}]}`), `spec.rules[0].host: the host ${host} is an address`] as const,
    ),
    ...['', 'UPPER.example.com', 'a b', '*.*.a'].map(
      (host) => [ingress(`{rules: [{}], tls: [{hosts: [a, "${host}"]}]}`), `spec.tls[0].hosts[1]: "${host}" is no name of a host`] as const,
    ),
    ...['Bad_Name', 'ns/name'].map(
      (name) =>
        [ingress(`{rules: [{}], tls: [{secretName: ${name}}]}`), `spec.tls[0].secretName: "${name}" is no name of an object`] as const,
    ),
    ...['', 'Nginx'].map(
      (name) =>
        [ingress(`{ingressClassName: "${name}", rules: [{}]}`), `spec.ingressClassName: "${name}" is no name of an object`] as const,
    ),
    ...['/a//b', '/./a', '/a/../b', '/a%2fb', '/a%2Fb', '/..', '/a/.'].map((text, index) => {
      const refused = ['//', '/./', '/../', '%2f', '%2F', '/..', '/.'][index];
      const at = 'spec.rules[0].http.paths[0].path';
      return [path(`{path: ${text}, pathType: Exact, ${backend}}`), `${at}: the path "${text}" contains ${refused}`] as const;
    }),
    ...['Web', 'a.b', `a${'b'.repeat(63)}`].map(
      (name) =>
        [
          path(`{path: /, pathType: Prefix, backend: {service: {name: ${name}, port: {number: 80}}}}`),
          `spec.rules[0].http.paths[0].backend.service.name: "${name}" is no name of a Service`,
        ] as const,
    ),
    [
      '{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: My_Site}, spec: {rules: [{}]}}',
      'metadata.name: "My_Site" is no name of an object',
    ],
    [
      '{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a, annotations: {kubernetes.io/ingress.class: b}}, spec: {ingressClassName: c, rules: [{}]}}',
      'metadata.annotations[kubernetes.io/ingress.class]: its annotation names class "b", and its ingressClassName "c"',
    ],
    [policy('{policyTypes: [ingress]}'), 'spec.policyTypes[0]: there is no policyType "ingress"'],
    [policy('{policyTypes: [Ingress, Egress, Ingress]}'), 'spec.policyTypes: it has more than two policyTypes'],
    [policy('{egress: [{to: [{}]}]}'), 'spec.egress[0].to[0]: a peer is empty'],
    [
      policy('{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}'),
      'spec.egress[0].to[0]: a peer has an ipBlock beside a selector',
    ],
    [policy('{egress: [{to: [{ipBlock: {cidr: 10.0.0.1}}]}]}'), 'spec.egress[0].to[0].ipBlock.cidr: "10.0.0.1" is no address block'],
    [
      policy('{egress: [{to: [{ipBlock: {cidr: 300.1.2.3/99}}]}]}'),
      'spec.egress[0].to[0].ipBlock.cidr: "300.1.2.3/99" is no address block',
    ],
    [
      policy('{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/8]}}]}]}'),
      'spec.egress[0].to[0].ipBlock.except[0]: 11.0.0.0/8 is no smaller part of 10.0.0.0/8',
    ],
    [
      policy('{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}'),
      'spec.egress[0].to[0].ipBlock.except[0]: 10.0.0.0/8 is no smaller part of 10.0.0.0/8',
    ],
    [
      policy('{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [null]}}]}]}'),
      'spec.egress[0].to[0].ipBlock.except[0]: "" is no address block',
    ],
    [policy('{policyTypes: [null]}'), 'spec.policyTypes[0]: there is no policyType ""'],
    [
      policy(`{podSelector: {matchLabels: {a: ${'x'.repeat(100_000)}}}}`),
      `spec.podSelector.matchLabels.a: "${'x'.repeat(100)}…" is no value of a label`,
    ],
    [policy('{podSelector: {matchLabels: {a b: c}}}'), 'spec.podSelector.matchLabels[a b]: "a b" is no key of a label'],
    [policy('{podSelector: {matchLabels: {a: -x}}}'), 'spec.podSelector.matchLabels.a: "-x" is no value of a label'],
    [policy('{ingres: [{}]}'), 'spec.ingres: there is no field "ingres"'],
    [policy('{ingress: [{ports: [{port: ""}]}]}'), 'spec.ingress[0].ports[0].port: "" is no name of a port'],
    [policy('{ingress: [{ports: [{endPort: 5}]}]}'), 'spec.ingress[0].ports[0].endPort: endPort needs a port that is a number'],
    [policy('{ingress: [{ports: [{port: 9, endPort: 5}]}]}'), 'spec.ingress[0].ports[0].endPort: endPort 5 is below port 9'],
    [policy('{ingress: [{ports: [{port: 0}]}]}'), 'spec.ingress[0].ports[0].port: 0 is no number of a port'],
    [
      policy('{podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}}'),
      'spec.podSelector.matchExpressions[0].operator: there is no operator "in"',
    ],
    [policy('{podSelector: {matchExpressions: [{key: a, operator: In}]}}'), 'spec.podSelector.matchExpressions[0].values: In needs values'],
    [
      policy('{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [x]}]}}'),
      'spec.podSelector.matchExpressions[0].values: Exists takes no values',
    ],
  ])('%s', (yaml, expected) => expect(rejected(yaml)).toEqual([expected]));
});

describe('values of another type, which its decoder refuses', () => {
  it.each([
    [
      '{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {version: 1.0, on: x, debug: on}}}',
      ['metadata.labels.version: version must be a string, not 1', 'metadata.labels.debug: debug must be a string, not true'],
    ],
    [
      '{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, command: run, args: -v}]}}',
      ['spec.containers[0].command: command must be a list, not "run"', 'spec.containers[0].args: args must be a list, not "-v"'],
    ],
    ['{apiVersion: example.com/v1, kind: Any, metadata: {name: 12}}', ['metadata.name: name must be a string, not 12']],
    [
      policy('{podSelector: {matchExpressions: [{key: a, operator: In, values: [b, true]}]}}'),
      ['spec.podSelector.matchExpressions[0].values[1]: an entry of the list must be a string, not true'],
    ],
    ['{apiVersion: v1, kind: Pod, metadata: []}', ['metadata: metadata must be a mapping, not a list']],
    [
      service('{ports: [{port: "80", targetPort: 8.5}]}'),
      [
        'spec.ports[0].port: port must be a whole number of 32 bits, not "80"',
        'spec.ports[0].targetPort: targetPort must be a whole number or a string, not 8.5',
      ],
    ],
    [service('{ports: {port: 80}}'), ['spec.ports: ports must be a list, not a mapping']],
    [service('{selector: {app: yes}, ports: [{port: 80}]}'), ['spec.selector.app: app must be a string, not true']],
    [
      '{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {jobTemplate: {spec: {template: {metadata: {labels: {a: 1}}}}}}}',
      ['spec.jobTemplate.spec.template.metadata.labels.a: a must be a string, not 1'],
    ],
  ])('%s', (yaml, expected) => expect(rejected(yaml)).toEqual(expected));

  it('sees labels of every name', () => {
    expect(rejected('{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {__proto__: 1, constructor: x}}}')).toEqual([
      'metadata.labels.__proto__: __proto__ must be a string, not 1',
    ]);
  });
});
