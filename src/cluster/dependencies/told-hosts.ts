/** Workloads whose containers are told to connect to a Service: by an environment variable, a command or an argument. */
import type { Service, ServicePort, Workload } from '../../kube/resources.ts';
import type { ClusterView } from '../view.ts';
import { type AskedPort, type Dependency, destinationsBehind, keyOf, titleOf, titleOfPort } from './dependency.ts';

/** What such Pods ask of Services, those of `to` alone if it is given. A Service that is not known counts as none. */
export function* dependenciesOfHosts(view: ClusterView, from: Workload, own: string, to?: string): Generator<Dependency> {
  for (const host of from.pod.hosts ?? []) {
    view.step();
    const asked = portCalled(host, from.metadata.namespace, view, to);
    if (asked === undefined) continue;
    const title = `${titleOf(from, own)} to ${titleOfPort(asked, own)}`;
    for (const destination of destinationsBehind(asked, view)) {
      // Who is told of his own Service tells others of it.
      if (keyOf(destination.workload) === keyOf(from)) continue;
      yield { kind: 'host', from, to: destination, title };
    }
  }
}

/** The namespaces of which it is told, each once, whatever there is. */
export const namespacesAsked = ({ metadata, pod }: Workload): ReadonlySet<string> =>
  new Set(pod.hosts?.map((host) => parse(host).namespace ?? metadata.namespace));

interface Host {
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
}

/** As `hostsOf` writes them. */
function parse(host: string): Host {
  const [path = '', port] = host.split(':');
  const [name = '', namespace] = path.split('.');
  return { name, ...(namespace !== undefined && { namespace }), ...(port !== undefined && { port: Number(port) }) };
}

function portCalled(host: string, own: string, view: ClusterView, to: string | undefined): AskedPort | undefined {
  const { name, namespace = own, port: number } = parse(host);
  if (to !== undefined && to !== namespace) return undefined;
  if (view.coverage('Service', namespace) !== 'complete') return undefined;
  const service = view.get('Service', namespace, name);
  const port = service && portOf(service, number);
  return service === undefined || port === undefined || !isKnown(view, namespace) ? undefined : { service, port };
}

const isKnown = (view: ClusterView, namespace: string): boolean =>
  view.coverage('Pod', namespace) === 'complete' && view.coverage('Template', namespace) === 'complete';

/** Without a number only a Service of one port leaves no doubt. */
function portOf({ spec: { ports } }: Service, number: number | undefined): ServicePort | undefined {
  if (number === undefined) return ports.length === 1 ? ports[0] : undefined;
  const called = ports.filter(({ port }) => port === number);
  return called.find(({ protocol }) => protocol === 'TCP') ?? called[0];
}
