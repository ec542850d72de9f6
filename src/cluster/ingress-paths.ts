/** Paths of Ingresses as the API means them (networking.k8s.io/v1 HTTPIngressPath), and what people write instead. */
import type { FieldPath } from '../kube/field-path.ts';
import type { Ingress, IngressBackend } from '../kube/resources.ts';
import { classOf } from './ingress-classes.ts';
import { ingressControllers, regexAnnotations } from './ingress-controllers.ts';
import { indexOfIngresses } from './ingress-index.ts';

/** One path of an Ingress. */
export interface UrlPath {
  readonly at: FieldPath;
  /** In lower case; undefined for every host. */
  readonly host: string | undefined;
  readonly path: string;
  readonly pathType: string;
  readonly backend: IngressBackend;
}

export function urlPathsOf({ spec }: Ingress): readonly UrlPath[] {
  return spec.rules.flatMap(({ host, http }, rule) =>
    (http?.paths ?? []).map(({ path = '/', pathType, backend }, index) => ({
      at: ['spec', 'rules', rule, 'http', 'paths', index],
      host: host?.toLowerCase(),
      path,
      pathType,
      backend,
    })),
  );
}

/** Equal for what is the same to a controller: Exact is byte for byte; of Prefix a slash at the end does not count. */
export function matchKeyOf({ host = '', path, pathType }: UrlPath): string {
  const meant = pathType === 'Prefix' && path.endsWith('/') ? path.slice(0, -1) : path;
  return JSON.stringify([host, pathType, meant || '/']);
}

/** Equal for what is the same to some controller: to many, ImplementationSpecific is another word for Prefix. */
export const widestKeyOf = (urlPath: UrlPath): string =>
  matchKeyOf(urlPath.pathType === 'ImplementationSpecific' ? { ...urlPath, pathType: 'Prefix' } : urlPath);

/** Whether a path is taken letter by letter; of an implementation's own type nobody knows. */
export const isLiteral = ({ pathType }: UrlPath): boolean => pathType === 'Exact' || pathType === 'Prefix';

/** An annotation has the controller read its paths as regular expressions. */
export const readsRegex = (ingress: Ingress): boolean => carriesAny(ingress, regexAnnotations);

/** One of these annotations is there, with that value where one is given. */
export const carriesAny = ({ metadata: { annotations } }: Ingress, wanted: readonly (readonly [key: string, value?: string])[]): boolean =>
  wanted.some(([key, value]) => annotations[key] !== undefined && (value === undefined || annotations[key] === value));

/** Hosts of which some Ingress of the namespace has its controller read paths as regular expressions. */
export const regexHostsIn = indexOfIngresses((ingresses, step): ReadonlySet<string> => {
  const hosts = new Set<string>();
  for (const { spec } of ingresses.filter(readsRegex))
    for (const { host } of spec.rules) {
      step();
      if (host !== undefined) hosts.add(host.toLowerCase());
    }
  return hosts;
});

/** The paths that stand for one host. */
export interface HostPaths {
  readonly all: ReadonlySet<string>;
  /** Those of the type Prefix. */
  readonly prefixes: ReadonlySet<string>;
  /** No path is of another type than Exact. */
  readonly areExact: boolean;
}

export function pathsByHost(urlPaths: readonly UrlPath[]): ReadonlyMap<string | undefined, HostPaths> {
  const byHost = Map.groupBy(urlPaths, ({ host }) => host);
  return new Map(
    Array.from(byHost, ([host, those]) => {
      const prefixes = new Set(those.flatMap(({ path, pathType }) => (pathType === 'Prefix' ? path : [])));
      return [host, { all: new Set(those.map(({ path }) => path)), prefixes, areExact: those.every(isExact) }];
    }),
  );
}

const isExact = ({ pathType }: UrlPath): boolean => pathType === 'Exact';

/** The controller of its class takes a star at the end for Prefix. */
export const readsStars = (ingress: Ingress): boolean =>
  ingressControllers.some((one) => one.readsStars === true && one.classNames.includes(classOf(ingress) ?? ''));

/**
 * What only a regular expression would have: groups with a choice or a quantifier, classes, wildcards, escapes, anchors;
 * or a variable in braces. Parentheses, `$` and dots alone stand in real paths: `/odata/Users(1)`, `/$metadata`. Whoever
 * may write an Ingress chooses the path: brackets that nothing closes would cost one pattern for all of it their square.
 */
export const looksLikeRegex = (path: string): boolean => regexSign.test(path) || hasClass(path) || hasChoice(path);

const regexSign = /[.\])][*+?]|[\\^{}]|\(\?|[^/]\$$/;

/** `[a-z]`: something stands between an opening bracket and the next closing one. */
const hasClass = (path: string): boolean => closedBy(path, ']').some((part) => /\[./s.test(part));

/** `(a|b)`. */
const hasChoice = (path: string): boolean =>
  closedBy(path, ')').some((part) => part.includes('(') && part.includes('|', part.indexOf('(')));

/** What stands before each of these signs, back to the one before it. */
const closedBy = (path: string, sign: string): readonly string[] => path.split(sign).slice(0, -1);

/** The path before a star that stands at its end for "everything below": `/api` of `/api/*`. */
export function beforeStar(path: string): string | undefined {
  const before = path.endsWith('/*') ? path.slice(0, -2) : undefined;
  return before === undefined || before.includes('*') ? undefined : before || '/';
}
