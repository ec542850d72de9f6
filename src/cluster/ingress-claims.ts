/** Which Ingresses claim the same host and path of one controller. */
import { onceFor } from '../kube/once-for.ts';
import type { Ingress } from '../kube/resources.ts';
import { ClaimsIndex } from './claims-index.ts';
import { classOf } from './ingress-classes.ts';
import { challengePath, type IngressController, solverLabel } from './ingress-controllers.ts';
import { matchKeyOf, type UrlPath, urlPathsOf, widestKeyOf } from './ingress-paths.ts';
import type { ClusterView } from './view.ts';

/** Others that claim what one path of an Ingress claims. */
export interface Contested {
  readonly urlPath: UrlPath;
  /** Equal for what is the same to some controller: whether it is to this one, `counterpartOf` tells. */
  readonly key: string;
  /** In order of namespace and name; at least one, and the Ingress itself may be among them. */
  readonly claimants: readonly Ingress[];
}

/** The paths of the Ingress that others claim too, whatever their controller makes of that. */
export function* contestedPaths(ingress: Ingress, view: ClusterView): Generator<Contested, void, undefined> {
  view.listAll('Ingress');
  if (isLeaving(ingress)) return;
  for (const urlPath of urlPathsOf(ingress)) {
    view.step();
    if (isChallenge(urlPath, ingress)) continue;
    const key = keyOf(urlPath, ingress);
    const claimants = claims.claimants(key, view);
    if (claimants.some((one) => !isSame(one, ingress))) yield { urlPath, key, claimants };
  }
}

export const isSame = ({ metadata: a }: Ingress, { metadata: b }: Ingress): boolean => a.name === b.name && a.namespace === b.namespace;

const isLeaving = ({ metadata }: Ingress): boolean => metadata.deletionTimestamp !== undefined;

/** cert-manager's proof of whose the host is stands beside the real Ingress; elsewhere its label says nothing. */
const isChallenge = ({ path }: UrlPath, { metadata }: Ingress): boolean =>
  metadata.labels[solverLabel] === 'true' && path.startsWith(challengePath);

const claims = new ClaimsIndex((ingress) => (isLeaving(ingress) ? [] : claimsOf(ingress).keys()));

/** What one Ingress claims, by which of its paths. A state differs from the one before in one Ingress, mostly. */
const claimsOf = onceFor(claimsMadeBy);

function claimsMadeBy(ingress: Ingress): ReadonlyMap<string, readonly UrlPath[]> {
  const claimed = urlPathsOf(ingress).filter((urlPath) => !isChallenge(urlPath, ingress));
  return Map.groupBy(claimed, (urlPath) => keyOf(urlPath, ingress));
}

const keyOf = (urlPath: UrlPath, ingress: Ingress): string => JSON.stringify([classOf(ingress) ?? '', widestKeyOf(urlPath)]);

/** The path of another Ingress that is the same to their controller, if there is one. */
export function counterpartOf(
  { urlPath, key }: Contested,
  other: Ingress,
  controller: Pick<IngressController, 'readsOwnTypeAsPrefix'> = {},
): UrlPath | undefined {
  const theirs = claimsOf(other).get(key);
  if (controller.readsOwnTypeAsPrefix === true) return theirs?.[0];
  const wanted = matchKeyOf(urlPath);
  return theirs?.find((one) => matchKeyOf(one) === wanted);
}

/** Whether two paths send their requests to the same Service and port. */
export function leadToTheSame({ backend: a }: UrlPath, { backend: b }: UrlPath): boolean {
  const [mine, theirs] = [a.service, b.service];
  const isSameService = mine?.name === theirs?.name && mine?.port.name === theirs?.port.name && mine?.port.number === theirs?.port.number;
  return isSameService && a.resource?.kind === b.resource?.kind && a.resource?.name === b.resource?.name;
}
