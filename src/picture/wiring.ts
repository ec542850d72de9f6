/** The ways in: from outside to an Ingress or a Service's node port, to a Service, to Pods; broken where a finding stands. */
import { type Backend, backendsOf } from '../cluster/backends.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Finding } from '../engine/finding.ts';
import { listed } from '../kube/listed.ts';
import { targetPortIn } from '../kube/ports.ts';
import {
  formatRef,
  type Ingress,
  type IngressBackend,
  type JudgedResource,
  refOf,
  type Service,
  type ServicePort,
} from '../kube/resources.ts';
import { idOf, type PictureEdge, type Sketch } from './picture.ts';

/** The findings of one object that are grave enough to say that a connection does not come about. */
export type FindingsOf = (object: JudgedResource) => readonly Finding[];

/** By the objects judged. What is of low severity is a hint about a connection that may well work. */
export function findingsByObject(findings: readonly Finding[]): FindingsOf {
  const grave = findings.filter(({ severity }) => severity !== 'low' && severity !== 'info');
  const bySubject = Map.groupBy(grave, ({ subject }) => idOf(subject));
  return (object) => bySubject.get(idOf(refOf(object))) ?? [];
}

const outside = (sketch: Sketch): string => sketch.node('outside', 'outside', '', 'Outside the cluster');

/** Of an edge: that it works, or what the first of these findings says is wrong with it. */
export const stateOf = ([finding]: readonly Finding[]): Pick<PictureEdge, 'state' | 'why'> =>
  finding === undefined ? { state: 'works', why: '' } : { state: 'broken', why: `${finding.what} (${finding.ruleId})` };

export function drawIngress(sketch: Sketch, ingress: Ingress, view: ClusterView, findingsOf: FindingsOf): void {
  const from = sketch.objectNode('ingress', refOf(ingress));
  const hosts = listed([...new Set(ingress.spec.rules.map(({ host }) => host ?? 'any host'))], 2);
  sketch.edge({ from: outside(sketch), to: from, kind: 'entry', state: 'works', label: hosts, why: '' });
  for (const [name, ports] of routesOf(ingress)) drawRoute(sketch, from, { ingress, name, ports }, view);
  for (const finding of findingsOf(ingress)) {
    const [, field, index] = finding.path;
    const secret = field === 'tls' ? ingress.spec.tls[Number(index)]?.secretName : undefined;
    if (secret === undefined) continue;
    const ref = { apiVersion: 'v1', kind: 'Secret', namespace: ingress.metadata.namespace, name: secret };
    sketch.edge({ from, to: sketch.objectNode('missing', ref), kind: 'tls', label: 'there is no such Secret', ...stateOf([finding]) });
  }
}

/** The Services that an Ingress leads to, each with the ports by which it is named. */
function routesOf({ spec }: Ingress): ReadonlyMap<string, readonly string[]> {
  const backends = [spec.defaultBackend, ...spec.rules.flatMap(({ http }) => http?.paths.map(({ backend }) => backend) ?? [])];
  const routes = new Map<string, readonly string[]>();
  for (const service of backends.flatMap((backend?: IngressBackend) => backend?.service ?? [])) {
    const port = String(service.port.name ?? service.port.number ?? '');
    routes.set(service.name, [...new Set([...(routes.get(service.name) ?? []), port])]);
  }
  return routes;
}

interface Route {
  readonly ingress: Ingress;
  readonly name: string;
  readonly ports: readonly string[];
}

function drawRoute(sketch: Sketch, from: string, { ingress, name, ports }: Route, view: ClusterView): void {
  const { namespace } = ingress.metadata;
  const service = view.get('Service', namespace, name);
  const isMissing = view.coverage('Service', namespace) === 'complete' && service === undefined;
  const to = sketch.objectNode(isMissing ? 'missing' : 'service', { apiVersion: 'v1', kind: 'Service', namespace, name });
  const edge = { from, to, kind: 'route' } as const;
  const broken = { ...edge, state: 'broken', why: `a backend of ${formatRef(refOf(ingress))}` } as const;
  if (isMissing) {
    sketch.edge({ ...broken, label: 'there is no such Service' });
    return;
  }
  const [there, gone] = [true, false].map((isThere) =>
    ports.filter((port) => (service === undefined || hasPort(service, port)) === isThere),
  );
  if (there?.length) sketch.edge({ ...edge, state: 'works', label: listed(there), why: '' });
  if (gone?.length) sketch.edge({ ...broken, label: `no port ${listed(gone)}` });
}

