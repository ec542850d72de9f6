/**
 * deploy/ keeps its promises: the least rights, no way to lock a cluster, and nothing that we would find fault with. It is
 * rendered from the chart, whose other faces test/chart/ looks at.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { groupOf } from '../src/kube/normalize.ts';
import { rules } from '../src/rules/index.ts';
import { loadManifests } from '../src/sources/manifests.ts';
import { readAlways, watchedKinds } from '../src/sources/watched.ts';

// Without kustomization.yaml, which is no object of Kubernetes.
const files = globSync(join(import.meta.dirname, '..', 'deploy', '[0-9]*.yaml')).sort();
const { manifests, errors } = await loadManifests(files);
// biome-ignore lint/suspicious/noExplicitAny: objects of every kind, which the tests pick apart
const objects = manifests.map(({ raw }) => raw as any);
const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);
const [deployment] = ofKind('Deployment');
const [service] = ofKind('Service');
const [configuration] = ofKind('ValidatingWebhookConfiguration');
const [role] = ofKind('ClusterRole');

it('reads', () => {
  expect(errors).toEqual([]);
  expect(objects.map(({ kind }) => kind)).toEqual([
    'Namespace',
    'ServiceAccount',
    'ClusterRole',
    'ClusterRoleBinding',
    'Role',
    'RoleBinding',
    'ConfigMap',
    'Secret',
    'Lease',
    'Deployment',
    'PodDisruptionBudget',
    'Service',
    'NetworkPolicy',
    'ValidatingWebhookConfiguration',
  ]);
});

it('pleases ourselves', () => {
  const main = join(import.meta.dirname, '..', 'src', 'main.ts');
  const check = (...paths: string[]) => spawnSync(process.execPath, [main, 'check', '--fail-on', 'info', ...paths], { encoding: 'utf8' });
  expect(check(...files, join(import.meta.dirname, 'e2e', 'fixtures', 'dns.yaml'))).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringMatching(/^No findings in 3 objects/),
  });
});

describe('rights', () => {
  interface Granted {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }
  const granted = [...(role.rules as Granted[]), ...(ofKind('Role')[0].rules as Granted[])].flatMap(
    ({ apiGroups, resources, resourceNames = [], verbs }) =>
      resources.map((resource) => [`${apiGroups.join()}/${resource}`, verbs.join(), resourceNames.join()] as const),
  );

  it('are two roles, which only our own account holds', () => {
    const subjects = [{ kind: 'ServiceAccount', name: 'portcullis', namespace: 'portcullis' }];
    for (const kind of ['ClusterRole', 'Role']) {
      expect(ofKind(kind)).toHaveLength(1);
      expect(ofKind(`${kind}Binding`)).toMatchObject([{ roleRef: { kind, name: 'portcullis' }, subjects }]);
    }
  });

  it('write nothing but three objects of our own, reports and Events, and name what they read', () => {
    for (const [resource] of granted) expect(resource).not.toContain('*');
    expect(granted.filter(([, verbs]) => verbs !== 'get,list,watch')).toEqual([
      ['/secrets', 'get', ''],
      ['authorization.k8s.io/subjectaccessreviews', 'create', ''],
      ['admissionregistration.k8s.io/validatingwebhookconfigurations', 'get,patch', 'portcullis'],
      ['openreports.io/clusterreports', 'create,delete,get,list,patch', ''],
      ['openreports.io/reports', 'create,delete,get,list,patch', ''],
      ['wgpolicyk8s.io/clusterpolicyreports', 'create,delete,get,list,patch', ''],
      ['wgpolicyk8s.io/policyreports', 'create,delete,get,list,patch', ''],
      ['events.k8s.io/events', 'create,delete,patch', ''],
      ['coordination.k8s.io/leases', 'get,update', 'portcullis-leader'],
      ['/secrets', 'get,update', 'portcullis-ca'],
    ]);
  });

  it('are for what the rules read, no more and no less', () => {
    const read = new Set([...readAlways, ...rules.flatMap(({ meta }) => meta.reads)]);
    const watched = watchedKinds([]).filter(({ collection }) => read.has(collection));
    expect(granted.flatMap(([resource, verbs]) => (verbs === 'get,list,watch' ? resource : [])).sort()).toEqual(
      watched.map(({ apiVersions, resource }) => `${groupOf(apiVersions[0])}/${resource}`).sort(),
    );
  });
});

describe('webhook configuration', () => {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const entries = configuration.webhooks as any[];
  const entry = (name: string) => entries.find((one) => one.name === `${name}.portcullis.dev`);
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const resourcesOf = (one: any): string[] => one.rules.flatMap(({ resources }: any) => resources).sort();
  const resources = { Service: 'services', Ingress: 'ingresses', NetworkPolicy: 'networkpolicies' } as const;
  const judged = (given: typeof rules) => [...new Set(given.flatMap(({ meta }) => meta.kinds.map((kind) => resources[kind])))].sort();

  it('lets every write pass when we do not answer in time', () => {
    expect(entries).toHaveLength(3);
    for (const one of entries) {
      expect(one).toMatchObject({ failurePolicy: 'Ignore', timeoutSeconds: 3, sideEffects: 'None', matchPolicy: 'Equivalent' });
      expect(one.admissionReviewVersions).toEqual(['v1']);
      expect(one.clientConfig).toEqual({ service: { name: 'portcullis', namespace: 'portcullis', path: '/validate', port: 443 } });
    }
  });

  it('asks about exactly what some rule judges', () => {
    const atAdmission = rules.filter(({ meta }) => meta.offlineOnly !== true);
    expect(resourcesOf(entry('validate'))).toEqual(judged(atAdmission));
    expect(resourcesOf(entry('system'))).toEqual(judged(atAdmission.filter(({ meta }) => meta.guardsSystem === true)));
    expect(resourcesOf(entry('delete'))).toEqual(judged(atAdmission.filter(({ meta }) => meta.judgesDelete === true)));
  });

  it('never sends one write to two entries', () => {
    // biome-ignore lint/suspicious/noExplicitAny: as above
    const operations = (one: any) => one.rules.flatMap((rule: any) => rule.operations);
    expect([...new Set(operations(entry('validate')))]).toEqual(['CREATE', 'UPDATE']);
    expect([...new Set(operations(entry('system')))]).toEqual(['CREATE', 'UPDATE']);
    expect([...new Set(operations(entry('delete')))]).toEqual(['DELETE']);
    const [excluded] = entry('validate').namespaceSelector.matchExpressions;
    const [included] = entry('system').namespaceSelector.matchExpressions;
    expect([excluded.operator, included.operator]).toEqual(['NotIn', 'In']);
    for (const namespace of included.values) expect(excluded.values).toContain(namespace);
  });

  it('leaves alone our own namespace, the API server and the nodes', () => {
    for (const one of entries) {
      const [selector] = one.namespaceSelector.matchExpressions;
      expect(selector.key).toBe('kubernetes.io/metadata.name');
      expect(selector.operator === 'NotIn' ? selector.values.includes('portcullis') : !selector.values.includes('portcullis')).toBe(true);
      const expressions = one.matchConditions.map(({ expression }: { expression: string }) => expression);
      expect(expressions).toContain("request.userInfo.username != 'system:apiserver'");
      expect(expressions).toContain("!has(request.userInfo.groups) || !('system:nodes' in request.userInfo.groups)");
    }
    expect(entry('validate').namespaceSelector.matchExpressions[0].values).toContain('kube-system');
  });

  it('leads to a port that the container listens on', () => {
    const [container] = deployment.spec.template.spec.containers;
    const [port] = service.spec.ports;
    expect(port.port).toBe(443);
    expect(container.ports).toEqual([
      { name: port.targetPort, containerPort: 10250 },
      { name: 'health', containerPort: 8081 },
    ]);
    expect(deployment.spec.template.metadata.labels).toMatchObject(service.spec.selector);
  });
});
