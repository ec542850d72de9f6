/** The way of requests through an Ingress or a Service, each link of it, with the repair where it is broken. */
import type { Backend } from '../cluster/backends.ts';
import { type Chain, chainBehind, portBehind, type Route, routesOf } from '../cluster/chain.ts';
import type { AskedPort } from '../cluster/dependencies/dependency.ts';
import type { Serving } from '../cluster/dependencies/ingress-backends.ts';
import { NotKnown, RecordingView } from '../cluster/recording.ts';
import { formatRoute } from '../cluster/referrers.ts';
import type { ClusterSnapshot } from '../cluster/snapshot.ts';
import type { Finding, Fix } from '../engine/finding.ts';
import { formatPath } from '../kube/field-path.ts';
import { formatLabels } from '../kube/labels.ts';
import { listed } from '../kube/listed.ts';
import { type Ingress, type JudgedResource, type ObjectRef, refOf, type Service, type ServicePort } from '../kube/resources.ts';
import { policyEnd, servingOf } from './explained-policy.ts';

/**
 * `holds`; `broken`: requests get no further; `doubtful`: they probably do not, or not all; `open`: it goes on where nobody
 * here can see, or nothing is there on purpose; `unknown`: what it takes to tell may not be read, or is in no file.
 */
export type LinkState = 'holds' | 'broken' | 'doubtful' | 'open' | 'unknown';

export interface ExplainedLink {
  readonly link: 'ingress' | 'service' | 'port' | 'pods' | 'policy';
  readonly state: LinkState;
  readonly text: string;
}

/** The first repair, and the rule that tells of it, if one does. */
export interface Repair {
  readonly ruleId?: string;
  readonly object: ObjectRef;
  readonly fix: Fix;
}

export interface ExplainedRoute {
  /** `shop.example/cart`, `port 80 (http)`. */
  readonly title: string;
  /** Where in the object it begins. */
  readonly field: string;
  /** Up to the first that does not hold. */
  readonly links: readonly ExplainedLink[];
  readonly repair?: Repair;
}

export interface Explained {
  readonly object: ObjectRef;
  readonly routes: readonly ExplainedRoute[];
}

/** What rules find in an object as it stands. */
export type FindingsIn = (object: JudgedResource) => readonly Finding[];

export function explainedIngress(ingress: Ingress, snapshot: ClusterSnapshot, findingsIn: FindingsIn): Explained {
  const { namespace, name } = ingress.metadata;
  const view = new RecordingView(snapshot);
  const onRoute = byRoute(ingress, findingsIn(ingress));
  const serving = servingOf(ingress, snapshot);
  const routes = routesOf(ingress).map((route) => {
    const first: ExplainedLink = { link: 'ingress', state: 'holds', text: `Ingress ${name}, ${formatPath(route.path)}` };
    const wanted = route.backend.service;
    const start = attempt('service', () => portBehind(route.backend, namespace, view));
    const rest = 'state' in start ? { links: [start] } : 'end' in start ? toTheEnd(start, wanted) : behindPort(start, view, serving);
    const links = [first, ...rest.links];
    const found = [...(rest.service === undefined ? [] : onPort(rest.service, rest.port, findingsIn)), ...onRoute(route)];
    return withRepair({ title: formatRoute(route), field: formatPath(route.path), links }, found, rest.service ?? ingress, rest.repair);
  });
  return { object: refOf(ingress), routes };
}

export function explainedService(service: Service, snapshot: ClusterSnapshot, findingsIn: FindingsIn): Explained {
  const view = new RecordingView(snapshot);
  const object = refOf(service);
  if (service.spec.type === 'ExternalName') {
    const { links } = toTheEnd({ end: 'externalName', service }, undefined);
    return { object, routes: [{ title: `Service ${service.metadata.name}`, field: 'spec.externalName', links }] };
  }
  const routes = service.spec.ports.map((port, index) => {
    const { links } = behindPort({ service, port }, view);
    return withRepair({ title: formatServicePort(port), field: `spec.ports[${index}]`, links }, onPort(service, port, findingsIn), service);
  });
  return { object, routes };
}

