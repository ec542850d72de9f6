/**
 * The connections that objects of a cluster declare: Ingress controllers to backends, workloads to the Services that they are
 * told of, Prometheus to whom it scrapes. DNS, the API server and its webhooks are other rules' affair. What is in no object,
 * or in ConfigMaps, Secrets and files, is not known.
 */
import type { Collection, Workload } from '../../kube/resources.ts';
import type { ClusterView } from '../view.ts';
import { type Dependency, preferringPods } from './dependency.ts';
import { Directory } from './directory.ts';
import { backendsOfIngress, mayServe, servingOf } from './ingress-backends.ts';
import { dependenciesOfScraping } from './scraping.ts';
import { dependenciesOfHosts } from './told-hosts.ts';

/** Pods of one namespace. */
export interface Subjects {
  readonly namespace: string;
  readonly workloads: ReadonlySet<Workload>;
}

/**
 * Those that may begin or end at the subjects, and others of their namespace; the gravest kind first. What the view does not
 * hold completely declares nothing, but for the subjects' own namespace.
 */
export function* dependenciesOf(view: ClusterView, subjects: Subjects): Generator<Dependency> {
  const { namespace } = subjects;
  const directory = areAllKnown(view) ? Directory.of(view) : undefined;
  if (directory !== undefined) yield* ofIngresses(view, directory, subjects);
  const own = preferringPods(view.workloads(namespace));
  for (const from of own) yield* dependenciesOfHosts(view, from, namespace);
  if (directory === undefined) return;
  for (const from of directory.askersOf(namespace)) yield* dependenciesOfHosts(view, from, namespace, namespace);
  yield* ofScraping(view, directory, subjects);
}

const everywhere: readonly Collection[] = ['Ingress', 'IngressClass', 'Pod', 'Service', 'Template'];

/** Whether the view holds completely what declares connections. */
export const areAllKnown = (view: ClusterView): boolean => everywhere.every((collection) => view.coverage(collection, '*') === 'complete');

/** Backends are Services of the Ingress's own namespace; a controller serves all namespaces. */
function* ofIngresses(view: ClusterView, directory: Directory, { namespace, workloads }: Subjects): Generator<Dependency> {
  const isOfController = [...workloads].some(mayServe);
  for (const ingress of isOfController ? view.listAll('Ingress') : view.list('Ingress', namespace)) {
    view.step();
    const serving = servingOf(view, ingress, directory);
    if (serving === undefined) continue;
    const isNear = ingress.metadata.namespace === namespace || serving.pods.some((pod) => workloads.has(pod));
    if (isNear) for (const { ways } of backendsOfIngress(view, ingress, serving, namespace)) yield* ways;
  }
}

function* ofScraping(view: ClusterView, { prometheus, namespaces }: Directory, { namespace, workloads }: Subjects): Generator<Dependency> {
  if (prometheus.length === 0) return;
  const isSubject = prometheus.some((pod) => workloads.has(pod));
  for (const name of isSubject ? namespaces : [namespace]) yield* dependenciesOfScraping(view, prometheus, name, namespace);
}
