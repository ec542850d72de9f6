/** What a message tells of another namespace, to people with different rights, as the real API server's authorizer sees them. */
import { beforeAll, expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { type ApiAnswer, describeOnCluster, type Impersonated } from '../support/cluster.ts';
import { deployment, service } from '../support/shop.ts';
import { addressOf, useStage } from '../support/stage.ts';

/** Whose writes the API server lets through at all. */
const writers = 'privacy-writers';
const person = (name: string, more: Partial<Impersonated> = {}): Impersonated => ({
  ...more,
  name,
  groups: ['system:authenticated', writers, ...(more.groups ?? [])],
});
/** So that no other test's Deployment carries them. */
const labels = { app: 'privacy-canary' };
const canary: RawObject = {
  ...deployment,
  metadata: { name: 'vault' },
  spec: {
    selector: { matchLabels: labels },
    template: { ...((deployment['spec'] as RawObject)['template'] as RawObject), metadata: { labels } },
  },
};

const rbac = (kind: string, name: string, more: RawObject, namespace?: string): RawObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  ...more,
});
const roleOf = (name: string, apiGroup: string, resource: string, verbs: readonly string[]): RawObject =>
  rbac('ClusterRole', name, { rules: [{ apiGroups: [apiGroup], resources: [resource], verbs }] });
const binding = (role: string, kind: 'User' | 'Group', name: string, namespace?: string): RawObject =>
  rbac(
    namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    `${role}-${name}`,
    {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind, name }],
    },
    namespace,
  );

describeOnCluster('a Deployment of another namespace', () => {
  const stage = useStage({ purpose: 'privacy' });
  let theirs = '';
  let ours = '';
  beforeAll(async () => {
    theirs = await stage.namespace('guided');
    ours = await stage.namespace('guided');
    await stage.given(theirs, [canary]);
    const objects = [
      roleOf('privacy-writer', '', 'services', ['get', 'create']),
      binding('privacy-writer', 'Group', writers),
      roleOf('privacy-reader', 'apps', 'deployments', ['list']),
      roleOf('privacy-getter', 'apps', 'deployments', ['get']),
      roleOf('privacy-of-pods', '', 'pods', ['list']),
      binding('privacy-reader', 'User', 'privacy-local', theirs),
      binding('privacy-reader', 'Group', 'privacy-team', theirs),
      binding('privacy-reader', 'User', 'privacy-everywhere'),
      binding('privacy-reader', 'User', 'privacy-at-home', ours),
      binding('privacy-getter', 'User', 'privacy-getting', theirs),
      binding('privacy-of-pods', 'User', 'privacy-of-pods', theirs),
    ];
    const { code, stderr } = await stage.cluster.kubectl(['apply', '-f', '-'], { input: objects });
    if (code !== 0) throw new Error(stderr);
  });

  const write = (who: Impersonated): Promise<ApiAnswer> =>
    stage.cluster.request('POST', `${addressOf('Service', ours)}?dryRun=All`, service({ selector: labels }), who);

  it.each([
    ['who may list Deployments there', person('privacy-local')],
    ['whose group may', person('privacy-member', { groups: ['privacy-team'] })],
    ['who may list them everywhere', person('privacy-everywhere')],
    ['the administrator', person('root', { groups: ['system:masters'] })],
  ] as const)('is named to %s', async (_, who) => {
    const { status, warnings } = await write(who);
    expect(status).toBe(201);
    expect(warnings.join('\n')).toContain(`Deployment vault in ${theirs} carries these labels`);
  });

  it('is named to nobody else: all of them read the same, byte for byte', async () => {
    const others = [
      person('privacy-stranger'),
      person('privacy-at-home'),
      person('privacy-getting'),
      person('privacy-of-pods'),
      person('privacy-member', { groups: ['privacy-teams'] }),
      person('privacy-stranger', { extra: new Map([['__proto__', 'privacy-local']]) }),
    ];
    const answers = await Promise.all(others.map(write));
    for (const { status, warnings } of answers) {
      expect([status, warnings.length]).toEqual([201, 1]);
      expect(warnings.join('\n')).not.toMatch(new RegExp(`vault|${theirs}`));
      expect(warnings).toEqual(answers[0]?.warnings);
    }
  });
});