/** By its name or its number; a backend that names none leads nowhere that could be said. */
const hasPort = ({ spec }: Service, named: string): boolean =>
  named === '' || spec.type === 'ExternalName' || spec.ports.some(({ name, port }) => name === named || String(port) === named);

export function drawService(sketch: Sketch, service: Service, view: ClusterView, findingsOf: FindingsOf): void {
  const from = sketch.objectNode('service', refOf(service));
  const findings = findingsOf(service);
  drawEntry(sketch, service, from, findings);
  if (service.spec.type === 'ExternalName') {
    const to = sketch.node(`name:${service.spec.externalName}`, 'outside', '', service.spec.externalName ?? 'no name');
    sketch.edge({ from, to, kind: 'serve', state: 'works', label: 'ExternalName', why: '' });
    return;
  }
  const backends = backendsOf(service, view);
  for (const backend of backends) drawBackend(sketch, service, from, backend, findings);
  if (backends.length > 0 || !isKnownToSelectNobody(service, view)) return;
  const to = sketch.node(`none:${from}`, 'missing', service.metadata.namespace, 'no Pod');
  const onSelector = findings.filter(({ path }) => path[1] === 'selector');
  const said = onSelector.length > 0 ? stateOf(onSelector) : ({ state: 'broken', why: 'no workload carries these labels' } as const);
  sketch.edge({ from, to, kind: 'serve', label: 'selects no Pod', ...said });
}

const isKnownToSelectNobody = ({ spec, metadata: { namespace } }: Service, view: ClusterView): boolean =>
  Object.keys(spec.selector).length > 0 && (['Pod', 'Template'] as const).every((one) => view.coverage(one, namespace) === 'complete');

function drawEntry(sketch: Sketch, { spec }: Service, to: string, findings: readonly Finding[]): void {
  if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return;
  const onEntry = findings.filter(({ path }) => path.at(-1) === 'nodePort');
  const amiss = new Set(onEntry.map(({ path }) => path[2]));
  const edge = { from: outside(sketch), to, kind: 'entry' } as const;
  for (const finding of onEntry)
    sketch.edge({ ...edge, label: `node port ${spec.ports[Number(finding.path[2])]?.nodePort ?? ''}`, ...stateOf([finding]) });
  const ports = spec.ports.filter((_, index) => !amiss.has(index));
  const names = ports.map(({ port, nodePort }) => (nodePort === undefined ? `${port}` : `node port ${nodePort}`));
  if (names.length > 0) sketch.edge({ ...edge, state: 'works', label: `${spec.type}: ${listed(names, 2)}`, why: '' });
}

function drawBackend(sketch: Sketch, { spec }: Service, from: string, backend: Backend, findings: readonly Finding[]): void {
  const to = sketch.node(idOf(backend.ref), 'workload', backend.ref.namespace, backend.title);
  const edge = { from, to, kind: 'serve' } as const;
  const works: string[] = [];
  for (const [index, port] of spec.ports.entries()) {
    const standing = findings.filter(({ path }) => standsOnPort(path, index) && concerns(backend, port));
    const isUnresolved = typeof port.targetPort === 'string' && backend.shapes.every((shape) => targetPortIn(shape, port) === undefined);
    if (standing.length === 0 && isUnresolved)
      sketch.edge({ ...edge, state: 'broken', label: arrowOf(port), why: `no Pod of it has a port ${port.targetPort}` });
    else if (standing.length > 0) sketch.edge({ ...edge, label: arrowOf(port), ...stateOf(standing) });
    else works.push(arrowOf(port));
  }
  if (works.length > 0) sketch.edge({ ...edge, state: 'works', label: listed(works), why: '' });
}

/** `80→http`, `53/UDP→53`. */
const arrowOf = ({ port, protocol, targetPort }: ServicePort): string => `${port}${protocol === 'TCP' ? '' : `/${protocol}`}→${targetPort}`;

/** A finding about the selector is about every port. */
const standsOnPort = ([, field, index, key]: Finding['path'], at: number): boolean =>
  field === 'selector' || (field === 'ports' && index === at && key !== 'nodePort');

/** A port name that some of the backends declare leads astray only with the others. */
const concerns = ({ shapes }: Backend, port: ServicePort): boolean =>
  typeof port.targetPort === 'number' || !shapes.every((shape) => targetPortIn(shape, port) !== undefined);
