/**
 * Objects of an API server in memory, for tests that decide themselves when each call is answered and how: versions,
 * preconditions and strategic merges as kube-apiserver 1.36.3 answers them, no sockets.
 */
import { type KubeClient, KubeError, strategicMerge } from '../../src/client/kube-client.ts';
import { objectAt, objectsAt, stringAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';

export type Calls = Pick<KubeClient, 'get' | 'send'>;

export interface Call {
  readonly method: string;
  readonly path: string;
}

/** Stands between a client and the objects: it may wait, throw, perform twice, or tell of another time. */
export type Way = (call: Call, perform: () => RawObject, stale: () => RawObject) => Promise<RawObject>;

export class FakeObjects {
  private readonly objects = new Map<string, RawObject>();
  private readonly before = new Map<string, RawObject>();
  /** Of the last change of anything. */
  version = 100;

  /** Creates or replaces an object, as somebody else who asks nobody. */
  set(path: string, object: RawObject): void {
    const { uid = `uid-${this.version}` } = objectAt(this.objects.get(path) ?? {}, 'metadata');
    this.store(path, { ...object, metadata: { ...objectAt(object, 'metadata'), uid } });
  }

  delete(path: string): void {
    this.version += 1;
    this.objects.delete(path);
  }

  get(path: string): RawObject | undefined {
    return this.objects.get(path);
  }

  client(way: Way = async (_, perform) => perform()): Calls {
    return {
      get: (path) =>
        way(
          { method: 'GET', path },
          () => this.present(path),
          () => this.before.get(path) ?? this.present(path),
        ),
      send: (method, path, body, _signal, contentType) => {
        const perform = (): RawObject => this.write(path.split('?', 1)[0] ?? '', body, contentType);
        return way({ method, path }, perform, perform);
      },
    };
  }

  private write(path: string, body: RawObject, contentType: string | undefined): RawObject {
    const old = this.present(path);
    const [was, wanted] = [objectAt(old, 'metadata'), objectAt(body, 'metadata')];
    for (const key of ['resourceVersion', 'uid'])
      if (stringAt(wanted, key) !== stringAt(was, key)) throw new KubeError(409, 'Conflict', 'the object has been modified');
    const next = contentType === strategicMerge ? merged(old, body) : body;
    if (JSON.stringify(next) === JSON.stringify(old)) return old;
    return this.store(path, next);
  }

  private store(path: string, object: RawObject): RawObject {
    const old = this.objects.get(path);
    if (old !== undefined) this.before.set(path, old);
    this.version += 1;
    const stored = JSON.parse(
      JSON.stringify({ ...object, metadata: { ...objectAt(object, 'metadata'), resourceVersion: String(this.version) } }),
    );
    this.objects.set(path, stored);
    return structuredClone(stored);
  }

  private present(path: string): RawObject {
    const object = this.objects.get(path);
    if (object === undefined) throw new KubeError(404, 'NotFound', `${path} not found`);
    return structuredClone(object);
  }
}

/** Entries of `webhooks` by their names, of each the client configuration. */
function merged(old: RawObject, body: RawObject): RawObject {
  const changes = new Map(objectsAt(body, 'webhooks').map((entry) => [entry['name'], objectAt(entry, 'clientConfig')]));
  return {
    ...old,
    webhooks: objectsAt(old, 'webhooks').map((entry) => ({
      ...entry,
      clientConfig: { ...objectAt(entry, 'clientConfig'), ...changes.get(entry['name']) },
    })),
  };
}
