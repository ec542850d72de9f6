/** Whom roles are bound to: what is also somebody else's, or was bound on purpose, is not for doctor to widen. */
import { objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';
import { type Facts, labelsIn, nameOf } from './facts.ts';

export type Account = Pick<Facts, 'namespace' | 'serviceAccount'>;

const isServiceAccount = (subject: RawObject, { namespace, serviceAccount }: Account): boolean =>
  subject['kind'] === 'ServiceAccount' && subject['name'] === serviceAccount && subject['namespace'] === namespace;

/** By its name as a user, or by the group of its namespace, the account can be bound as well. */
const isOurs = (subject: RawObject, account: Account): boolean =>
  isServiceAccount(subject, account) ||
  (subject['kind'] === 'User' && subject['name'] === `system:serviceaccount:${account.namespace}:${account.serviceAccount}`) ||
  (subject['kind'] === 'Group' && subject['name'] === `system:serviceaccounts:${account.namespace}`);

export const namesUs = (binding: RawObject, account: Account): boolean =>
  objectsAt(binding, 'subjects').some((subject) => isOurs(subject, account));

export const roleOf = (binding: RawObject): string => stringAt(objectAt(binding, 'roleRef'), 'name') ?? '';

const bindsClusterRole = (binding: RawObject, name: string): boolean =>
  roleOf(binding) === name && objectAt(binding, 'roleRef')['kind'] === 'ClusterRole';

/**
 * Whether a rule added to the ClusterRole reaches our ServiceAccount and nobody else: it is called as the installation is or
 * has our label, is put together from no others, comes not with Kubernetes, and no binding, of all there are, names another subject.
 */
export function isOwnRole(role: RawObject, bindings: readonly RawObject[], facts: Account & Pick<Facts, 'configuration'>): boolean {
  const labels = labelsIn(role);
  const isCalledOurs = nameOf(role) === facts.configuration || labels['app.kubernetes.io/name'] === 'portcullis';
  const isMadeByKubernetes = labels['kubernetes.io/bootstrapping'] !== undefined || Object.hasOwn(role, 'aggregationRule');
  const subjects = bindings.filter((one) => bindsClusterRole(one, nameOf(role))).flatMap((one) => objectsAt(one, 'subjects'));
  return isCalledOurs && !isMadeByKubernetes && subjects.every((subject) => isServiceAccount(subject, facts));
}
