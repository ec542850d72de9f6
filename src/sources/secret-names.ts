/**
 * What Secrets are called. A Secret's annotations may hold its content: `kubectl apply` writes all of it into
 * last-applied-configuration. So not even the metadata is asked for, but the table that `kubectl get` prints, without
 * objects (KEP-2334 includeObject=None): name, type, number of keys and age, and nothing else leaves the API server.
 */
import { asTable, type KubeClient, KubeError } from '../client/kube-client.ts';
import type { Reach } from '../cluster/reach.ts';
import { addressOf } from '../kube/address.ts';
import { labelsOf } from '../kube/labels.ts';
import { objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { ObjectRef, RawObject, Secret } from '../kube/resources.ts';

const pageSize = 500;
/** Namespaces at one time. */
const atOnce = 5;

export interface SecretNames {
  readonly secrets: readonly Secret[];
  readonly reach: Reach;
}

export interface SecretPlaces {
  readonly namespaces: readonly string[];
  /** Whether there are no others: what is in none of them is nowhere. */
  readonly areAll: boolean;
}

/** As far as they may be listed; of a table's rows nobody knows the namespace, so they are listed in one after the other. */
export async function listSecretNames(
  client: Pick<KubeClient, 'get'>,
  { namespaces, areAll }: SecretPlaces,
  signal: AbortSignal,
): Promise<SecretNames> {
  const found = new Map<string, readonly string[] | 'forbidden'>();
  const queue = [...namespaces];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) found.set(next, await namesIn(client, next, signal));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const secrets = [...found].flatMap(([namespace, names]) =>
    names === 'forbidden' ? [] : names.map((name) => secretNamed(namespace, name)),
  );
  const states = Array.from(found, ([namespace, names]) => [namespace, names === 'forbidden' ? names : 'complete'] as const);
  const everywhere = areAll ? 'complete' : 'forbidden';
  return { secrets, reach: { everywhere, namespaces: new Map(states.filter(([, state]) => state !== everywhere)) } };
}

async function namesIn(client: Pick<KubeClient, 'get'>, namespace: string, signal: AbortSignal): Promise<readonly string[] | 'forbidden'> {
  const names: string[] = [];
  let next = '';
  try {
    do {
      const query = `includeObject=None&limit=${pageSize}${next && `&continue=${encodeURIComponent(next)}`}`;
      const table = await client.get(`${addressOf('v1', 'secrets', namespace)}?${query}`, signal, asTable);
      names.push(...rowNames(table));
      next = stringAt(objectAt(table, 'metadata'), 'continue') ?? '';
    } while (next !== '');
    return names;
  } catch (cause) {
    if (cause instanceof KubeError) return 'forbidden';
    throw cause;
  }
}

/** Whether it is there; throws as the client does where it is not. */
export async function readSecretName(
  client: Pick<KubeClient, 'get'>,
  { namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>,
  signal: AbortSignal,
): Promise<Secret> {
  await client.get(`${addressOf('v1', 'secrets', namespace, name)}?includeObject=None`, signal, asTable);
  return secretNamed(namespace, name);
}

/** The first column is the name (pkg/printers/internalversion/printers.go, printSecret). */
const rowNames = (table: RawObject): readonly string[] =>
  objectsAt(table, 'rows').flatMap(({ cells }) => (Array.isArray(cells) && typeof cells[0] === 'string' ? [cells[0]] : []));

const secretNamed = (namespace: string, name: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace, name, labels: labelsOf({}), annotations: labelsOf({}) },
});
