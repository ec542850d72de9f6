/** What the sinks need of an API server, in memory: reports by server-side apply, Events, and whatever goes wrong. */
import { type KubeClient, KubeError, TooLargeError } from '../../src/client/kube-client.ts';
import { objectAt, stringAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';

type Call = `${string} ${string}`;

export class FakeCluster implements Pick<KubeClient, 'get' | 'send'> {
  /** Every call, as `PATCH /apis/…`, without its query. */
  readonly calls: Call[] = [];
  readonly served = new Set(['openreports.io/v1alpha1']);
  readonly objects = new Map<string, RawObject>();
  /** What a call meets instead of its answer; undefined: nothing. */
  fault: (call: Call) => Error | undefined = () => undefined;
  /** A write that is sent waits for this. */
  gate: Promise<void> = Promise.resolve();
  pageSize = 2;
  /** The longest answer that was read, in bytes. */
  largest = 0;
  private version = 0;

  /** Without reads, and patches that change nothing. */
  get writes(): readonly string[] {
    return this.calls.filter((call) => !call.startsWith('GET') && !call.startsWith('LOOK'));
  }

  under(resource: string): readonly RawObject[] {
    return [...this.objects].filter(([path]) => path.includes(`/${resource}/`)).map(([, object]) => object);
  }

  /** As somebody else writes it. */
  edit(path: string, changes: RawObject): void {
    this.store(path, { ...this.objects.get(path), ...changes });
  }

  get: KubeClient['get'] = async (path, signal, accept = '', mostBytes = Number.POSITIVE_INFINITY) => {
    const url = new URL(path, 'http://fake');
    this.note(`GET ${url.pathname}`, signal);
    const answer = this.answer(url);
    const { items } = answer;
    const isOfMetadata = accept.includes('PartialObjectMetadata');
    const asked = isOfMetadata && Array.isArray(items) ? { ...answer, items: items.map(({ metadata }) => ({ metadata })) } : answer;
    const bytes = JSON.stringify(asked).length;
    if (bytes > mostBytes) throw new TooLargeError(path, mostBytes);
    this.largest = Math.max(this.largest, bytes);
    return asked;
  };

  private answer(url: URL): RawObject {
    const [, , group, version] = url.pathname.split('/');
    if (group !== 'events.k8s.io' && !this.served.has(`${group}/${version}`)) throw new KubeError(404, 'NotFound', 'not served');
    if (url.pathname.split('/').length === 4)
      return { resources: ['reports', 'clusterreports', 'policyreports', 'clusterpolicyreports'].map((name) => ({ name })) };
    const one = this.objects.get(url.pathname);
    if (one === undefined && url.pathname.split('/').length > 5) throw new KubeError(404, 'NotFound', 'no such object');
    return one ?? this.list(url);
  }

  /** As in an API server, the objects of all namespaces, and their group alone tells them apart. */
  private list(url: URL): RawObject {
    const [, , group, , resource] = url.pathname.split('/');
    const all = [...this.objects]
      .filter(([path]) => path.startsWith(`/apis/${group}/`) && path.includes(`/${resource}/`))
      .map(([, object]) => object);
    const from = Number(url.searchParams.get('continue') ?? 0);
    const to = from + Math.min(this.pageSize, Number(url.searchParams.get('limit') ?? this.pageSize));
    return { metadata: to < all.length ? { continue: String(to) } : {}, items: all.slice(from, to) };
  }

  send: KubeClient['send'] = async (method, path, body, signal) => {
    const { pathname } = new URL(path, 'http://fake');
    this.note(`${Object.keys(body).length === 0 ? 'LOOK' : method} ${pathname}`, signal);
    await this.gate;
    signal.throwIfAborted();
    if (method === 'DELETE') return this.remove(pathname, body);
    if (method === 'POST') return this.create(`${pathname}/${stringAt(objectAt(body, 'metadata'), 'name')}`, body);
    return pathname.includes('/events/') ? this.merge(pathname, body) : this.store(pathname, body);
  };

  private note(call: Call, signal: AbortSignal): void {
    signal.throwIfAborted();
    this.calls.push(call);
    const fault = this.fault(call);
    if (fault !== undefined) throw fault;
  }

  private create(path: string, body: RawObject): RawObject {
    if (this.objects.has(path)) throw new KubeError(409, 'AlreadyExists', 'exists');
    return this.store(path, body);
  }

  private merge(path: string, body: RawObject): RawObject {
    const known = this.objects.get(path);
    if (known === undefined) throw new KubeError(404, 'NotFound', 'no such Event');
    return Object.keys(body).length === 0 ? known : this.store(path, { ...known, ...body });
  }

  private store(path: string, body: RawObject): RawObject {
    const known = objectAt(this.objects.get(path) ?? {}, 'metadata');
    const metadata = { uid: `uid-${path}`, ...known, ...objectAt(body, 'metadata'), resourceVersion: String(++this.version) };
    const stored = { ...body, metadata };
    this.objects.set(path, stored);
    return stored;
  }

  private remove(path: string, options: RawObject): RawObject {
    const known = this.objects.get(path);
    if (known === undefined) throw new KubeError(404, 'NotFound', 'gone');
    const { resourceVersion, uid } = objectAt(options, 'preconditions');
    if (uid !== undefined && uid !== objectAt(known, 'metadata')['uid']) throw new KubeError(409, 'Conflict', 'another object');
    if (resourceVersion !== undefined && resourceVersion !== objectAt(known, 'metadata')['resourceVersion'])
      throw new KubeError(409, 'Conflict', 'another version');
    this.objects.delete(path);
    return known;
  }
}
