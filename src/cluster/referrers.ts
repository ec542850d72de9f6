/** Who names a Service: Ingresses of its namespace, and Services anywhere that stand for it by their externalName. */
import { listed } from '../kube/listed.ts';
import type { Ingress, Service } from '../kube/resources.ts';
import { portByAnnotation, type Route, routesOf } from './chain.ts';
import type { Elsewhere } from './elsewhere.ts';
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
export function usesOf({ metadata }: Service, view: ClusterView, matters: (route: Route, ingress: Ingress) => boolean): Uses {
  const ingresses: IngressUse[] = [];
  for (const ingress of view.list('Ingress', metadata.namespace)) {
    if (ingress.metadata.deletionTimestamp !== undefined) continue;
    const [first, ...others] = routesOf(ingress).filter((route) => {
      view.step();
      const { service } = route.backend;
      return service?.name === metadata.name && service.port.name !== portByAnnotation && matters(route, ingress);
    });
    if (first === undefined) continue;
    if (ingresses.length === mostUsers) return { ingresses, isCut: true };
    ingresses.push({ ingress, routes: [first, ...others] });
  }
  return { ingresses, isCut: false };
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
