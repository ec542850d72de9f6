/**
 * What is to be done next about an authority that several replicas share, told from certificates and the time alone.
 *
 * An authority signs only after every `caBundle` has carried it for a while, and stays in there until long after the last
 * leaf that it signed was replaced. So each state has one authority that signs, perhaps one that is announced and does not
 * sign yet, and those that are still trusted. docs/decisions/0014-own-authority.md says why in this order.
 */
import type { Authority, Lifetimes } from './authority.ts';
import { type Certificate, isValid } from './pem.ts';

export interface AuthorityState<A = Authority> {
  /** Signs. */
  readonly current?: A | undefined;
  /** Trusted already, and to sign next. */
  readonly next?: A | undefined;
  /** Since when every entry was seen to trust `next`, in epoch milliseconds. */
  readonly nextSince?: number | undefined;
  /** Still trusted. */
  readonly previous: readonly Certificate[];
  /** Since when every entry was seen to trust `current`, so that nobody needs `previous` any more. */
  readonly previousSince?: number | undefined;
}

export interface RotationTimes extends Lifetimes {
  /** For how long a new authority is trusted before it signs, and an old one after it has ceased to. */
  readonly overlapMs: number;
  /** No step is made before things were seen unchanged for so long, whatever the clock on the wall says. */
  readonly steadyMs: number;
  /** How long a replica that serves well waits before it takes a leaf of another authority: API servers learn of a bundle one by one. */
  readonly settleMs: number;
}

/** The state to store next, where `new` stands for an authority that is yet to be made. */
export type Planned = AuthorityState<Authority | 'new'>;

/** The state that was planned, with an authority made where it asks for one. */
export async function withMade({ current, next, ...rest }: Planned, make: () => Promise<Authority>): Promise<AuthorityState> {
  return { ...rest, current: current === 'new' ? await make() : current, next: next === 'new' ? await make() : next };
}

export type Change = 'created' | 'announced' | 'seen' | 'unseen' | 'promoted' | 'stamped' | 'forgotten';

export type Step =
  | { readonly do: 'store'; readonly change: Change; readonly state: Planned }
  /** Every entry is to trust these, and no other. */
  | { readonly do: 'publish'; readonly trusted: readonly Certificate[] };

/** What each entry of the webhook configuration trusts, by entry; none, where nobody calls us. */
export type Bundles = readonly (readonly Certificate[])[];

export interface Surroundings {
  readonly nowMs: number;
  /** For how long, by a clock that only goes on, state and bundles were seen as they are. */
  readonly unchangedMs: number;
  readonly times: RotationTimes;
}

/** Two thirds of its life are over, or it is not in its time at all: the clock was wrong when it was made, or is now. */
function isDue({ notBefore, notAfter }: Certificate, nowMs: number): boolean {
  return nowMs < notBefore || nowMs >= notBefore + ((notAfter - notBefore) * 2) / 3;
}

/** All that an entry has to trust. */
export const trustedIn = ({ current, next, previous }: AuthorityState): readonly Certificate[] =>
  distinct([...(current === undefined ? [] : [current]), ...(next === undefined ? [] : [next]), ...previous]);

/** What the leader has to do now; undefined if all is well. After each step, state and bundles are read again. */
export function nextStep(state: AuthorityState, bundles: Bundles, around: Surroundings): Step | undefined {
  const { current } = state;
  if (current === undefined || !isValid(current, around.nowMs)) return replacement(state, bundles, around.nowMs);
  return publication(state, bundles) ?? renewal(state, current, around) ?? farewell(state, around);
}

/** So many at most are carried on: a Secret that something empties every minute must not make a bundle without end. */
const mostCarried = 30;

