/** Which hosts containers are told of, in words that may mean a Service: `db:5432`, `db.shop.svc`. Whether there is one, the cluster tells. */
import { objectsAt, stringAt, stringsAt } from './read.ts';
import type { RawObject } from './resources.ts';

/** A longer text is a document, not the address of somebody. */
const longest = 4_096;
/** Of one Pod. */
const most = 32;

const label = '[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?';
/**
 * `name.namespace.svc`, with a domain and a port or without; `name:port` and `name.namespace:port`. Not what an `@` follows,
 * which is a user and a password, and not a part of a longer name.
 */
const pattern = new RegExp(
  `(?<![-\\w.%:])(${label}\\.${label})\\.svc(?![-\\w])(?:\\.[-a-z0-9.]*[a-z0-9])?(:\\d{1,5})?(?![-\\w.@:])|(?<![-\\w.%])(${label}(?:\\.${label})?:\\d{1,5})(?![-\\w.@:])`,
  'g',
);
/** What is kept of an environment may be read in snapshots: of such a variable nothing is. */
const secretName = /pass|secret|token|key|credential|auth/i;

/**
 * As `name:port`, `name.namespace:port` or `name.namespace`, each once. From the values of environment variables, and from
 * command and arguments. What comes from ConfigMaps, Secrets and files is not to be seen. Undefined where there is none.
 */
export function hostsOf(containers: readonly RawObject[]): readonly string[] | undefined {
  const found = new Set<string>();
  for (const text of containers.flatMap(textsOf))
    for (const [, long, port = '', short] of matchesIn(text)) if (found.size < most) found.add(short ?? `${long}${port}`);
  return found.size === 0 ? undefined : [...found].sort();
}

const matchesIn = (text: string): Iterable<RegExpExecArray> =>
  text.length <= longest && (text.includes(':') || text.includes('.svc')) ? text.matchAll(pattern) : [];

function textsOf(container: RawObject): readonly string[] {
  const variables = objectsAt(container, 'env').filter((one) => !secretName.test(stringAt(one, 'name') ?? ''));
  const values = variables.flatMap((one) => stringAt(one, 'value') ?? []);
  return [...values, ...stringsAt(container, 'command'), ...stringsAt(container, 'args')];
}
