/** Cases of the rules' tables that can stand side by side in one cluster, each in a namespace of its own. */
import { isObject, objectAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { canBeApplied } from './rule-cases.ts';
import type { RuleCase } from './rule-table.ts';

/**
 * One object in a namespace of its own says the same there, whether it is written or stands: nothing in it names another, or a
 * number that the cluster has once.
 */
export function fits(one: RuleCase): boolean {
  const plain =
    one.options === undefined &&
    one.profile === 'strict' &&
    one.resolver === undefined &&
    one.exemptions === undefined &&
    one.beside.length === 0;
  const alone =
    one.before === undefined && one.operation === undefined && one.expectedSecrets.length === 0 && !one.survey && one.offline !== false;
  const objects = [one.object, ...one.cluster];
  const namespaces = new Set(objects.map((object) => objectAt(object, 'metadata')['namespace']));
  const kinds = [
    'Namespace',
    'IngressClass',
    'Certificate',
    'ExternalSecret',
    'SealedSecret',
    'ValidatingWebhookConfiguration',
    'MutatingWebhookConfiguration',
    'APIService',
  ];
  const bound = /namespaceSelector|clusterIP|nodePort|kube-system/i;
  return (
    plain &&
    alone &&
    canBeApplied(one) &&
    namespaces.size === 1 &&
    !objects.some(({ kind }) => kinds.includes(String(kind))) &&
    !bound.test(JSON.stringify(objects))
  );
}

export const inNamespace = (one: RuleCase, namespace: string): RuleCase => ({
  ...one,
  object: moved(one.object, namespace),
  cluster: one.cluster.map((object) => moved(object, namespace)),
});

const moved = (object: RawObject, namespace: string): RawObject => ({
  ...object,
  metadata: { ...(isObject(object['metadata']) ? object['metadata'] : {}), namespace },
});

export const namespaceOf = ({ object }: RuleCase): string => String(objectAt(object, 'metadata')['namespace']);
