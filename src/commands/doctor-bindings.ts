/** Reads which roles our ServiceAccount is bound to. */
import { isOwnRole, namesUs, roleOf } from '../doctor/bindings.ts';
import { type Facts, listOf, type Seen, seenIn } from '../doctor/facts.ts';
import { addressOf } from '../kube/address.ts';
import type { RawObject } from '../kube/resources.ts';
import type { Eyes } from './seen.ts';

const rbac = 'rbac.authorization.k8s.io/v1';

/** Of all namespaces. */
export const roleBindingsOf = (eyes: Eyes): Promise<Seen<readonly RawObject[]>> => eyes.list(addressOf(rbac, 'rolebindings'));

/** Unless all bindings could be seen, no ClusterRole counts as ours alone. */
export async function clusterRoleOf(eyes: Eyes, facts: Facts, roleBindings: Seen<readonly RawObject[]>): Promise<Facts['clusterRole']> {
  const bindings = await eyes.list(addressOf(rbac, 'clusterrolebindings'));
  if (bindings.state !== 'seen') return bindings;
  const bound = [...new Set(bindings.value.filter((one) => namesUs(one, facts)).map(roleOf))];
  const roles = await Promise.all(bound.map((name) => eyes.one(addressOf(rbac, 'clusterroles', '', name))));
  if (roles.every(({ state }) => state === 'absent')) return { state: 'absent' };
  const all = [...bindings.value, ...listOf(roleBindings)];
  const own = bound.find((_, at) => {
    const role = seenIn(roles[at] ?? { state: 'absent' });
    return role !== undefined && isOwnRole(role, all, facts);
  });
  return { state: 'seen', value: roleBindings.state === 'seen' ? own : undefined };
}
