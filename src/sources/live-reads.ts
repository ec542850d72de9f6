/** Reads while a review waits: Secrets by name, and once more, live, what a denial rests on (reliability.md E4). */

import { type KubeClient, KubeError } from '../client/kube-client.ts';
import type { ClusterSnapshot, Kindred } from '../cluster/snapshot.ts';
import type { Found } from '../cluster/view.ts';
import { eachOnce, type Wanted } from '../cluster/wanted.ts';
import { addressOf } from '../kube/address.ts';
import { isClusterWide } from '../kube/collections.ts';
import { normalize } from '../kube/normalize.ts';
import type { WorkloadKind } from '../kube/normalize-workload.ts';
import { isObjectName } from '../kube/object-name.ts';
import { objectAt, objectsAt, stringAt } from '../kube/read.ts';
import { type Collection, formatRef, type ObjectRef, type RawObject, type Resource } from '../kube/resources.ts';
import { type Call, callsFor } from './live-calls.ts';
import type { ReflectorState } from './reflector.ts';
import { withContent } from './secret-content.ts';
import { readSecretName } from './secret-names.ts';
import type { ClusterSource } from './source.ts';
import type { WatchedKind } from './watched.ts';

export type SecretsLevel = 'off' | 'existence' | 'full';

/** A kind as its reflector knows it. */
export interface ServedKind {
  readonly kind: WatchedKind;
  /** Where all of its objects are listed, in the version that is served. */
  address(): string;
  state(): ReflectorState;
}

export interface LiveReadsOptions {
  readonly client: Pick<KubeClient, 'get'>;
  /** As the configuration has it now. */
  secretsLevel(): SecretsLevel;
  readonly workloads: readonly WorkloadKind[];
  readonly served: readonly ServedKind[];
  current(): ClusterSnapshot;
}

/** Side by side for one review. */
const mostCalls = 10;
const pageSize = 500;

export function liveReads(options: LiveReadsOptions): Pick<ClusterSource, 'readByName' | 'confirm'> {
  return {
    readByName: (refs, signal) => readByName(options, refs, signal),
    confirm: async (reads, signal) => {
      try {
        const calls = callsFor(reads, options.served);
        // Each kind of workload that the configuration adds is one more call in every look at a namespace's Pods.
        if (calls === undefined || calls.length > mostCalls + options.workloads.length) return undefined;
        const found = await Promise.all(calls.map((call) => perform(options, call, signal)));
        return confirmed(options.current(), calls, found.flat());
      } catch {
        return undefined; // a look that failed in part says nothing: the denial becomes a warning
      }
    },
  };
}

async function readByName(options: LiveReadsOptions, refs: readonly Wanted[], signal: AbortSignal) {
  // In the order of the question, whichever answer comes first.
  const answers = new Map<string, Found>(refs.map((ref) => [formatRef(ref), 'unknown']));
  const queue = eachOnce(refs).map((ref) => [formatRef(ref), ref] as const);
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) answers.set(next[0], await read(options, next[1], signal));
  };
  await Promise.all(Array.from({ length: mostCalls }, work));
  return answers;
}

const meanings: ReadonlyMap<number, Found> = new Map([
  [404, 'absent'],
  [401, 'unknown'],
  [403, 'unknown'],
]);

/** Only a 404 says that something is not there: all else that goes wrong says nothing. */
async function read(options: LiveReadsOptions, ref: Wanted, signal: AbortSignal): Promise<Found> {
  const address = addressFor(options, ref);
  if (address === undefined) return 'unknown';
  if (!isObjectName(ref.name) || (ref.namespace !== '' && !isObjectName(ref.namespace))) return 'absent';
  try {
    const isWhole = ref.content === true && options.secretsLevel() === 'full';
    if (ref.kind === 'Secret' && !isWhole) return await readSecretName(options.client, ref, signal);
    const raw = { ...(await options.client.get(address, signal)), apiVersion: ref.apiVersion, kind: ref.kind };
    return withContent(normalize(raw, options), raw) ?? 'absent';
  } catch (cause) {
    return (cause instanceof KubeError && meanings.get(cause.status)) || 'unanswered';
  }
}

function addressFor({ secretsLevel, served }: LiveReadsOptions, { apiVersion, kind, namespace, name }: ObjectRef): string | undefined {
  if (apiVersion === 'v1' && kind === 'Secret') return secretsLevel() === 'off' ? undefined : addressOf('v1', 'secrets', namespace, name);
  const known = served.find((one) => one.kind.kind === kind && one.kind.apiVersions.includes(apiVersion));
  return known && addressOf(apiVersion, known.kind.resource, namespace, name);
}

/** What one call finds: one object or none, or all pages of a list. */
async function perform(options: LiveReadsOptions, call: Call, signal: AbortSignal): Promise<readonly Resource[]> {
  if (call.name !== undefined) {
    const found = await options.client.get(call.path, signal).catch(absentOrThrow);
    return resources(found === undefined ? [] : [found], call.kind, options);
  }
  const items: Resource[] = [];
  let next = '';
  do {
    const query = `limit=${pageSize}${call.query}${next && `&continue=${encodeURIComponent(next)}`}`;
    const page = await options.client.get(`${call.path}?${query}`, signal);
    items.push(...resources(objectsAt(page, 'items'), call.kind, options));
    next = stringAt(objectAt(page, 'metadata'), 'continue') ?? '';
  } while (next !== '');
  return items;
}

function absentOrThrow(cause: unknown): undefined {
  if (cause instanceof KubeError && cause.status === 404) return undefined;
  throw cause;
}

const resources = (items: readonly RawObject[], { apiVersion, kind }: Kindred, { workloads }: LiveReadsOptions): readonly Resource[] =>
  items.flatMap((item) => normalize({ ...item, apiVersion, kind }, { workloads }) ?? []);

/**
 * The state with what was read in place of what was there. First all that was asked for is taken out, then all that was
 * found is put in: an object that changed between two calls is rather there than not, since absence is what denies.
 */
function confirmed(current: ClusterSnapshot, calls: readonly Call[], found: readonly Resource[]): ClusterSnapshot {
  const emptied = calls.reduce((snapshot, call) => call.clear(snapshot), current);
  const isWhole = (collection: Collection, namespace: string): boolean =>
    calls.some(
      (call) => call.isWhole && call.kind.collection === collection && (call.namespace === namespace || isClusterWide(collection)),
    );
  const read = new Set(calls.map(({ kind }) => kind.collection));
  return emptied.with(found).knowing({
    coverage: (collection, namespace) => (isWhole(collection, namespace) ? 'complete' : current.coverage(collection, namespace)),
    staleMs: (collection) => (read.has(collection) ? 0 : current.staleMs(collection)),
  });
}