/** Links, and the Service and port in which the last of them is to be repaired. */
interface Rest {
  readonly links: readonly ExplainedLink[];
  readonly service?: Service;
  readonly port?: ServicePort;
  /** What mends the last link, where it is broken and no rule says so, if it knows better than anybody. */
  readonly repair?: string;
}

function behindPort({ service, port }: AskedPort, view: RecordingView, serving?: Serving): Rest {
  const chain = attempt('pods', () => chainBehind(service, port, view));
  const before = [serviceLink(service), portLink(port)];
  if ('state' in chain) return { links: [...before, chain] };
  const pods = podsLink(chain, view);
  const last = pods.state === 'holds' ? policyEnd({ service, port }, serving, view) : undefined;
  return {
    service,
    port,
    links: [...before, pods, ...(last === undefined ? [] : [last.link])],
    ...(last?.repair && { repair: last.repair }),
  };
}

/** A chain that ends before any port. */
function toTheEnd(chain: Chain, wanted: Route['backend']['service']): Rest {
  const port = wanted && `port ${wanted.port.name ?? wanted.port.number}`;
  if (chain.end === 'noPort')
    return {
      links: [
        serviceLink(chain.service),
        { link: 'port', state: 'broken', text: `${port}: Service ${chain.service.metadata.name} has no such port` },
      ],
    };
  if (chain.end === 'externalName') {
    const text = `Service ${chain.service.metadata.name} stands for ${chain.service.spec.externalName}`;
    return { links: [{ link: 'service', state: 'open', text }] };
  }
  if (chain.end === 'noService') return { links: [{ link: 'service', state: 'broken', text: `there is no Service ${wanted?.name}` }] };
  return { links: [{ link: 'service', state: 'open', text: 'the Ingress controller alone knows where this backend leads' }] };
}

const serviceLink = ({ metadata }: Service): ExplainedLink => ({ link: 'service', state: 'holds', text: `Service ${metadata.name}` });

const portLink = (port: ServicePort): ExplainedLink => ({
  link: 'port',
  state: 'holds',
  text: `${formatServicePort(port)}, which leads to ${port.targetPort}/${port.protocol}`,
});

const formatServicePort = ({ name, port }: ServicePort): string => `port ${port}${name === undefined ? '' : ` (${name})`}`;

function podsLink(chain: Chain, view: RecordingView): ExplainedLink {
  const link = { link: 'pods' } as const;
  switch (chain.end) {
    case 'noSelector':
      return { ...link, state: 'open', text: `Service ${chain.service.metadata.name} has no selector: someone else writes its endpoints` };
    case 'noPods':
      return { ...link, state: 'broken', text: `selector ${formatLabels(chain.service.spec.selector)} matches no Pod` };
    case 'noTargetPort':
      return {
        ...link,
        state: 'broken',
        text: `${titlesOf(chain.backends)}: no container has a ${chain.port.protocol} port "${chain.port.targetPort}"`,
      };
    case 'scaledToZero':
      return { ...link, state: 'open', text: `${titlesOf(chain.backends)}, scaled to zero` };
    case 'pods':
      return { ...link, ...answeringOf(chain.service, chain.backends, view) };
    default:
      throw new Error(`no chain behind a port ends at ${chain.end}`);
  }
}

const titlesOf = (backends: readonly Backend[]): string => listed(backends.map(({ title }) => title));

/** Templates alone say nothing of who is ready. */
function answeringOf(
  { metadata, spec }: Service,
  backends: readonly Backend[],
  view: RecordingView,
): Pick<ExplainedLink, 'state' | 'text'> {
  const selected = view.workloadsSelectedBy(spec.selector, metadata.namespace);
  const records = selected.flatMap((workload) => Array.from(view.pods(workload).records(), ([, record]) => record));
  const alive = records.filter(({ terminating }) => !terminating);
  const ready = alive.filter((record) => record.ready || spec.publishNotReadyAddresses).length;
  if (alive.length === 0) return { state: 'holds', text: titlesOf(backends) };
  const count = `${ready} of ${alive.length} Pod${alive.length === 1 ? '' : 's'} ready`;
  return { state: ready === 0 ? 'broken' : 'holds', text: `${titlesOf(backends)}: ${count}` };
}

