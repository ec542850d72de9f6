/** Who writes, as authorizers know them (authentication.k8s.io/v1 UserInfo). */
import { isObject, stringAt } from './read.ts';

export interface Requester {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  /** What the authenticator adds, such as the scopes of a token. A key may be anything, `__proto__` too. */
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

/** What an authorizer answers; `unknown` where it could not be asked. */
export type Access = 'allowed' | 'denied' | 'unknown';

/**
 * The requester in a `userInfo`, or undefined if it is not one that an API server sends. Nothing odd is passed over: an
 * `extra` may narrow what its bearer is allowed (OpenShift's scopes), so whoever lost it would be allowed more.
 */
export function requesterOf(userInfo: unknown): Requester | undefined {
  if (!isObject(userInfo)) return undefined;
  const { groups = [], extra = {}, uid = '' } = userInfo;
  const username = stringAt(userInfo, 'username') ?? '';
  if (username === '' || typeof uid !== 'string' || !isStrings(groups) || !isObject(extra)) return undefined;
  const entries = Object.entries(extra);
  if (!entries.every(([, values]) => isStrings(values))) return undefined;
  return { username, uid, groups, extra: new Map(entries as [string, readonly string[]][]) };
}

const isStrings = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((entry) => typeof entry === 'string');