/** There is none that can sign. What is trusted now stays so: leaves of it may be in use. */
function replacement({ current, next, previous }: AuthorityState, bundles: Bundles, nowMs: number): Step {
  const successor = next !== undefined && isValid(next, nowMs) ? next : undefined;
  const trusted = distinct([...(current === undefined ? [] : [current]), ...previous, ...bundles.flat()]);
  const carried = trusted.filter((one) => one.notAfter > nowMs && one.id !== successor?.id);
  const newestFirst = carried.toSorted((a, b) => b.notAfter - a.notAfter).slice(0, mostCarried);
  const state: Planned = { current: successor ?? 'new', previous: newestFirst };
  return { do: 'store', change: successor === undefined ? 'created' : 'promoted', state };
}

function publication(state: AuthorityState, bundles: Bundles): Step | undefined {
  const { nextSince, previousSince } = state;
  const trusted = trustedIn(state);
  const surplus = bundles.some((bundle) => bundle.some(({ id }) => !trusted.some((one) => one.id === id)));
  const lacking = !trusted.every((one) => isTrusted(one, bundles));
  // The overlap begins anew once all is back.
  if (lacking && (nextSince !== undefined || previousSince !== undefined))
    return { do: 'store', change: 'unseen', state: { ...state, nextSince: undefined, previousSince: undefined } };
  return surplus || lacking ? { do: 'publish', trusted } : undefined;
}

function renewal(state: AuthorityState, current: Authority, around: Surroundings): Step | undefined {
  const { next, nextSince, previous } = state;
  const { nowMs } = around;
  if (next === undefined || !isValid(next, nowMs)) {
    if (next === undefined && !isDue(current, nowMs)) return undefined;
    return { do: 'store', change: 'announced', state: { ...state, next: 'new', nextSince: undefined } };
  }
  if (nextSince === undefined || nextSince > nowMs) return { do: 'store', change: 'seen', state: { ...state, nextSince: nowMs } };
  if (!isOver(nextSince, around)) return undefined;
  const succeeded = { current: next, previous: distinct([current, ...previous]), previousSince: nowMs };
  return { do: 'store', change: 'promoted', state: succeeded };
}

function farewell(state: AuthorityState, around: Surroundings): Step | undefined {
  const { previous, previousSince } = state;
  if (previous.length === 0) return undefined;
  if (previousSince === undefined || previousSince > around.nowMs)
    return { do: 'store', change: 'stamped', state: { ...state, previousSince: around.nowMs } };
  if (!isOver(previousSince, around)) return undefined;
  return { do: 'store', change: 'forgotten', state: { ...state, previous: [], previousSince: undefined } };
}

const isOver = (sinceMs: number, { nowMs, unchangedMs, times: { overlapMs, steadyMs } }: Surroundings): boolean =>
  nowMs - sinceMs >= overlapMs && unchangedMs >= Math.min(steadyMs, overlapMs);

export interface Served extends Certificate {
  /** Which authority signed it. */
  readonly issuer: string;
}

/**
 * Whether a replica needs another leaf. One of the same authority may be taken at any time; one of another only where every
 * entry trusts that, and has for `trustedMs`. `bundles` is undefined where they could not be read just now.
 */
export function needsLeaf(
  leaf: Served | undefined,
  current: Authority,
  bundles: Bundles | undefined,
  { nowMs, trustedMs, times: { settleMs } }: Pick<Surroundings, 'nowMs' | 'times'> & { readonly trustedMs: number },
): boolean {
  if (!isValid(current, nowMs)) return false;
  if (leaf?.issuer === current.id) return isDue(leaf, nowMs);
  if (bundles === undefined || !isTrusted(current, bundles)) return false;
  const servesWell = leaf !== undefined && isValid(leaf, nowMs) && bundles.every((bundle) => bundle.some(({ id }) => id === leaf.issuer));
  return !servesWell || trustedMs >= settleMs;
}

/** Whether every entry trusts it. */
export const isTrusted = ({ id }: Certificate, bundles: Bundles): boolean => bundles.every((bundle) => bundle.some((one) => one.id === id));

const distinct = (certificates: readonly Certificate[]): readonly Certificate[] => [
  ...new Map(certificates.map((one) => [one.id, one])).values(),
];
