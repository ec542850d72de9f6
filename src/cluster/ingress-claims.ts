/** Which Ingresses claim the same host and path of one controller. */
import type { Ingress, IngressBackend } from '../kube/resources.ts';
import { classOf } from './ingress-classes.ts';
import { distinguishingAnnotations, sharingAnnotations, solverLabel } from './ingress-controllers.ts';
import { carriesAny, matchKeyOf, type UrlPath, urlPathsOf } from './ingress-paths.ts';
import type { ClusterView } from './view.ts';

/** Others that claim what one path of an Ingress claims. */
export interface Contested {
  readonly urlPath: UrlPath;
  /** Equal for what is the same to a controller. */
  readonly key: string;
  /** In order of namespace and name; at least one, and the Ingress itself may be among them. */
  readonly claimants: readonly Ingress[];
}

/** The paths of the Ingress that others claim too. None of one that shares them on purpose. */
export function* contestedPaths(ingress: Ingress, view: ClusterView): Generator<Contested, void, undefined> {
  const all = claimsIn(view);
  if (sharesOnPurpose(ingress)) return;
  for (const urlPath of urlPathsOf(ingress)) {
    view.step();
    const key = keyOf(urlPath, ingress);
    const claimants = all.get(key) ?? [];
    if (claimants.some((one) => !isSame(one, ingress))) yield { urlPath, key, claimants };
  }
}

export const isSame = ({ metadata: a }: Ingress, { metadata: b }: Ingress): boolean => a.name === b.name && a.namespace === b.namespace;

/** A canary, a minion, a member of a group, cert-manager's solver, or what is on its way out. */
const sharesOnPurpose = (ingress: Ingress): boolean =>
  ingress.metadata.deletionTimestamp !== undefined ||
  ingress.metadata.labels[solverLabel] === 'true' ||
  carriesAny(ingress, sharingAnnotations);

/** By which all Ingresses are gone through once for a state of them, however many ask. */
const byVersion = new WeakMap<object, ReadonlyMap<string, readonly Ingress[]>>();

function claimsIn(view: ClusterView): ReadonlyMap<string, readonly Ingress[]> {
  const ingresses = view.listAll('Ingress');
  const version = view.version('Ingress');
  const known = byVersion.get(version);
  if (known !== undefined) return known;
  const claims = new Map<string, Ingress[]>();
  for (const ingress of ingresses)
    for (const key of sharesOnPurpose(ingress) ? [] : claimsOf(ingress).keys()) {
      view.step();
      const claimants = claims.get(key);
      if (claimants === undefined) claims.set(key, [ingress]);
      else claimants.push(ingress);
    }
  byVersion.set(version, claims);
  return claims;
}

/** What one Ingress claims, with where it leads; of what it claims twice, the first. A state differs from the one before in one Ingress, mostly. */
const claimsByIngress = new WeakMap<Ingress, ReadonlyMap<string, IngressBackend>>();

function claimsOf(ingress: Ingress): ReadonlyMap<string, IngressBackend> {
  const known = claimsByIngress.get(ingress) ?? claimsMadeBy(ingress);
  claimsByIngress.set(ingress, known);
  return known;
}

function claimsMadeBy(ingress: Ingress): ReadonlyMap<string, IngressBackend> {
  const claims = new Map<string, IngressBackend>();
  for (const urlPath of urlPathsOf(ingress)) {
    const key = keyOf(urlPath, ingress);
    if (!claims.has(key)) claims.set(key, urlPath.backend);
  }
  return claims;
}

const keyOf = (urlPath: UrlPath, ingress: Ingress): string =>
  JSON.stringify([classOf(ingress) ?? '', matchKeyOf(urlPath), ...distinctionsOf(ingress)]);

/** By method, entry point and the like: what is not the same there may not meet at all. */
const distinctionsOf = ({ metadata: { annotations } }: Ingress): readonly string[] =>
  distinguishingAnnotations.flatMap((key) => (annotations[key] === undefined ? [] : [key, annotations[key]]));

/** Whether one of the same namespace sends what is contested to the same Service and port. */
export function leadsToTheSame({ urlPath: { backend }, key }: Contested, other: Ingress): boolean {
  const theirs = claimsOf(other).get(key);
  const [a, b] = [backend.service, theirs?.service];
  const [c, d] = [backend.resource, theirs?.resource];
  const isSameService = a?.name === b?.name && a?.port.name === b?.port.name && a?.port.number === b?.port.number;
  return isSameService && c?.kind === d?.kind && c?.name === d?.name;
}
