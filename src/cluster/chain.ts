/** The way of a request: Ingress → Service → port → Pods, link by link, up to the first one that is broken. */
import type { FieldPath } from '../kube/field-path.ts';
import { onceFor } from '../kube/once-for.ts';
import { targetPortIn } from '../kube/ports.ts';
import type { Ingress, IngressBackend, Service, ServicePort } from '../kube/resources.ts';
import { type Backend, backendsOf, selectsPods } from './backends.ts';
import type { ClusterView } from './view.ts';

/** What an Ingress does with one host and path, or with all that no rule is about. */
export interface Route {
  /** Of the backend. */
  readonly path: FieldPath;
  readonly backend: IngressBackend;
  /** Undefined for every host; so is `urlPath` for every path. */
  readonly host: string | undefined;
  readonly urlPath: string | undefined;
}

/** The default backend first, then as the rules stand. */
export function routesOf({ spec }: Ingress): readonly Route[] {
  const routes: Route[] = [];
  if (spec.defaultBackend !== undefined)
    routes.push({ path: ['spec', 'defaultBackend'], backend: spec.defaultBackend, host: undefined, urlPath: undefined });
  for (const [at, { host, http }] of spec.rules.entries())
    for (const [index, { path: urlPath, backend }] of (http?.paths ?? []).entries())
      routes.push({ path: ['spec', 'rules', at, 'http', 'paths', index, 'backend'], backend, host, urlPath });
  return routes;
}

/**
 * How far the way could be followed. It is broken at `noService`, `noPort`, `noPods` and `noTargetPort`; at `resource`,
 * `externalName` and `noSelector` it goes on where nobody here can see; at `scaledToZero` Pods are missing on purpose.
 */
export type Chain =
  | { readonly end: 'resource' | 'noService' }
  | { readonly end: 'noPort' | 'externalName'; readonly service: Service }
  | { readonly end: 'noSelector' | 'noPods'; readonly service: Service; readonly port: ServicePort }
  | {
      readonly end: 'noTargetPort' | 'scaledToZero' | 'pods';
      readonly service: Service;
      readonly port: ServicePort;
      readonly backends: readonly Backend[];
    };

/** The whole way from a backend of an Ingress in this namespace. Looks up Pods only where all before them is there. */
export function chainFrom(backend: IngressBackend, namespace: string, view: ClusterView): Chain {
  const found = portBehind(backend, namespace, view);
  return 'end' in found ? found : chainBehind(found.service, found.port, view);
}

/** The way as far as Services tell. */
export function portBehind(
  { service: wanted }: IngressBackend,
  namespace: string,
  view: ClusterView,
): Chain | { readonly service: Service; readonly port: ServicePort } {
  if (wanted === undefined || wanted.port.name === portByAnnotation) return { end: 'resource' };
  const service = view.get('Service', namespace, wanted.name);
  if (service === undefined) return { end: 'noService' };
  // Controllers take the number itself for the port of the host that it names, and need none in `spec.ports`.
  if (service.spec.type === 'ExternalName') return { end: 'externalName', service };
  const port = portCalled(wanted.port, service);
  return port === undefined ? { end: 'noPort', service } : { service, port };
}

/** The way from one port of a Service that is no ExternalName. */
export function chainBehind(service: Service, port: ServicePort, view: ClusterView): Chain {
  // Whoever writes its EndpointSlices knows where it leads.
  if (!selectsPods(service)) return { end: 'noSelector', service, port };
  const backends = backendsOf(service, view);
  if (backends.length === 0) return { end: 'noPods', service, port };
  const shapes = backends.flatMap((backend) => backend.shapes);
  if (!shapes.some((shape) => targetPortIn(shape, port) !== undefined)) return { end: 'noTargetPort', service, port, backends };
  return { end: backends.every(({ scaledToZero }) => scaledToZero) ? 'scaledToZero' : 'pods', service, port, backends };
}

/**
 * The AWS load balancer controller takes what it is to do from an annotation `actions.<service name>` where the port has
 * this name: neither the Service nor the port need be there.
 */
export const portByAnnotation = 'use-annotation';

/** How an Ingress names a port of a Service: by name or by number, never by targetPort (networking.k8s.io/v1 ServiceBackendPort). */
export type WantedPort = NonNullable<IngressBackend['service']>['port'];

/** The port that the Ingress means: of two with one number, the one that speaks HTTP's protocol. */
export const portCalled = ({ name, number }: WantedPort, { spec }: Service): ServicePort | undefined =>
  portsCalled(spec.ports).get(name ?? number);

/** Ports by all that they are called: made once for a list, since a Service may have 10,000, and as many routes may lead to it. */
const portsCalled = onceFor(byNameAndNumber);

function byNameAndNumber(ports: readonly ServicePort[]): ReadonlyMap<string | number | undefined, ServicePort> {
  const called = new Map<string | number | undefined, ServicePort>();
  for (const port of ports)
    for (const call of port.name === undefined ? [port.port] : [port.port, port.name]) {
      const found = called.get(call);
      if (found === undefined || (found.protocol !== 'TCP' && port.protocol === 'TCP')) called.set(call, port);
    }
  return called;
}