/** What is not known ends the way, and says why. */
function attempt<T>(link: ExplainedLink['link'], follow: () => T): T | ExplainedLink {
  try {
    return follow();
  } catch (cause) {
    if (!(cause instanceof NotKnown)) throw cause;
    const why = whyUnknown(cause.coverage);
    return {
      link,
      state: 'unknown',
      text: `${cause.collection === 'Template' ? 'Pod templates' : `${cause.collection}s`} of ${cause.namespace}: ${why}`,
    };
  }
}

function whyUnknown(coverage: NotKnown['coverage']): string {
  if (coverage === 'notGiven') return 'the files hold none';
  return coverage === 'partial' ? 'there may be more than the files hold' : `they are ${coverage}`;
}

/** Of a Service: those about this port, or about the Pods behind every port. What opens a node port is no link of the way. */
const onPort = (service: Service, port: ServicePort | undefined, findingsIn: FindingsIn): readonly Finding[] =>
  findingsIn(service).filter(({ path: [, field, index, key] }) =>
    field === 'ports' ? port !== undefined && service.spec.ports.indexOf(port) === index && key !== 'nodePort' : field === 'selector',
  );

/** Of an Ingress: those about a backend that names the same port of the same Service; about a Service that is missing, of the same Service. */
function byRoute(ingress: Ingress, findings: readonly Finding[]): (route: Route) => readonly Finding[] {
  const keys = new Map(routesOf(ingress).map((route) => [JSON.stringify(route.path), route.backend]));
  const found = Map.groupBy(findings, ({ path }) => {
    const backend = keys.get(JSON.stringify(path.slice(0, path[1] === 'defaultBackend' ? 2 : 7)));
    return backend && (path.at(-1) === 'name' && path.at(-2) === 'service' ? backend.service?.name : JSON.stringify(backend));
  });
  return ({ backend }) => [...(found.get(JSON.stringify(backend)) ?? []), ...(found.get(backend.service?.name ?? '') ?? [])];
}

/** A grave finding about a link that seems to hold makes it doubtful. */
function withRepair(route: ExplainedRoute, found: readonly Finding[], at: JudgedResource, own?: string): ExplainedRoute {
  const last = route.links.at(-1) as ExplainedLink;
  const isWorthTelling = (finding: Finding): boolean => finding.severity !== 'low' && finding.severity !== 'info';
  const told = last.link === 'policy' ? found.filter(({ ruleId }) => ruleId.includes('policy')) : found;
  const [finding] = last.state === 'broken' ? told : last.state === 'holds' ? found.filter(isWorthTelling) : [];
  const repair = finding && { ruleId: finding.ruleId, object: finding.subject, fix: finding.fix };
  if (last.state === 'holds' && finding !== undefined) {
    const doubt: ExplainedLink = { ...last, state: 'doubtful', text: `${last.text}; ${finding.what}` };
    return { ...route, links: [...route.links.slice(0, -1), doubt], ...(repair && { repair }) };
  }
  if (last.state !== 'broken') return route;
  return { ...route, repair: repair ?? { object: refOf(at), fix: { text: own ?? ownRepair(last, at) } } };
}

/** Where no rule has anything to say: rules are off, or the Pods are there and not ready. */
function ownRepair({ link }: ExplainedLink, { kind, metadata: { name }, ...rest }: JudgedResource): string {
  if (link === 'pods' && kind === 'Service' && 'selector' in rest.spec)
    return `see what the Pods with ${formatLabels(rest.spec.selector)} wait for (kubectl describe pods)`;
  return `name a ${link} that is there in ${kind} ${name}`;
}

/** Whether some link of some route is in this state. */
export const has = (state: LinkState, { routes }: Explained): boolean => routes.some(({ links }) => links.at(-1)?.state === state);
