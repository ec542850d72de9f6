/** Which Ingresses claim the same host and path of one controller. */
import { type Ingress, refOf } from '../kube/resources.ts';
import { classOf } from './ingress-classes.ts';
import { sharingAnnotations, solverLabel } from './ingress-controllers.ts';
import { carriesAny, matchKeyOf, type UrlPath, urlPathsOf } from './ingress-paths.ts';
import type { ClusterView } from './view.ts';

/** Others that claim what one path of an Ingress claims. */
export interface Contested {
  readonly urlPath: UrlPath;
  /** Equal for what is the same to a controller. */
  readonly key: string;
  /** In order of namespace and name; at least one. */
  readonly others: readonly Ingress[];
}

/** The paths of the Ingress that others claim too. None of one that shares them on purpose. */
export function contestedPaths(ingress: Ingress, view: ClusterView): readonly Contested[] {
  const all = claimsIn(view);
  if (sharesOnPurpose(ingress)) return [];
  const own = Array.from(urlPathsOf(ingress), (urlPath) => ({ urlPath, key: keyOf(urlPath, ingress) }));
  const isOther = ({ metadata: { namespace, name } }: Ingress): boolean =>
    namespace !== ingress.metadata.namespace || name !== ingress.metadata.name;
  const contested = own.map((one) => ({ ...one, others: (all.get(one.key) ?? []).filter(isOther) }));
  return contested.filter(({ others }) => others.length > 0);
}

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
    for (const key of sharesOnPurpose(ingress) ? [] : keysOf(ingress)) {
      const claimants = claims.get(key);
      if (claimants === undefined) claims.set(key, [ingress]);
      else claimants.push(ingress);
    }
  byVersion.set(version, claims);
  return claims;
}

/** A state differs from the one before in one Ingress, mostly. */
const keysByIngress = new WeakMap<Ingress, ReadonlySet<string>>();

function keysOf(ingress: Ingress): ReadonlySet<string> {
  const keys = keysByIngress.get(ingress) ?? new Set(urlPathsOf(ingress).map((urlPath) => keyOf(urlPath, ingress)));
  keysByIngress.set(ingress, keys);
  return keys;
}

const keyOf = (urlPath: UrlPath, ingress: Ingress): string => JSON.stringify([classOf(ingress) ?? '', matchKeyOf(urlPath)]);

/** Whether both send what they claim to the same Service and port. */
export function leadToTheSame(ingress: Ingress, { urlPath, key }: Contested, other: Ingress): boolean {
  const theirs = urlPathsOf(other).find((one) => keyOf(one, other) === key);
  return JSON.stringify(urlPath.backend) === JSON.stringify(theirs?.backend) && refOf(ingress).namespace === refOf(other).namespace;
}
