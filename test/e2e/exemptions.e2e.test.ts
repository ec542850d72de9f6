/** Who may exempt by annotation, as the real API server's authorizer sees it. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { type ApiAnswer, describeOnCluster, type Impersonated } from '../support/cluster.ts';
import { deployment, service } from '../support/shop.ts';
import { addressOf, configurationOf, type Stage, useStage } from '../support/stage.ts';

const rule = 'service-selector-matches-no-pods';
const key = `exempt.portcullis.dev/${rule}`;
const prefix = 'validate.portcullis.dev/';
const notEntitled = `you may not use exemptions.portcullis.dev/${rule} in `;
const configuration = configurationOf({ exemptions: { byAnnotation: 'permitted' } });

/** Whose writes the API server lets through at all. */
const writers = 'writers';
const person = (name: string, more: Partial<Impersonated> = {}): Impersonated => ({
  ...more,
  name,
  groups: ['system:authenticated', writers, ...(more.groups ?? [])],
});
const stranger = person('stranger');

const excused = (changes: Parameters<typeof service>[0] = {}, reason = 'Pods come by hand'): RawObject =>
  service({ selector: { app: 'wbe' }, metadata: { annotations: { [key]: reason } }, ...changes });

const rbac = (kind: string, name: string, more: RawObject, namespace?: string): RawObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  ...more,
});
const roleOf = (name: string, apiGroup: string, resource: string, verbs: readonly string[], resourceNames?: readonly string[]): RawObject =>
  rbac('ClusterRole', name, { rules: [{ apiGroups: [apiGroup], resources: [resource], verbs, ...(resourceNames && { resourceNames }) }] });
const binding = (role: string, kind: 'User' | 'Group', name: string, namespace?: string): RawObject =>
  rbac(
    namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    `${role}-${name.replaceAll(':', '-')}`,
    {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind, name }],
    },
    namespace,
  );

async function applied({ cluster }: Stage, objects: readonly RawObject[]): Promise<void> {
  const { code, stderr } = await cluster.kubectl(['apply', '-f', '-'], { input: objects });
  if (code !== 0) throw new Error(stderr);
}

const exempter = 'e2e-exempter';
const roles = [
  roleOf('e2e-writer', '', 'services', ['get', 'create', 'update', 'patch']),
  binding('e2e-writer', 'Group', writers),
  roleOf(exempter, 'portcullis.dev', 'exemptions', ['use'], [rule]),
  roleOf('e2e-exempter-of-another', 'portcullis.dev', 'exemptions', ['use'], ['service-node-port-policy']),
];

/** A strict namespace with the shop's Deployment, in which `local` and the group `exempters` may exempt. */
async function shop(stage: Stage): Promise<string> {
  const namespace = await stage.namespace('strict');
  await stage.given(namespace, [deployment]);
  await applied(stage, [
    binding(exempter, 'User', 'local', namespace),
    binding(exempter, 'Group', 'exempters', namespace),
    binding('e2e-exempter-of-another', 'User', 'of-another', namespace),
  ]);
  return namespace;
}

const create = ({ cluster }: Stage, namespace: string, object: RawObject, as: Impersonated): Promise<ApiAnswer> =>
  cluster.request('POST', addressOf('Service', namespace), object, as);

