/** Which hosts containers are told of, in words that may mean a Service: `db:5432`, `db.shop.svc`. Whether there is one, the cluster tells. */
import { isNotConnected, withoutNotConnected, wordsConnected } from './not-connected.ts';
import { objectsAt, stringAt, stringsAt } from './read.ts';
import type { RawObject } from './resources.ts';

/** A longer text is a document, not the address of somebody. */
const longest = 4_096;
/** Of one Pod. */
const most = 32;

const label = '[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?';
/** Where an URL names no port, its scheme does: those of IANA, and those that the libraries of databases and queues document. */
const schemePorts: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
  ['ws', 80],
  ['wss', 443],
  ['ldap', 389],
  ['ldaps', 636],
  ['postgres', 5432],
  ['postgresql', 5432],
  ['mysql', 3306],
  ['mariadb', 3306],
  ['sqlserver', 1433],
  ['mongodb', 27017],
  ['redis', 6379],
  ['rediss', 6379],
  ['amqp', 5672],
  ['amqps', 5671],
  ['nats', 4222],
  ['mqtt', 1883],
  ['mqtts', 8883],
]);

/**
 * `name.namespace.svc`, with a domain and a port or without; `name:port` and `name.namespace:port`. Not what an `@` follows,
 * which is a user and a password, and not a part of a longer name.
 */
const pattern = new RegExp(
  `(?<![-\\w.%:])(${label}\\.${label})\\.svc(?![-\\w])(?:\\.[-a-z0-9.]*[a-z0-9])?(:\\d{1,5})?(?![-\\w.@:])|(?<![-\\w.%])(${label}(?:\\.${label})?:\\d{1,5})(?![-\\w.@:])`,
  'g',
);
/**
 * `http://name` and `http://name.namespace`, where the host ends with it. The scheme may name a driver, as SQLAlchemy's
 * `postgresql+asyncpg`; `+srv` is none, but asks DNS for the port.
 */
const urlPattern = new RegExp(
  `(?<![-\\w.+%])(${[...schemePorts.keys()].join('|')})(?:\\+(?!srv:)[a-z0-9]{1,16})?://(?:[^\\s/@]{0,256}@|(?![^\\s/@]{0,256}@))(${label}(?:\\.${label})?)(?=[/?#,;|&\\s"'\\x60<>()\\]}\\\\]|$)`,
  'g',
);
/** What is kept of an environment may be read in snapshots: of such a variable nothing is. */
const secretName = /pass|secret|token|key|credential|auth/i;

/**
 * As `name:port`, `name.namespace:port` or `name.namespace`, each once. From the values of environment variables, and from
 * command and arguments. What comes from ConfigMaps, Secrets and files is not to be seen. Undefined where there is none.
 */
export function hostsOf(containers: readonly RawObject[]): readonly string[] | undefined {
  const [found, implied] = [new Set<string>(), new Set<string>()];
  for (const whole of containers.flatMap(textsOf)) {
    if (whole.length > longest) continue;
    const text = withoutNotConnected(whole);
    for (const [, long, port = '', short] of matchesIn(text)) if (found.size < most) found.add(short ?? `${long}${port}`);
    for (const [, scheme = '', host] of urlsIn(text)) if (implied.size < most) implied.add(`${host}:${schemePorts.get(scheme)}`);
  }
  // Most URLs of two labels lead out of the cluster: they are not to take the place of what says more.
  const hosts = [...found.union(implied)].slice(0, most);
  return hosts.length === 0 ? undefined : hosts.sort();
}

const matchesIn = (text: string): Iterable<RegExpExecArray> => (text.includes(':') || text.includes('.svc') ? text.matchAll(pattern) : []);

const urlsIn = (text: string): Iterable<RegExpExecArray> => (text.includes('://') ? text.matchAll(urlPattern) : []);

function textsOf(container: RawObject): readonly string[] {
  const variables = objectsAt(container, 'env').filter((one) => tellsOfHosts(stringAt(one, 'name') ?? ''));
  const values = variables.flatMap((one) => stringAt(one, 'value') ?? []);
  return [...values, ...wordsConnected([...stringsAt(container, 'command'), ...stringsAt(container, 'args')])];
}

const tellsOfHosts = (name: string): boolean => !secretName.test(name) && !isNotConnected(name);
