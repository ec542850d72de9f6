/** Which ClusterRole doctor may add a rule to, and when Secrets unread are a choice: by the bindings that an API server lists. */
import { describe, expect, it } from 'vitest';
import { type KubeClient, KubeError } from '../../src/client/kube-client.ts';
import { clusterRoleOf, roleBindingsOf } from '../../src/commands/doctor-bindings.ts';
import { rightsOf } from '../../src/commands/doctor-rights.ts';
import { Eyes } from '../../src/commands/seen.ts';
import { listOf } from '../../src/doctor/facts.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { installation, namespace, seen } from '../doctor/installation.ts';

const us = { kind: 'ServiceAccount', name: 'portcullis', namespace: 'portcullis' };
const somebody = { kind: 'User', name: 'jo' };
const binding = (role: string, subjects: readonly RawObject[], where?: string, kind = 'ClusterRole'): RawObject => ({
  metadata: { name: `b-${role}`, ...(where !== undefined && { namespace: where }) },
  roleRef: { kind, name: role },
  subjects,
});
const role = (name: string, labels: RawObject = {}, more: RawObject = {}): RawObject => ({ metadata: { name, labels }, ...more });
const ours = { 'app.kubernetes.io/name': 'portcullis' };

interface World {
  readonly clusterBindings?: readonly RawObject[];
  readonly roleBindings?: readonly RawObject[] | 'forbidden';
  readonly roles?: readonly RawObject[];
  /** Namespaces in which all Secrets may be read. */
  readonly readable?: readonly string[];
}

function eyesOn({ clusterBindings = [], roleBindings = [], roles = [], readable = [] }: World): Eyes {
  const get = async (path: string): Promise<unknown> => {
    if (path.includes('/clusterrolebindings')) return { items: clusterBindings };
    if (path.includes('/rolebindings') && roleBindings === 'forbidden') throw new KubeError(403, 'Forbidden', 'forbidden');
    if (path.includes('/rolebindings')) return { items: roleBindings };
    const found = roles.find((one) => path.endsWith(`/clusterroles/${(one['metadata'] as { name: string }).name}`));
    if (found === undefined) throw new KubeError(404, 'NotFound', 'not found');
    return found;
  };
  const send = async (_: string, __: string, body: RawObject): Promise<unknown> => {
    const { resourceAttributes } = body['spec'] as { resourceAttributes: { resource: string; namespace: string; name?: string } };
    const { resource, namespace: where, name } = resourceAttributes;
    return { status: { allowed: resource !== 'secrets' || name !== undefined || readable.includes(where) } };
  };
  return new Eyes({ get, send } as unknown as KubeClient);
}

describe('the ClusterRole that may be patched', () => {
  const audit = binding('view', [us]);
  const own = binding('portcullis', [us]);
  it.each<readonly [string, World, unknown]>([
    ['ours, behind another binding', { clusterBindings: [audit, own], roles: [role('view'), role('portcullis')] }, seen('portcullis')],
    ['ours by label', { clusterBindings: [binding('p-reads', [us])], roles: [role('p-reads', ours)] }, seen('p-reads')],
    ['none: view only', { clusterBindings: [audit], roles: [role('view')] }, seen(undefined)],
    [
      'none: ours is of Kubernetes',
      { clusterBindings: [own], roles: [role('portcullis', { 'kubernetes.io/bootstrapping': 'rbac-defaults' })] },
      seen(undefined),
    ],
    ['none: it is aggregated', { clusterBindings: [own], roles: [role('portcullis', ours, { aggregationRule: {} })] }, seen(undefined)],
    [
      'none: bound to others too',
      { clusterBindings: [binding('portcullis', [us, somebody])], roles: [role('portcullis')] },
      seen(undefined),
    ],
    [
      'none: bound to others by another binding',
      { clusterBindings: [own, binding('portcullis', [somebody])], roles: [role('portcullis')] },
      seen(undefined),
    ],
    [
      'none: bound to others in a namespace',
      { clusterBindings: [own], roleBindings: [binding('portcullis', [somebody], 'shop')], roles: [role('portcullis')] },
      seen(undefined),
    ],
    [
      'ours: a Role of that name is no ClusterRole',
      { clusterBindings: [own], roleBindings: [binding('portcullis', [somebody], 'shop', 'Role')], roles: [role('portcullis')] },
      seen('portcullis'),
    ],
    [
      'none: not all bindings are seen',
      { clusterBindings: [own], roleBindings: 'forbidden', roles: [role('portcullis')] },
      seen(undefined),
    ],
    ['no binding', { roles: [role('portcullis')] }, { state: 'absent' }],
    ['no role', { clusterBindings: [own] }, { state: 'absent' }],
  ])('%s', async (_, world, expected) => {
    const eyes = eyesOn(world);
    expect(await clusterRoleOf(eyes, installation(), await roleBindingsOf(eyes))).toEqual(expected);
  });
});

describe('Secrets that may not be read in the whole cluster', () => {
  const many = Array.from({ length: 300 }, (_, index) => namespace(`a-${index}`));
  const inOurs = binding('portcullis', [us], 'portcullis', 'Role');
  const lacking = async (world: World) => {
    const eyes = eyesOn(world);
    const rights = await rightsOf(eyes, installation({ namespaces: seen(many) }), {
      text: { state: 'absent' },
      roleBindings: await roleBindingsOf(eyes),
    });
    return rights.state === 'seen' ? listOf(rights).filter(({ allowed }) => !allowed).length : rights.state;
  };

  it.each<readonly [string, World, unknown]>([
    ['a choice: bound in a namespace', { roleBindings: [inOurs, binding('portcullis-secrets', [us], 'z')] }, 0],
    ['a choice: bound by group', { roleBindings: [binding('x', [{ kind: 'Group', name: 'system:serviceaccounts:portcullis' }], 'z')] }, 0],
    ['a choice: bound in our own namespace', { roleBindings: [inOurs], readable: ['portcullis'] }, 0],
    ['a defect: bound nowhere else', { roleBindings: [inOurs, binding('portcullis-secrets', [somebody], 'z')] }, 1],
    ['not known: bindings are not seen', { roleBindings: 'forbidden' }, 'unseen'],
  ])('%s', async (_, world, expected) => expect(await lacking(world)).toBe(expected));
});
