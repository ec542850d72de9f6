/** Who names a Service: Ingresses of its namespace, and Services anywhere that stand for it by their externalName. */
import { listed } from '../kube/listed.ts';
import type { Ingress, Service } from '../kube/resources.ts';
import { portByAnnotation, type Route, routesOf } from './chain.ts';
import type { Elsewhere } from './elsewhere.ts';
import { indexOfIngresses } from './ingress-index.ts';
import type { ClusterView } from './view.ts';

/** So many Ingresses are told of; whatever else is there, nobody reads. */
const mostUsers = 100;

/** An Ingress, and those of its routes that lead to the Service. */
export interface IngressUse {
  readonly ingress: Ingress;
  readonly routes: readonly [Route, ...Route[]];
}

export interface Uses {
  readonly ingresses: readonly IngressUse[];
  /** There may be more of them. */
  readonly isCut: boolean;
}

/**
 * The Ingresses with a route to the Service that `matters`. A backend names a Service of its own namespace
 * (networking.k8s.io/v1 IngressServiceBackend). One that is being deleted loses nothing.
 */
export function usesOf(service: Service, view: ClusterView, matters: (route: Route, ingress: Ingress) => boolean): Uses {
  const ingresses: IngressUse[] = [];
  for (const use of usersOf(service, view, matters)) {
    if (ingresses.length === mostUsers) return { ingresses, isCut: true };
    ingresses.push(use);
  }
  return { ingresses, isCut: false };
}

/** The same by what of it each route uses, if anything: to go through all Ingresses for each of 10,000 ports would take minutes. */
export function usesBy<Part>(
  service: Service,
  view: ClusterView,
  partOf: (route: Route, ingress: Ingress) => Part | undefined,
): ReadonlyMap<Part, Uses> {
  const uses = new Map<Part, { readonly ingresses: IngressUse[]; isCut: boolean }>();
  for (const { ingress, routes } of usersOf(service, view, (route, user) => partOf(route, user) !== undefined))
    for (const [part, those] of Map.groupBy(routes, (route) => partOf(route, ingress) as Part)) {
      const known = uses.get(part) ?? { ingresses: [], isCut: false };
      uses.set(part, known);
      if (known.ingresses.length === mostUsers) known.isCut = true;
      else known.ingresses.push({ ingress, routes: those as [Route, ...Route[]] });
    }
  return uses;
}

function* usersOf(service: Service, view: ClusterView, matters: (route: Route, ingress: Ingress) => boolean): Generator<IngressUse> {
  const { namespace, name } = service.metadata;
  for (const { ingress, routes } of routesByService(namespace, view).get(name) ?? []) {
    const [first, ...others] = routes.filter((route) => {
      view.step();
      return matters(route, ingress);
    });
    if (first !== undefined) yield { ingress, routes: [first, ...others] };
  }
}

/** One that is being deleted leads nowhere any more. */
const routesByService = indexOfIngresses((ingresses, step): ReadonlyMap<string, readonly IngressUse[]> => {
  const uses = new Map<string, IngressUse[]>();
  for (const ingress of ingresses.filter(({ metadata }) => metadata.deletionTimestamp === undefined))
    for (const [name, routes] of Map.groupBy(routesOf(ingress), serviceOf)) {
      for (const _ of routes) step();
      const known = uses.get(name) ?? [];
      if (name !== '') uses.set(name, known);
      known.push({ ingress, routes: routes as [Route, ...Route[]] });
    }
  return uses;
});

/** '' of one that leads to no Service. */
const serviceOf = ({ backend: { service } }: Route): string =>
  service === undefined || service.port.name === portByAnnotation ? '' : service.name;

/**
 * The first Ingress that leads to the Service: that there is none ends a rule where not all are known. Of files without
 * any Ingress nothing better can be had: there the Service stands for itself.
 */
export function ingressTo(service: Service, cluster: ClusterView, known: ClusterView): Ingress | undefined {
  const isNotGiven = known.coverage('Ingress', service.metadata.namespace) === 'notGiven';
  return usesOf(service, isNotGiven ? known : cluster, () => true).ingresses[0]?.ingress;
}

/** `Ingress shop, api and 3 more (7 routes, among them shop.example/cart)`. */
export function formatUses({ ingresses, isCut }: Uses): string {
  const routes = ingresses.flatMap((use) => use.routes);
  const atLeast = isCut ? 'at least ' : '';
  const count = routes.length === 1 ? '' : `${atLeast}${routes.length} routes, among them `;
  const names = listed(ingresses.map(({ ingress }) => ingress.metadata.name));
  return `Ingress ${isCut ? names.replace(/ and (\d+ more)$/, ' and at least $1') : names} (${count}${formatRoute(routes[0] as Route)})`;
}

/** `shop.example/cart`; `*` for every host. */
export const formatRoute = ({ host, urlPath, path }: Route): string =>
  path[1] === 'defaultBackend' ? 'the default backend' : `${host ?? '*'}${urlPath ?? '/'}`;

/** Services of the same namespace whose externalName is this one's name in the cluster's DNS. */
export const aliasesOf = (service: Service, view: ClusterView): readonly Service[] =>
  view.list('Service', service.metadata.namespace).filter((one) => isAlias(one, service));

/** Those of other namespaces, as far as the reader may know. */
export const aliasesElsewhere = (service: Service, elsewhere: Elsewhere | undefined): readonly Service[] =>
  elsewhere?.those('Service', (one) => one.metadata.namespace !== service.metadata.namespace && isAlias(one, service)) ?? [];

/** Under another domain a cluster of another name may be meant. */
const domains: readonly string[] = ['svc', 'svc.cluster.local', 'svc.cluster.local.'];

function isAlias({ metadata, spec }: Service, { metadata: { namespace, name } }: Service): boolean {
  if (spec.type !== 'ExternalName' || metadata.deletionTimestamp !== undefined) return false;
  return domains.some((domain) => spec.externalName === `${name}.${namespace}.${domain}`);
}
