/** Asks the API server what somebody else may do: SubjectAccessReview (k8s.io/api/authorization/v1). */
import { booleanAt, given, objectAt } from '../kube/read.ts';
import type { Access, Requester } from '../kube/requester.ts';
import type { RawObject } from '../kube/resources.ts';
import type { KubeClient } from './kube-client.ts';

/** What is asked for, as RBAC rules name it. */
export interface ResourceAttributes {
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly resource: string;
  /** Empty: in all namespaces. */
  readonly namespace: string;
  /** Left out: of every object. */
  readonly name?: string;
}

/** Never rejects: what cannot be asked before the signal aborts is `unknown`. */
export type AccessReview = (who: Requester, what: ResourceAttributes, signal: AbortSignal) => Promise<Access>;

export interface AccessReviewOptions {
  readonly client: Pick<KubeClient, 'send'>;
  /** A clock that only goes forward, in milliseconds. */
  readonly now: () => number;
  readonly onFailure?: (cause: unknown) => void;
}

/** How long an answer is good for, in milliseconds (reliability.md F43): a right that is withdrawn ends soon after. */
const goodForMs = { allowed: 10_000, denied: 5_000 } as const;
/** Answers held at once; beyond it the oldest are asked for again. */
const mostHeld = 1_000;

const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

interface Held {
  readonly access: 'allowed' | 'denied';
  readonly until: number;
}

/** Holds answers for some seconds, by everything that was asked. A failure is no answer, and asked again. */
export function accessReview({ client, now, onFailure }: AccessReviewOptions): AccessReview {
  const held = new Map<string, Held>();
  return async (who, what, signal) => {
    const key = keyOf(who, what);
    const known = held.get(key);
    if (known !== undefined && now() < known.until) return known.access;
    held.delete(key);
    try {
      const access = accessIn(await client.send('POST', path, reviewOf(who, what), signal));
      held.set(key, { access, until: now() + goodForMs[access] });
      if (held.size > mostHeld) held.delete(held.keys().next().value as string);
      return access;
    } catch (cause) {
      onFailure?.(cause);
      return 'unknown';
    }
  };
}

/** Requests bring groups and extra in any order: another order is only another question. */
const keyOf = ({ username, uid, groups, extra }: Requester, { verb, group, resource, namespace, name }: ResourceAttributes): string =>
  JSON.stringify([username, uid, groups, [...extra], verb, group, resource, namespace, name]);

/** `Object.fromEntries` makes own properties, also of `__proto__`. */
const reviewOf = ({ username, uid, groups, extra }: Requester, { name, ...what }: ResourceAttributes) => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  spec: { user: username, uid, groups, extra: Object.fromEntries(extra), resourceAttributes: { ...what, ...given('name', name) } },
});

/** `denied` is an authorizer's veto. No API server sends both; whether one could shall not matter. */
function accessIn(answer: RawObject): Held['access'] {
  const status = objectAt(answer, 'status');
  return booleanAt(status, 'allowed') && !booleanAt(status, 'denied') ? 'allowed' : 'denied';
}
