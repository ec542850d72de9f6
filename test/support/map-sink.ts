import { objectAt, stringAt } from '../../src/kube/read.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import type { ReflectorSink } from '../../src/sources/reflector.ts';

const keyOf = (object: RawObject): string => {
  const metadata = objectAt(object, 'metadata');
  return `${stringAt(metadata, 'namespace') ?? ''}/${stringAt(metadata, 'name') ?? ''}`;
};

/** What a reflector tells, as a plain map; `sizes` is how many objects were visible after each change. */
export class MapSink implements ReflectorSink {
  objects = new Map<string, RawObject>();
  readonly sizes: number[] = [];
  commits = 0;
  private staged = new Map<string, RawObject>();

  begin(): void {
    this.staged = new Map();
  }
  stage(object: RawObject): void {
    this.staged.set(keyOf(object), object);
  }
  unstage(object: RawObject): void {
    this.staged.delete(keyOf(object));
  }
  commit(): void {
    this.commits++;
    this.objects = this.staged;
    this.sizes.push(this.objects.size);
  }
  set(object: RawObject): void {
    this.objects.set(keyOf(object), object);
    this.sizes.push(this.objects.size);
  }
  remove(object: RawObject): void {
    this.objects.delete(keyOf(object));
    this.sizes.push(this.objects.size);
  }
  clear(): void {
    this.objects = new Map();
  }

  /** In order of key. */
  all(): readonly RawObject[] {
    return [...this.objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }
}
