import { given, objectAt, objectsAt, stringAt } from './read.ts';
import type { ObjectMeta, RawObject, Secret, SecretSource } from './resources.ts';

/** Only that it is there: no key and no value of a Secret is ever kept. */
export const normalizeSecret = (raw: RawObject, metadata: ObjectMeta): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: metadata.namespace, name: metadata.name, labels: {}, annotations: {} },
  ...given('type', stringAt(raw, 'type')),
});

/** Where each kind names the Secret that it will write; two of them default to their own name. */
export function normalizeSecretSource(raw: RawObject, apiVersion: string, metadata: ObjectMeta): SecretSource {
  const kind = stringAt(raw, 'kind') as SecretSource['kind'];
  const spec = objectAt(raw, 'spec');
  const named = {
    Certificate: () => stringAt(spec, 'secretName') ?? '',
    ExternalSecret: () => stringAt(objectAt(spec, 'target'), 'name') || metadata.name,
    SealedSecret: () => stringAt(objectAt(objectAt(spec, 'template'), 'metadata'), 'name') || metadata.name,
  };
  return { apiVersion, kind, metadata, secretName: named[kind](), ...given('notReady', notReadyOf(raw)) };
}

function notReadyOf(raw: RawObject): string | undefined {
  const condition = objectsAt(objectAt(raw, 'status'), 'conditions').find(({ type, status }) => type === 'Ready' && status === 'False');
  return condition && [stringAt(condition, 'reason'), stringAt(condition, 'message')].filter(Boolean).join(': ');
}