describeOnCluster('an annotation that has to be permitted', () => {
  const stage = useStage({ purpose: 'permitted', configuration });
  beforeAll(() =>
    applied(stage, [
      ...roles,
      binding(exempter, 'User', 'everywhere'),
      roleOf('e2e-asker', 'authorization.k8s.io', 'subjectaccessreviews', ['create']),
      binding('e2e-asker', 'User', 'system:serviceaccount:portcullis:portcullis'),
    ]),
  );

  it.each([
    ['who may use it in the namespace', true, person('local')],
    ['whose group may', true, person('member', { groups: ['exempters'] })],
    ['who may everywhere', true, person('everywhere')],
    ['the administrator', true, person('root', { groups: ['system:masters'] })],
    ['an odd extra beside the right', true, person('local', { extra: new Map([['__proto__', 'x']]) })],
    ['who may not', false, stranger],
    ['an odd extra without the right', false, person('stranger', { extra: new Map([['__proto__', 'local']]) })],
    ['whose group is only called alike', false, person('member', { groups: ['exempter'] })],
    ['who may use that of another rule', false, person('of-another')],
  ] as const)('of %s has effect: %s', async (_, has, who) => {
    const namespace = await shop(stage);
    const { status, body, warnings } = await create(stage, namespace, excused(), who);
    const [entry] = stage.cluster.audit(namespace);
    if (has) {
      expect({ status, warnings }).toEqual({ status: 201, warnings: [] });
      expect(entry?.annotations?.[`${prefix}rules`]).toBe(`exempt:${rule} (Pods come by hand (annotation))`);
    } else {
      expect(status).toBe(422);
      expect(body.message).toContain(`${notEntitled}${namespace}`);
      expect(entry?.annotations?.[`${prefix}decision`]).toBe('deny');
    }
  });

  it('of who may elsewhere has no effect here', async () => {
    const elsewhere = await stage.namespace('strict');
    await stage.given(elsewhere, [deployment]);
    expect((await create(stage, elsewhere, excused(), person('local'))).status).toBe(422);
    expect((await create(stage, elsewhere, excused(), person('everywhere'))).status).toBe(201);
  });

  it.each([
    ['local', 'true'],
    ['stranger', 'false'],
  ])('can be looked up with kubectl: %s, %s', async (user, answer) => {
    const namespace = await shop(stage);
    const [question = ''] = /^apiVersion: authorization[\s\S]*?(?=^EOF)/m.exec(readFileSync('docs/exemptions.md', 'utf8')) ?? [];
    const input = question.replace('user: jane', `user: ${user}`).replace('namespace: team-a', `namespace: ${namespace}`);
    expect((await stage.cluster.kubectl(['create', '-o', 'jsonpath={.status.allowed}', '-f', '-'], { input })).stdout).toBe(answer);
  });

  it('is told to kubectl beside the finding', async () => {
    const namespace = await shop(stage);
    const args = ['create', '-n', namespace, '--as=stranger', `--as-group=${writers}`, '-f', '-'];
    const { code, stderr } = await stage.cluster.kubectl(args, { input: excused({ port: { targetPort: 8080 } }) });
    expect(code).toBe(1);
    expect(stderr).toContain(`[${rule}] portcullis`);
    expect(stderr).toContain(`metadata.annotations[${key}]: warning: ${notEntitled}${namespace}`);
    expect(stderr).toContain('[exemption-invalid] portcullis');
  });

  it('covers what was there before when another one writes, and nothing new', async () => {
    const namespace = await shop(stage);
    const path = addressOf('Service', namespace, 'web');
    expect((await create(stage, namespace, excused(), person('local'))).status).toBe(201);
    const patch = (change: RawObject, as = stranger): Promise<ApiAnswer> => stage.cluster.request('PATCH', path, change, as);

    const labelled = await patch({ metadata: { labels: { team: 'a' } } });
    expect([labelled.status, labelled.warnings]).toEqual([200, []]);
    const broken = await patch({ spec: { selector: { app: 'wbee' } } });
    expect([broken.status, broken.body.message]).toEqual([422, expect.stringContaining(notEntitled)]);
    const byHolder = await patch({ spec: { selector: { app: 'wbee' } } }, person('local'));
    expect([byHolder.status, byHolder.warnings]).toEqual([200, []]);
    const prolonged = await patch({ metadata: { annotations: { [key]: 'for ever' } } });
    expect(prolonged.status).toBe(200);
    // A patch made on what the API server's cache still held is made and admitted again on what is stored: two answers may add up.
    expect(prolonged.warnings).toContainEqual(expect.stringMatching(/^not new, so not denied: spec\.selector: app=wbee matches /));
    expect(prolonged.warnings).toContainEqual(expect.stringContaining(notEntitled));
    expect(prolonged.warnings.filter((line) => !line.endsWith(`[${rule}]`) && !line.endsWith('[exemption-invalid]'))).toEqual([]);
  });
});

describeOnCluster('a server that may not ask for rights', () => {
  const stage = useStage({ purpose: 'speechless', configuration, user: 'tenant-b', replicas: 0 });
  const reader = rbac('ClusterRole', 'e2e-reader', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }] });
  const reads = binding('e2e-reader', 'User', 'tenant-b');
  afterAll(() => stage.cluster.kubectl(['delete', 'clusterrolebinding', String((reads['metadata'] as RawObject)['name'])]));

  it('grants nobody anything, says so to who writes, and once in its log', async () => {
    await applied(stage, [...roles, reader, reads]);
    const replica = await stage.webhook.startReplica({ user: 'tenant-b' });
    const namespace = await stage.cluster.newNamespace('speechless', { e2e: 'speechless', 'portcullis.dev/profile': 'strict' });
    await applied(stage, [{ ...deployment, metadata: { name: 'web', namespace } }]);
    const root = person('root', { groups: ['system:masters'] });
    for (const _ of [1, 2]) {
      const { status, body } = await create(stage, namespace, excused(), root);
      expect([status, body.message]).toEqual([422, expect.stringContaining('whether you may use it could not be asked')]);
    }
    const lines = replica.process.output().split('\n');
    expect(lines.filter((line) => line.includes('may not create subjectaccessreviews'))).toHaveLength(1);
  });
});
