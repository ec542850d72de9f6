/** A line of a watch → what it says. */

import { KubeError } from '../client/kube-client.ts';
import { isObject, numberAt, objectAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';

export interface WatchEvent {
  readonly type: 'set' | 'remove' | 'bookmark';
  readonly object: RawObject;
  readonly version: string;
  /** The bookmark after which a watch-list has told all that there was (KEP-3157). */
  readonly endsList: boolean;
}

/** We do not know any more where we are: what helps is a new list, all else goes on where it was. */
export class Lost extends Error {
  readonly reason: 'expired' | 'silent' | 'unreadable';

  constructor(reason: Lost['reason'], cause: unknown) {
    super(`${reason}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.reason = reason;
  }
}

const types: Readonly<Record<string, WatchEvent['type']>> = { ADDED: 'set', MODIFIED: 'set', DELETED: 'remove', BOOKMARK: 'bookmark' };

/** Throws Lost for what is no event, and for the error that a server puts into a stream that began with 200. */
export function eventOf(line: string): WatchEvent {
  const event = parsed(line);
  const object = objectAt(event, 'object');
  const name = stringAt(event, 'type') ?? '';
  if (name === 'ERROR') throw failure(object);
  const metadata = objectAt(object, 'metadata');
  const version = stringAt(metadata, 'resourceVersion');
  const type = Object.hasOwn(types, name) ? types[name] : undefined;
  if (type === undefined || !version)
    throw new Lost('unreadable', new Error(`a watch event of type "${name}", version "${version ?? ''}"`));
  const endsList = type === 'bookmark' && stringAt(objectAt(metadata, 'annotations'), 'k8s.io/initial-events-end') === 'true';
  return { type, object, version, endsList };
}

/** `{"type":"ERROR","object":{"kind":"Status","code":410,…}}`: as client-go, any of them leads to a new list. */
function failure(status: RawObject): Lost {
  const code = numberAt(status, 'code') ?? 500;
  const error = new KubeError(code, stringAt(status, 'reason') ?? '', stringAt(status, 'message') ?? 'the watch reports an error');
  return new Lost(code === 410 ? 'expired' : 'unreadable', error);
}

function parsed(line: string): RawObject {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (cause) {
    throw new Lost('unreadable', cause);
  }
  if (!isObject(event)) throw new Lost('unreadable', new Error('a line that is no object'));
  return event;
}

/** Versions grow as integers (KEP-5504), of any length. */
export const isOlder = (a: string, b: string): boolean => a.length < b.length || (a.length === b.length && a < b);

/** Items of a list do not say what they are; the list does: `PodList`. */
export const itemType = (page: RawObject) => ({
  apiVersion: stringAt(page, 'apiVersion') ?? '',
  kind: (stringAt(page, 'kind') ?? '').replace(/List$/, ''),
});
