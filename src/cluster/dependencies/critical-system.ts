/**
 * What the cluster itself rests on, and which connections of it must not be lost: those to each port to which a Service leads, and
 * its own to the API server and to the resolver (rules.md C, 71). Whether Pods ask the API server is not to be seen in a template;
 * those that have a ServiceAccount of their own are taken to, since they would need none otherwise.
 */
import { matchesPairs } from '../../kube/labels.ts';
import { targetPortIn } from '../../kube/ports.ts';
import type { Service, Workload } from '../../kube/resources.ts';
import { isHeadless, selectsPods } from '../backends.ts';
import { flowsToDns, sendsNothing } from '../dns-access.ts';
import { mayNotAsk } from '../dns-rules.ts';
import { isClosed, openersOf } from '../openness.ts';
import { asksResolver, type Resolver } from '../resolver.ts';
import type { PortOfPod } from '../traffic/flow.ts';
import type { ClusterView } from '../view.ts';
import { mayBeApiServer, unknownAddress } from './api-server.ts';

/** Those of the workloads on which the cluster rests. */
export const criticalAmong = (workloads: Iterable<Workload>, isProtected: boolean): readonly Workload[] =>
  [...workloads].filter(({ pod }) => isProtected || pod.priorityClassName !== undefined);

/** A port of Pods, and a Service of their namespace that leads there. */
export interface Served extends PortOfPod {
  readonly workload: Workload;
  readonly service: Service;
}

/** None of the resolver's Pods: what becomes of those, dns-resolver-isolated says. */
function servedOf(view: ClusterView, workload: Workload, resolver: Resolver | undefined): readonly Served[] {
  if (resolver !== undefined && leadsTo(resolver.service, workload)) return [];
  const { namespace } = workload.metadata;
  return view.list('Service', namespace).flatMap((service) => {
    view.step();
    return leadsTo(service, workload) ? portsServed(view, workload, service) : [];
  });
}

const portsServed = (view: ClusterView, workload: Workload, service: Service): readonly Served[] =>
  service.spec.ports.flatMap((servicePort): readonly Served[] => {
    view.step();
    // Nothing translates the port of a Service whose name leads to the Pods themselves.
    const port = isHeadless(service) ? servicePort.port : targetPortIn(workload.pod, servicePort);
    return port === undefined ? [] : [{ service, workload, protocol: servicePort.protocol, port }];
  });

const leadsTo = (service: Service, { metadata, pod }: Workload): boolean =>
  service.metadata.namespace === metadata.namespace && selectsPods(service) && matchesPairs(service.spec.selector, pod.labels);

/** Whether certainly nobody reaches it any more, whoever does use it. */
const isCutOff = (view: ClusterView, { workload, ...port }: Served): boolean =>
  isClosed(openersOf(view, workload, 'Ingress', workload, port));

/** Whether something holds after a write, and did not before it. */
export type IsNew = (holds: (view: ClusterView) => boolean) => boolean;

export interface Closed {
  /** Of some workloads nobody reaches any port: then only these are spoken of. */
  readonly isWhole: boolean;
  readonly ports: readonly Served[];
  /** All that would have to be opened. */
  readonly closed: readonly Served[];
}

/** What a write has cut off. */
export function closedAmong(view: ClusterView, workloads: readonly Workload[], resolver: Resolver | undefined, isNew: IsNew): Closed {
  const served = workloads.map((workload) => servedOf(view, workload, resolver));
  const closed = served.map((ports) => ports.filter((port) => isNew((state) => isCutOff(state, port))));
  const whole = closed.filter((_, at) => served[at]?.every((port) => isCutOff(view, port))).flat();
  return { isWhole: whole.length > 0, ports: whole.length > 0 ? whole : closed.flat(), closed: closed.flat() };
}

/** Whom Pods may need to ask. */
export interface Asked {
  /** None where it is not known on which ports it answers. */
  readonly apiServerPorts: readonly PortOfPod[];
  readonly resolver: Resolver | undefined;
  /** Whether it is to be found out who cannot ask the resolver. */
  readonly judgesNames: boolean;
}

export interface Muted {
  readonly workloads: readonly Workload[];
  /** Whom they cannot ask, in words. */
  readonly missed: readonly string[];
  /** Those that would have to be opened. */
  readonly ports: readonly PortOfPod[];
}

/** Those whom a write keeps from the API server or from the resolver. */
export function mutedAmong(workloads: readonly Workload[], asked: Asked, isNew: IsNew): Muted {
  const noApiServer = workloads.filter((one) => isNew((state) => cannotAskApiServer(state, one, asked)));
  const noNames = asked.judgesNames ? workloads.filter((one) => isNew((state) => cannotAskResolver(state, one, asked))) : [];
  const missed = [
    { of: noApiServer, name: 'the API server', ports: asked.apiServerPorts },
    { of: noNames, name: "the cluster's DNS", ports: asked.resolver?.ports ?? [] },
  ].filter(({ of }) => of.length > 0);
  return { workloads: [...noApiServer, ...noNames], missed: missed.map(({ name }) => name), ports: missed.flatMap(({ ports }) => ports) };
}

/** Whether such Pods ask the API server, and certainly may not. Where the resolver's may send nothing at all, dns-resolver-isolated says so. */
function cannotAskApiServer(view: ClusterView, workload: Workload, { apiServerPorts, resolver }: Asked): boolean {
  if (workload.pod.serviceAccountName === undefined || apiServerPorts.length === 0) return false;
  if (resolver !== undefined && leadsTo(resolver.service, workload) && sendsNothing(view, resolver)) return false;
  return !apiServerPorts.some((port) => mayBeApiServer(view, openersOf(view, workload, 'Egress', unknownAddress, port)));
}

/** Whether such Pods ask the cluster's resolver, and their own policies certainly keep them from it. */
const cannotAskResolver = (view: ClusterView, workload: Workload, { resolver }: Asked): boolean =>
  resolver !== undefined && asksResolver(workload, resolver) && mayNotAsk(flowsToDns(view, workload, resolver));
