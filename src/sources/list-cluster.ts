/**
 * A cluster read once, for a command: each kind listed to its end, with the rights of whoever asks. Unlike the webhook, a
 * person may have rights in some namespaces only, and needs none to watch.
 */
import { type Clock, sleep, systemClock } from '../client/clock.ts';
import { type KubeClient, KubeError } from '../client/kube-client.ts';
import { isLack, type Reach, type Reaches, together } from '../cluster/reach.ts';
import { OperatorError } from '../errors.ts';
import { addressOf } from '../kube/address.ts';
import { groupOf, normalize } from '../kube/normalize.ts';
import type { WorkloadKind } from '../kube/normalize-workload.ts';
import { objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { Collection, RawObject, Resource } from '../kube/resources.ts';
import { type WatchedKind, watchedKinds } from './watched.ts';

export interface ListOptions {
  readonly client: Pick<KubeClient, 'get'>;
  /** Kinds with a Pod template beside the built-in ones. */
  readonly workloads: readonly WorkloadKind[];
  /** What may not be listed everywhere is listed in these. */
  readonly namespaces: readonly string[];
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** Hears at the start and after each page how many objects have been read, and which kinds are still missing. */
  readonly onProgress?: (objects: number, missing: readonly string[]) => void;
}

export interface ListedCluster {
  readonly resources: readonly Resource[];
  readonly reaches: Reaches;
}

/** Rejects with an OperatorError PC0010 if the API server does not answer, or knows nobody of our name. */
export async function listCluster(options: ListOptions): Promise<ListedCluster> {
  const kinds = watchedKinds(options.workloads);
  const missing = new Set(kinds.map(({ resource }) => resource));
  let objects = 0;
  const onPage = (count: number): void => {
    objects += count;
    options.onProgress?.(objects, [...missing]);
  };
  onPage(0);
  const listed = await Promise.all(
    kinds.map(async (kind) => {
      const one = await new KindLister(kind, options, onPage).list();
      missing.delete(kind.resource);
      onPage(0);
      return { resources: one.resources, collection: kind.collection, reach: named(kind, one.reach) };
    }),
  );
  const reaches = new Map<Collection, Reach>();
  for (const { collection, reach } of listed) {
    const before = reaches.get(collection);
    reaches.set(collection, before === undefined ? reach : together(before, reach));
  }
  return { resources: listed.flatMap(({ resources }) => resources), reaches };
}

/** Only templates are of several kinds. */
function named({ collection, resource, apiVersion }: WatchedKind, reach: Reach): Reach {
  if (collection !== 'Template' || !isLack(reach.everywhere)) return reach;
  return { ...reach, parts: new Map([[[resource, groupOf(apiVersion)].filter((part) => part !== '').join('.'), reach]]) };
}

interface ListedKind {
  readonly resources: readonly Resource[];
  readonly reach: Reach;
}

/** Why there is no list, as coverage says it. */
type Refusal = 'forbidden' | 'notServed' | 'unsynced';

const refusals: ReadonlyMap<number, Refusal> = new Map([
  [403, 'forbidden'],
  [404, 'notServed'],
]);

const pageSize = 500;
/** Of one page; a healthy server needs much less for 500 objects. */
const pageMs = 30_000;
const tries = 3;
/** Before the second try, and twice that before the third. */
const waitMs = 300;

class KindLister {
  private readonly kind: WatchedKind;
  private readonly options: ListOptions;
  private readonly onPage: (count: number) => void;
  private apiVersion: string;

  constructor(kind: WatchedKind, options: ListOptions, onPage: (count: number) => void) {
    this.kind = kind;
    this.options = options;
    this.onPage = onPage;
    this.apiVersion = kind.apiVersion;
  }

  async list(): Promise<ListedKind> {
    const everywhere = await this.inSomeVersion();
    if (everywhere !== 'forbidden') return this.listed(everywhere);
    if (!(await this.isServed())) return this.listed('notServed');
    return this.kind.collection === 'Namespace' ? this.named() : this.inNamespaces();
  }

  private listed(found: readonly Resource[] | Exclude<Refusal, 'forbidden'>): ListedKind {
    const whole = typeof found === 'string' ? { resources: [], everywhere: found } : { resources: found, everywhere: 'complete' as const };
    return { resources: whole.resources, reach: { everywhere: whole.everywhere, namespaces: new Map() } };
  }

  private async inSomeVersion(): Promise<readonly Resource[] | Refusal> {
    for (const version of this.kind.apiVersions) {
      this.apiVersion = version;
      const found = await this.at(addressOf(version, this.kind.resource));
      if (found !== 'notServed') return found;
    }
    return 'notServed';
  }

  /** Whoever may not list a kind is refused whether there is such a kind or not; what groups there are, everybody may know. */
  private async isServed(): Promise<boolean> {
    const group = groupOf(this.apiVersion);
    if (!this.kind.isForeign || group === '') return true;
    try {
      await this.get(`/apis/${group}`);
      return true;
    } catch (cause) {
      return !(cause instanceof KubeError && cause.status === 404);
    }
  }

  private async inNamespaces(): Promise<ListedKind> {
    const namespaces = new Map<string, 'complete' | 'unsynced'>();
    const resources: Resource[] = [];
    for (const namespace of this.options.namespaces) {
      const found = await this.at(addressOf(this.apiVersion, this.kind.resource, namespace));
      if (found === 'forbidden' || found === 'notServed') continue;
      namespaces.set(namespace, found === 'unsynced' ? 'unsynced' : 'complete');
      if (found !== 'unsynced') resources.push(...found);
    }
    return { resources, reach: { everywhere: 'forbidden', namespaces } };
  }

  /** Namespaces one by one: their labels decide what is denied there. */
  private async named(): Promise<ListedKind> {
    const found = await Promise.all(
      this.options.namespaces.map((name) =>
        this.get(addressOf(this.apiVersion, this.kind.resource, '', name)).then((raw) => this.resourcesOf([raw]), orNothing),
      ),
    );
    return { resources: found.flat(), reach: { everywhere: 'forbidden', namespaces: new Map() } };
  }

  /** All that a list holds, or why it cannot be had. */
  private async at(address: string): Promise<readonly Resource[] | Refusal> {
    const { signal, clock = systemClock } = this.options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.pages(address);
      } catch (cause) {
        signal.throwIfAborted();
        if (attempt === tries || !isPassing(cause)) return this.refusal(address, cause);
        await sleep(clock, attempt * waitMs, signal);
        signal.throwIfAborted();
      }
    }
  }

  /** A kind of somebody else's that is broken leaves the rest as it is. */
  private refusal(address: string, cause: unknown): Refusal {
    const refused = cause instanceof KubeError ? refusals.get(cause.status) : undefined;
    if (refused !== undefined) return refused;
    if (this.kind.isForeign && cause instanceof KubeError) return 'unsynced';
    throw cannotBeRead(address, cause);
  }

  private async pages(address: string): Promise<readonly Resource[]> {
    const resources: Resource[] = [];
    let next = '';
    do {
      const page = await this.get(`${address}?limit=${pageSize}${next && `&continue=${encodeURIComponent(next)}`}`);
      const items = objectsAt(page, 'items');
      resources.push(...this.resourcesOf(items));
      this.onPage(items.length);
      next = stringAt(objectAt(page, 'metadata'), 'continue') ?? '';
    } while (next !== '');
    return resources;
  }

  private get(path: string): Promise<RawObject> {
    const { client, signal } = this.options;
    return client.get(path, AbortSignal.any([signal, AbortSignal.timeout(pageMs)]));
  }

  private resourcesOf(items: readonly RawObject[]): readonly Resource[] {
    const { workloads } = this.options;
    return items.flatMap((item) => normalize({ ...item, apiVersion: this.apiVersion, kind: this.kind.kind }, { workloads }) ?? []);
  }
}

/** The server may answer the next time: it is busy, or has forgotten where the list went on (410). */
const isPassing = (cause: unknown): boolean =>
  cause instanceof KubeError ? [410, 429].includes(cause.status) || cause.status >= 500 : !(cause instanceof OperatorError);

function orNothing(cause: unknown): readonly Resource[] {
  if (cause instanceof KubeError) return [];
  throw cause;
}

/** What the API server does not answer, or answers with an error, as the person at the terminal has to know it. */
export function cannotBeRead(path: string, cause: unknown): OperatorError {
  if (cause instanceof OperatorError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new OperatorError('PC0010', `${path} cannot be read: ${why}`, hint, { cause });
}

const hint = 'Check that `kubectl get services -A` answers with the same --kubeconfig and --context.';
