/** How people name the two ends of a connection: `shop/web`, `deployment/web`, `shop/web:http/UDP`, `203.0.113.7`. */
import { nearestWord } from '../cluster/near-miss.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { PortOfPod } from '../cluster/traffic/flow.ts';
import { OperatorError } from '../errors.ts';
import { isAddress } from '../kube/cidr.ts';
import { quoted } from '../kube/display.ts';
import { listed } from '../kube/listed.ts';
import type { Protocol, Workload } from '../kube/resources.ts';
import { type FlowMember, membersOf } from '../picture/flow-sets.ts';

export interface NamedEnd {
  /** An address that is no Pod's, or a workload. */
  readonly address?: string;
  readonly namespace: string;
  /** In small letters, as kubectl takes it; undefined for any. */
  readonly kind?: string;
  readonly name: string;
  /** A number, or the name of a container's port. */
  readonly port?: string;
  readonly protocol: Protocol;
}

/** Short names, as kubectl knows them; else the kind itself, in small letters, and in the plural. */
const shortNames: ReadonlyMap<string, string> = new Map([
  ['deploy', 'deployment'],
  ['ds', 'daemonset'],
  ['sts', 'statefulset'],
  ['rs', 'replicaset'],
  ['rc', 'replicationcontroller'],
  ['po', 'pod'],
  ['cj', 'cronjob'],
]);
const kinds = new Set(['deployment', 'daemonset', 'statefulset', 'replicaset', 'replicationcontroller', 'pod', 'cronjob', 'job']);

const howTo = 'Write NAMESPACE/NAME, KIND/NAME or NAMESPACE/KIND/NAME, or an address; and of the second :PORT, or :PORT/UDP.';

/** Throws an OperatorError PC0001 for what names no end. */
export function namedEnd(text: string, namespace: string): NamedEnd {
  const { place, port, protocol } = dividedAt(text);
  const more = { protocol, ...(port !== undefined && { port }) };
  if (isAddress(place)) return { address: place, namespace: '', name: place, ...more };
  const parts = place.split('/');
  if (parts.length > 3 || parts.includes('')) throw unusable(text);
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 3) return { namespace: first, kind: kindOf(second) ?? second.toLowerCase(), name: third, ...more };
  if (parts.length === 1) return { namespace, name: first, ...more };
  const kind = kindOf(first);
  return kind === undefined ? { namespace: first, name: second, ...more } : { namespace, kind, name: second, ...more };
}

const unusable = (text: string): OperatorError => new OperatorError('PC0001', `${quoted(text)} names no end of a connection`, howTo);

function kindOf(word: string): string | undefined {
  const small = word.toLowerCase();
  const kind = shortNames.get(small) ?? small.replace(/s$/, '');
  return kinds.has(kind) ? kind : kinds.has(small) ? small : undefined;
}

/** At the colon before the port: addresses of version 6 stand in brackets, or have no port. */
function dividedAt(text: string): { readonly place: string; readonly port?: string; readonly protocol: Protocol } {
  if (isAddress(text)) return { place: text, protocol: 'TCP' };
  const [, bracketed, plain, port, word = 'TCP'] = /^(?:\[([^\]]*)\]|([^:]*))(?::([^/:]+)(?:\/(\w+))?)?$/.exec(text) ?? [];
  const place = bracketed ?? plain;
  const protocol = (['TCP', 'UDP', 'SCTP'] as const).find((one) => one === word.toUpperCase());
  if (place === undefined || place === '' || protocol === undefined) throw unusable(text);
  return { place, protocol, ...(port !== undefined && { port }) };
}

/** Throws an OperatorError PC0001 where no workload, or more than one, is called so. */
export function memberOf(snapshot: ClusterSnapshot, { namespace, kind, name }: NamedEnd): FlowMember {
  const members = membersOf(snapshot, namespace);
  const called = members.filter(({ ref }) => ref.name === name && (kind === undefined || ref.kind.toLowerCase() === kind));
  const byPod = ({ workloads }: FlowMember): boolean => workloads.some((workload) => isPodNamed(snapshot, workload, name));
  const found = called.length > 0 || (kind ?? 'pod') !== 'pod' ? called : members.filter(byPod);
  const [one, ...others] = found;
  if (one !== undefined && others.length === 0) return one;
  if (one !== undefined)
    throw new OperatorError(
      'PC0001',
      `several workloads of namespace ${namespace} are called ${name}`,
      `Name the kind: ${listed(found.map((each) => each.name))}.`,
    );
  throw missing(snapshot, { namespace, name, kind }, members);
}

const isPodNamed = (snapshot: ClusterSnapshot, workload: Workload, name: string): boolean =>
  workload.metadata.name === name || (workload.kind === 'Pod' && snapshot.pods(workload).names(Number.POSITIVE_INFINITY).includes(name));

function missing(
  snapshot: ClusterSnapshot,
  { namespace, name, kind }: { readonly namespace: string; readonly name: string; readonly kind: string | undefined },
  members: readonly FlowMember[],
): OperatorError {
  const unread = snapshot.coverage('Template', namespace) === 'forbidden' ? ', or it may not be listed' : '';
  const nearest = nearestWord(
    name,
    members.map(({ ref }) => ref.name),
  );
  const isService = snapshot.get('Service', namespace, name) !== undefined;
  const hint = isService
    ? 'It is a Service: policies are about the Pods behind it, so name the workload and the port of its Pods.'
    : nearest === undefined
      ? howTo
      : `Did you mean ${nearest}?`;
  return new OperatorError('PC0001', `there is no ${kind ?? 'workload'} ${quoted(name)} in namespace ${quoted(namespace)}${unread}`, hint);
}

/** Throws an OperatorError PC0001 where no port is named, or none is called so. */
export function portIn({ port, protocol }: NamedEnd, shapes: readonly Workload[]): PortOfPod {
  const declared = shapes.flatMap(({ pod }) => pod.ports);
  if (port === undefined) {
    const told = declared.map(({ containerPort, protocol: its }) => `:${containerPort}${its === 'TCP' ? '' : `/${its}`}`);
    throw new OperatorError(
      'PC0001',
      'no port is named',
      told.length === 0 ? howTo : `It declares ${listed([...new Set(told)])}: put one behind the second name.`,
    );
  }
  const number = Number(port);
  if (/^\d{1,5}$/.test(port) && number >= 1 && number <= 65_535) return { port: number, protocol };
  const found = declared.find((one) => one.name === port && one.protocol === protocol);
  if (found !== undefined) return { port: found.containerPort, protocol };
  const names = declared.flatMap(({ name, protocol: its }) => (name === undefined || its !== protocol ? [] : [name]));
  throw new OperatorError(
    'PC0001',
    `no container has a ${protocol} port ${quoted(port)}`,
    names.length === 0 ? 'Use a number from 1 to 65535.' : `There is ${listed([...new Set(names)])}.`,
  );
}
