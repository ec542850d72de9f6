/** The Services that an Ingress names: each once, with the fields that name it. */
import type { FieldPath } from '../kube/field-path.ts';
import { onceFor } from '../kube/once-for.ts';
import type { Ingress } from '../kube/resources.ts';
import { portByAnnotation, type Route, routesOf, type WantedPort } from './chain.ts';

/** A Service and port that an Ingress wants. */
export interface WantedService {
  readonly name: string;
  readonly port: WantedPort;
  /** Of the backends that want just this. */
  readonly paths: readonly [FieldPath, ...FieldPath[]];
}

/** In the order in which they first stand in the Ingress. Three rules ask for them, one after the other. */
export const wantedServices = onceFor(wantedBy);

function wantedBy(ingress: Ingress): readonly WantedService[] {
  const wanted = routesOf(ingress).filter(({ backend: { service } }) => service !== undefined && namesPort(service.port));
  const groups = Map.groupBy(wanted, ({ backend: { service } }) =>
    JSON.stringify([service?.name, service?.port.name, service?.port.number]),
  );
  return [...groups.values()].map((routes) => {
    const [{ backend, path }, ...others] = routes as [Route, ...Route[]];
    const { name, port } = backend.service as NonNullable<typeof backend.service>;
    return { name, port, paths: [path, ...others.map((other) => other.path)] };
  });
}

/** The API server lets none through that does not; one may stand in a file. */
const namesPort = ({ name, number }: WantedPort): boolean => (name !== undefined || number !== undefined) && name !== portByAnnotation;

/** `port 80`, `port "http"`. */
export const formatWanted = ({ name, number }: WantedPort): string => `port ${name === undefined ? number : `"${name}"`}`;
