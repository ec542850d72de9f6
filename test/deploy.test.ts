/** deploy/ keeps its promises: the least rights, no way to lock a cluster, and nothing that we would find fault with. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { groupOf } from '../src/kube/normalize.ts';
import { rules } from '../src/rules/index.ts';
import { loadManifests } from '../src/sources/manifests.ts';
import { watchedKinds } from '../src/sources/watched.ts';

const { manifests, errors } = await loadManifests([join(import.meta.dirname, '..', 'deploy')]);
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
    'ConfigMap',
    'Deployment',
    'PodDisruptionBudget',
    'Service',
    'ValidatingWebhookConfiguration',
  ]);
});

it('pleases ourselves', () => {
  const main = join(import.meta.dirname, '..', 'src', 'main.ts');
  const check = (...paths: string[]) => spawnSync(process.execPath, [main, 'check', '--fail-on', 'info', ...paths], { encoding: 'utf8' });
  expect(check(join(import.meta.dirname, '..', 'deploy'))).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringMatching(/^No findings/),
  });
});

describe('rights', () => {
  const granted = (role.rules as { apiGroups: string[]; resources: string[]; verbs: string[] }[]).flatMap(
    ({ apiGroups, resources, verbs }) => resources.map((resource) => [`${apiGroups.join()}/${resource}`, verbs.join()] as const),
  );

  it('are one role, which only our own account holds', () => {
    expect(ofKind('ClusterRole')).toHaveLength(1);
    expect([...ofKind('Role'), ...ofKind('RoleBinding')]).toEqual([]);
    expect(ofKind('ClusterRoleBinding')).toMatchObject([
      {
        roleRef: { kind: 'ClusterRole', name: role.metadata.name },
        subjects: [{ kind: 'ServiceAccount', name: 'portcullis', namespace: 'portcullis' }],
      },
    ]);
  });

  it('write nothing, and name what they read', () => {
    for (const [resource, verbs] of granted) {
      expect(resource).not.toContain('*');
      expect(['get,list,watch', 'get']).toContain(verbs);
    }
  });

  it('are for what a live source watches, no more and no less', () => {
    const watched = watchedKinds([]).map(({ apiVersions, resource }) => `${groupOf(apiVersions[0])}/${resource}`);
    expect(granted.flatMap(([resource, verbs]) => (verbs === 'get' ? [] : resource)).sort()).toEqual(watched.sort());
  });

  it('of Secrets, allow to ask for one by its name', () => {
    expect(granted.filter(([resource]) => resource === '/secrets')).toEqual([['/secrets', 'get']]);
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
