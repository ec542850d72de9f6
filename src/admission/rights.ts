/**
 * What who writes may do: exempt from a rule, and list what a text would tell of another namespace. The API server is asked,
 * as far as its answer can change what is answered.
 */
import { type Listing, listingKey } from '../cluster/elsewhere.ts';
import type { Decision } from '../engine/review.ts';
import type { Access, Requester } from '../kube/requester.ts';

/** An annotation that exempts only if the writer has a right to it; one that this write does not bring, from new findings only. */
export interface Claim {
  readonly ruleId: string;
  readonly isWritten: boolean;
}

/** Whether the requester may `use` the virtual resource `exemptions.portcullis.dev` of this name. Never rejects. */
export type MayUse = (requester: Requester, ruleId: string, namespace: string, signal: AbortSignal) => Promise<Access>;

/** Whether the requester may list such objects. Never rejects. */
export type MayList = (requester: Requester, listing: Listing, signal: AbortSignal) => Promise<Access>;

/** For one review, side by side. */
const maxQuestions = 32;
/** The same for namespaces of which a text would tell: beyond it, it tells of those alone whose kinds may be listed everywhere. */
const maxListings = 30;

/** The rules whose claims hang on an answer; `decision` was made as if nobody had the right. */
export function rulesToAskFor(claims: readonly Claim[], { denials, warnings, audited }: Decision): readonly string[] {
  const found = new Set([...denials, ...warnings.map(({ finding }) => finding), ...audited].map(({ ruleId }) => ruleId));
  return claims.filter(({ ruleId, isWritten }) => isWritten || found.has(ruleId)).map(({ ruleId }) => ruleId);
}

/** By rule id. Whoever cannot be asked about, in time or at all, has no right: privilege fails closed (reliability.md E17, E22). */
export async function rightsTo(
  ruleIds: readonly string[],
  namespace: string,
  requester: Requester | undefined,
  mayUse: MayUse,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Access>> {
  const ask = async (ruleId: string, index: number): Promise<readonly [string, Access]> => {
    const canAsk = requester !== undefined && index < maxQuestions;
    return [ruleId, canAsk ? await mayUse(requester, ruleId, namespace, signal) : 'unknown'];
  };
  return new Map(await Promise.all(ruleIds.map(ask)));
}

/**
 * By `listingKey`. First whether he may list the kinds everywhere, as a controller does, then in each namespace. Where there
 * are too many to ask about, none of them is: a choice would depend on those that he may not know (docs/privacy.md).
 */
export async function rightsToList(
  wanted: readonly Listing[],
  requester: Requester,
  mayList: MayList,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Access>> {
  const ask = async (listings: readonly Listing[]): Promise<readonly (readonly [string, Access])[]> =>
    Promise.all(listings.map(async (listing) => [listingKey(listing), await mayList(requester, listing, signal)] as const));
  const kinds = new Map(wanted.map((listing) => ({ ...listing, namespace: '' })).map((listing) => [listingKey(listing), listing]));
  const everywhere = new Map(await ask([...kinds.values()]));
  const rest = wanted.filter(
    (listing) => listing.namespace !== '' && everywhere.get(listingKey({ ...listing, namespace: '' })) !== 'allowed',
  );
  return new Map([...everywhere, ...(rest.length > maxListings ? [] : await ask(rest))]);
}
