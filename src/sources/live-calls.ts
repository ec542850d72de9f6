/** What must be read again → as few calls as can be. */
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Read } from '../cluster/view.ts';
import { addressOf } from '../kube/address.ts';
import { isClusterWide } from '../kube/collections.ts';
import { formatLabels } from '../kube/labels.ts';
import { isObjectName } from '../kube/object-name.ts';
import type { Resource } from '../kube/resources.ts';
import type { ServedKind } from './live-reads.ts';
import type { WatchedKind } from './watched.ts';

export interface Call {
  readonly kind: WatchedKind;
  /** Empty for what has none. */
  readonly namespace: string;
  /** Of one object; undefined for a list. */
  readonly name?: string;
  readonly path: string;
  /** Whether it reads all objects of the kind in the namespace. */
  readonly isWhole: boolean;
  /** More of the address, `&labelSelector=…`; empty for a whole list. */
  readonly query: string;
  /** Takes out of a snapshot what this call reads. */
  clear(snapshot: ClusterSnapshot): ClusterSnapshot;
}

/** Undefined if it cannot be done: something of all namespaces, or of a kind that may not be read. */
export function callsFor(reads: readonly Read[], served: readonly ServedKind[]): readonly Call[] | undefined {
  const wanted = reads.filter(({ collection }) => collection !== 'Secret').map(wholeIfShort); // read by name for this review: they confirm themselves
  const calls = new Map<string, Call>();
  for (const read of wanted.filter((one) => !wanted.some((other) => covers(other, one)))) {
    if (!isReadable(read)) return undefined;
    for (const { kind, address, state } of served) {
      if (kind.collection !== read.collection || state() === 'notServed') continue;
      if (state() === 'forbidden') return undefined;
      const call = callOf(read, kind, address());
      calls.set(`${call.path}?${call.query}`, call);
    }
  }
  return [...calls.values()];
}

const wholeIfShort = (read: Read): Read => (isClusterWide(read.collection) ? { ...read, namespace: '' } : read);

/** Whether one read brings all that the other asks for, and more. */
const covers = (whole: Read, part: Read): boolean =>
  whole.collection === part.collection && whole.namespace === part.namespace && isWhole(whole) && !isWhole(part);

/** Labels narrow the list of Pods alone: templates are matched by what they make, which no API selector does. */
const isWhole = ({ collection, name, selector }: Read): boolean =>
  name === undefined && (collection !== 'Pod' || selector === undefined || Object.keys(selector).length === 0);

function isReadable({ collection, namespace, name }: Read): boolean {
  if (name !== undefined && !isObjectName(name)) return false;
  return isClusterWide(collection) ? namespace === '' : isObjectName(namespace);
}

function callOf(read: Read, kind: WatchedKind, address: string): Call {
  const { namespace, name } = read;
  const apiVersion = address.slice(address.indexOf('/', 1) + 1, address.lastIndexOf('/'));
  const path = addressOf(apiVersion, kind.resource, namespace, name);
  const call = { kind, namespace, path, isWhole: isWhole(read), query: '' };
  if (name !== undefined) return { ...call, name, clear: (snapshot) => snapshot.without([objectNamed(kind, namespace, name)]) };
  if (call.isWhole || read.selector === undefined) return { ...call, clear: (snapshot) => snapshot.clearing(kind, namespace) };
  const { selector } = read;
  const query = `&labelSelector=${encodeURIComponent(formatLabels(selector))}`;
  return { ...call, query, clear: (snapshot) => snapshot.clearing(kind, namespace, selector) };
}

const objectNamed = ({ apiVersion, kind }: WatchedKind, namespace: string, name: string): Resource =>
  ({ apiVersion, kind, metadata: { namespace, name, labels: {}, annotations: {} } }) as unknown as Resource;
