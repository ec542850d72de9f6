/**
 * An API server over a real socket that keeps one kind of objects in memory, with etcd's one counter of versions, and can
 * be told to do everything that servers and networks do wrong. It answers paged lists, watches and watch-lists as
 * kube-apiserver 1.36.3 does.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { RawObject } from '../../src/kube/resources.ts';

export interface FakeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: FakeObject;
  readonly version: number;
}

interface OpenWatch {
  readonly path: string;
  readonly response: ServerResponse;
}

/** What a request meets instead of an answer; `goOn`: it was only looked at, and is answered as ever. */
export type Fault = (response: ServerResponse) => unknown;
export const goOn = Symbol('go on');

interface Ambush {
  readonly fault: Fault;
  readonly when: (url: URL) => boolean;
  left: number;
}

const pathOf = ({ apiVersion, kind }: FakeObject): string =>
  `${apiVersion.includes('/') ? '/apis' : '/api'}/${apiVersion}/${kind.toLowerCase().replace(/y$/, 'ie').replace(/ss$/, 'sse')}s`;

const keyOf = ({ metadata }: FakeObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;

export class FakeApiServer {
  readonly requests: string[] = [];
  /** Bodies of reads in one namespace. */
  readonly served: string[] = [];
  /** Whether watch-lists are served; false: refused as a server without the gate does it. */
  watchLists = true;
  /** Bytes of one write; 0 for all at once. */
  chunkBytes = 0;
  /** Kinds that answer 404, and that answer 403, by path. */
  readonly absent = new Set<string>();
  readonly forbidden = new Set<string>();

  private readonly server = createServer((request, response) => this.answer(request, response));
  private readonly sockets = new Set<Socket>();
  private readonly ambushes: Ambush[] = [];
  private readonly watches = new Set<OpenWatch>();
  private objects = new Map<string, Map<string, FakeObject>>();
  private history: Change[] = [];
  private version = 100;
  private forgottenBefore = 0;
  private snapshots = new Map<string, readonly FakeObject[]>();

  async start(): Promise<void> {
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}`);
  }

  async stop(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get openWatches(): number {
    return this.watches.size;
  }

  get resourceVersion(): number {
    return this.version;
  }

  /** The state, as a list would tell it. */
  all(path: string): readonly FakeObject[] {
    return [...(this.objects.get(path)?.values() ?? [])].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  set(object: FakeObject): void {
    const kind = this.kindAt(pathOf(object));
    const type = kind.has(keyOf(object)) ? 'MODIFIED' : 'ADDED';
    const stored = this.stamped(object);
    kind.set(keyOf(object), stored);
    this.record({ type, object: stored, version: this.version });
  }

  delete(object: FakeObject): void {
    const kind = this.kindAt(pathOf(object));
    const stored = kind.get(keyOf(object));
    if (stored === undefined) return;
    kind.delete(keyOf(object));
    this.record({ type: 'DELETED', object: this.stamped(stored), version: this.version });
  }

  /** Versions up to now are no longer known: a watch or a page that asks for them gets 410. */
  compact(): void {
    this.forgottenBefore = this.version;
    this.history = [];
    this.snapshots.clear();
  }

  /** As after a restored etcd: these objects, and a version from the past. */
  restore(path: string, objects: readonly FakeObject[], version: number): void {
    this.version = version;
    this.forgottenBefore = 0;
    this.history = [];
    this.objects = new Map([[path, new Map(objects.map((object) => [keyOf(object), this.stamped(object)]))]]);
  }

  /** Writes a line, or a part of one, into all open watches. */
  emit(text: string): void {
    for (const { response } of this.watches) this.write(response, text);
  }

  bookmark(): void {
    for (const { path, response } of this.watches) this.write(response, `${this.bookmarkLine(path, false)}\n`);
  }

  /** Ends all watches as a server does when their time is over. */
  endWatches(): void {
    for (const { response } of this.watches) response.end();
    this.watches.clear();
  }

  /** Cuts all connections with a RST. */
  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
    this.watches.clear();
  }

  /** Open watches stay open and say nothing any more, as behind a firewall that forgot them. */
  silence(): void {
    this.watches.clear();
  }

  /** The next requests that fit meet this. */
  next(fault: Fault, { when = () => true, times = 1 }: { when?: (url: URL) => boolean; times?: number } = {}): void {
    this.ambushes.push({ fault, when, left: times });
  }

  private isAmbushed(response: ServerResponse, url: URL): boolean {
    const ambush = this.ambushes.find(({ left, when }) => left > 0 && when(url));
    if (ambush === undefined) return false;
    ambush.left--;
    return ambush.fault(response) !== goOn;
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    this.requests.push(`${url.pathname}${url.search}`);
    if (this.isAmbushed(response, url)) return;
    const { pathname: path, searchParams: query } = url;
    if (this.absent.has(path)) {
      refuse(response, 404, 'NotFound');
      return;
    }
    if (this.forbidden.has(path)) {
      refuse(response, 403, 'Forbidden');
      return;
    }
    const narrowed = /^(.*)\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? /^(\/api\/v1)()\/(namespaces)\/([^/]+)$/.exec(path);
    if (narrowed !== null) {
      this.read(request, response, query, narrowed);
      return;
    }
    if (query.get('watch') !== 'true') {
      this.list(response, path, query);
      return;
    }
    if (query.get('sendInitialEvents') === 'true' && !this.watchLists) {
      refuse(response, 422, 'Invalid');
      return;
    }
    this.watch(response, path, query);
  }

  /** One object, or those of one namespace that carry the labels asked for. */
  private read(
    request: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
    [, group, namespace, resource, name]: RegExpExecArray,
  ): void {
    const path = `${group}/${resource}`;
    if (this.forbidden.has(path)) {
      refuse(response, 403, 'Forbidden');
      return;
    }
    const isAskedFor = ({ metadata }: FakeObject): boolean => {
      const labels = (metadata['labels'] ?? {}) as Record<string, string>;
      const pairs = (query.get('labelSelector') ?? '')
        .split(',')
        .filter(Boolean)
        .map((pair) => pair.split('=') as [string, string]);
      return (
        (metadata.namespace ?? '') === namespace &&
        (name === undefined || metadata.name === name) &&
        pairs.every(([key, value]) => labels[key] === value)
      );
    };
    const found = this.all(path).filter(isAskedFor);
    if (name !== undefined && found.length === 0) {
      refuse(response, 404, 'NotFound');
      return;
    }
    if ((request.headers.accept ?? '').includes('as=Table') && query.get('includeObject') === 'None') {
      const rows = found.map(({ metadata }) => ({ cells: [metadata.name, 'Opaque', 1, '0s'], object: null }));
      this.served.push(JSON.stringify({ kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: {}, rows }));
      response.end(this.served.at(-1));
      return;
    }
    const { apiVersion = 'v1', kind = '' } = found[0] ?? {};
    const one = found[0];
    this.served.push(JSON.stringify(name === undefined ? found : one));
    response.end(JSON.stringify(name === undefined ? { apiVersion, kind: `${kind}List`, metadata: {}, items: found } : one));
  }

  private list(response: ServerResponse, path: string, query: URLSearchParams): void {
    const token = query.get('continue');
    const [version, from] = token === null ? [String(this.version), 0] : (JSON.parse(token) as [string, number]);
    if (token === null) this.snapshots.set(`${path}@${version}`, this.all(path));
    const whole = this.snapshots.get(`${path}@${version}`);
    if (whole === undefined) {
      refuse(response, 410, 'Expired');
      return;
    }
    const to = from + Number(query.get('limit') ?? whole.length);
    const metadata = { resourceVersion: version, ...(to < whole.length && { continue: JSON.stringify([version, to]) }) };
    const { apiVersion, kind } = whole[0] ?? { apiVersion: 'v1', kind: 'Pod' };
    const items = whole.slice(from, to).map(({ apiVersion: _, kind: __, ...item }) => item);
    this.write(response, JSON.stringify({ apiVersion, kind: `${kind}List`, metadata, items }));
    response.end();
  }

  private watch(response: ServerResponse, path: string, query: URLSearchParams): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (query.get('sendInitialEvents') === 'true') {
      for (const object of this.all(path)) this.write(response, `${JSON.stringify({ type: 'ADDED', object })}\n`);
      this.write(response, `${this.bookmarkLine(path, true)}\n`);
    } else {
      const from = Number(query.get('resourceVersion'));
      // A version from the future: kube-apiserver opens the watch and says nothing (reliability.md P27).
      if (from > this.version) return;
      if (from < this.forgottenBefore) {
        this.write(response, `${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired') })}\n`);
        response.end();
        return;
      }
      for (const change of this.history) if (change.version > from && pathOf(change.object) === path) this.write(response, lineOf(change));
    }
    const watch = { path, response };
    this.watches.add(watch);
    response.on('close', () => this.watches.delete(watch));
  }

  private bookmarkLine(path: string, endsList: boolean): string {
    const { apiVersion, kind } = this.all(path)[0] ?? { apiVersion: 'v1', kind: 'Pod' };
    const annotations = endsList ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const metadata = { resourceVersion: String(this.version), creationTimestamp: null, ...annotations };
    return JSON.stringify({ type: 'BOOKMARK', object: { apiVersion, kind, metadata } });
  }

  private record(change: Change): void {
    this.history.push(change);
    for (const { path, response } of this.watches) if (path === pathOf(change.object)) this.write(response, lineOf(change));
  }

  private stamped(object: FakeObject): FakeObject {
    this.version++;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } };
  }

  private kindAt(path: string): Map<string, FakeObject> {
    const kind = this.objects.get(path) ?? new Map<string, FakeObject>();
    this.objects.set(path, kind);
    return kind;
  }

  /** In pieces of `chunkBytes`, each flushed on its own. */
  private write(response: ServerResponse, text: string): void {
    const bytes = Buffer.from(text);
    const size = this.chunkBytes || bytes.length || 1;
    for (let from = 0; from < bytes.length; from += size) response.write(bytes.subarray(from, from + size));
  }
}

const lineOf = ({ type, object }: Change): string => `${JSON.stringify({ type, object })}\n`;

export const status = (code: number, reason: string): RawObject => ({
  apiVersion: 'v1',
  kind: 'Status',
  status: 'Failure',
  reason,
  code,
  message: `${reason} by the fake`,
});

export function refuse(response: ServerResponse, code: number, reason: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(status(code, reason)));
}
