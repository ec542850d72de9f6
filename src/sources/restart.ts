/** Why a list or watch began anew, and how that is told from what went wrong. */
import { KubeError } from '../client/kube-client.ts';
import { Lost } from './watch-event.ts';

/**
 * Why a list or watch began anew. `ended` is the server's ordinary end of a watch; the others are faults. `wentBack`: a
 * new list is older than what we had, as after a restored etcd.
 */
export type RestartReason =
  | 'ended'
  | 'disconnected'
  | 'refused'
  | 'expired'
  | 'silent'
  | 'unreadable'
  | 'forbidden'
  | 'notServed'
  | 'wentBack';

export interface Restart {
  readonly path: string;
  readonly reason: RestartReason;
  readonly cause?: unknown;
}

/** Not a fault, but an answer. */
export type Refusal = 'forbidden' | 'notServed';
export const isRefusal = (reason: RestartReason): reason is Refusal => reason === 'forbidden' || reason === 'notServed';

export function reasonOf(cause: unknown): RestartReason {
  if (cause instanceof Lost) return cause.reason;
  if (!(cause instanceof KubeError)) return 'disconnected';
  if (cause.status === 410) return 'expired';
  if (cause.status === 403) return 'forbidden';
  return cause.status === 404 ? 'notServed' : 'refused';
}
