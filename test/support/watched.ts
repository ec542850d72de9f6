/** Counts what is read of objects, where a clock would tell of the machine. */
import { RecordingView } from '../../src/cluster/recording.ts';

/** The same object, counting how often something of it is read. */
export function watched<T extends object>(value: T, onRead: () => void, seen = new WeakMap<object, object>()): T {
  const known = seen.get(value) as T | undefined;
  if (known !== undefined) return known;
  const proxy = new Proxy(value, {
    get(target, key, receiver) {
      onRead();
      const found: unknown = Reflect.get(target, key, receiver);
      // What is frozen is shared by all, and empty; of it a proxy may hand out nothing else.
      return typeof found === 'object' && found !== null && !Object.isFrozen(found) ? watched(found, onRead, seen) : found;
    },
  });
  seen.set(value, proxy);
  return proxy;
}

/** Counts the steps of a rule's loops as well: those over what it has copied from objects read nothing of them. */
export class SteppingView extends RecordingView {
  taken = 0;

  override step(): void {
    this.taken++;
    super.step();
  }
}
