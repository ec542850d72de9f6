/** Reads of a cluster that may each fail on their own: what came of one is a fact too. */
import { type KubeClient, KubeError } from '../client/kube-client.ts';
import type { Seen } from '../doctor/facts.ts';
import { OperatorError } from '../errors.ts';
import { objectAt, objectsAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';

/** Each call may take so long: doctor is for clusters in which something hangs. */
const callMs = 5_000;
const pageSize = 500;
const mostPages = 40;

export class Eyes {
  private readonly client: KubeClient;

  constructor(client: KubeClient) {
    this.client = client;
  }

  one(path: string): Promise<Seen<RawObject>> {
    return seen(() => this.client.get(path, AbortSignal.timeout(callMs)));
  }

  list(path: string): Promise<Seen<readonly RawObject[]>> {
    return seen(async () => {
      const items: RawObject[] = [];
      let next = '';
      for (let page = 0; page < mostPages; page++) {
        const got = await this.client.get(
          `${path}?limit=${pageSize}${next && `&continue=${encodeURIComponent(next)}`}`,
          AbortSignal.timeout(callMs),
        );
        items.push(...objectsAt(got, 'items'));
        next = stringAt(objectAt(got, 'metadata'), 'continue') ?? '';
        if (next === '') break;
      }
      return items;
    });
  }

  post(path: string, body: RawObject): Promise<Seen<RawObject>> {
    return seen(() => this.client.send('POST', path, body, AbortSignal.timeout(callMs)));
  }

  /** Lines of an answer that is text. */
  lines(path: string, keep: (line: string) => boolean): Promise<Seen<readonly string[]>> {
    return seen(async () => {
      const kept: string[] = [];
      for await (const line of this.client.watch(path, AbortSignal.timeout(callMs))) if (keep(line)) kept.push(line);
      return kept;
    });
  }
}

/** Credentials that cannot be used, and a server that is not there, end the command: nothing else could be seen either. */
async function seen<T>(read: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { state: 'seen', value: await read() };
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    if (cause instanceof KubeError && cause.status === 404) return { state: 'absent' };
    return { state: 'unseen', why: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** What is made of something seen; nothing of what was not. */
export const map = <A, B>(from: Seen<A>, make: (value: A) => B): Seen<B> =>
  from.state === 'seen' ? { state: 'seen', value: make(from.value) } : from;
