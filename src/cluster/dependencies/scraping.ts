/** Prometheus asks those Pods and Services for their metrics that say so by annotations. */
import type { Service, Workload } from '../../kube/resources.ts';
import { scrapePortOf } from '../../kube/scraping.ts';
import { selectsPods } from '../backends.ts';
import type { ClusterView } from '../view.ts';
import { type Dependency, preferringPods, titleOf } from './dependency.ts';

/** The connections from Prometheus to what asks to be scraped in one namespace. */
export function* dependenciesOfScraping(
  view: ClusterView,
  prometheus: readonly Workload[],
  namespace: string,
  own: string,
): Generator<Dependency> {
  for (const { workload, port } of targetsIn(view, namespace)) {
    view.step();
    const to = { workload, protocol: 'TCP', port, serviceAddresses: [] } as const;
    const title = `Prometheus to ${titleOf(workload, own)}:${port}`;
    for (const from of prometheus) yield { kind: 'scrape', from, to, title };
  }
}

interface Target {
  readonly workload: Workload;
  readonly port: number;
}

function* targetsIn(view: ClusterView, namespace: string): Generator<Target> {
  for (const workload of preferringPods(view.workloads(namespace)))
    if (workload.pod.scrapePort !== undefined) yield { workload, port: workload.pod.scrapePort };
  for (const service of view.list('Service', namespace)) {
    const port = scrapePortOf(service.metadata.annotations);
    if (port !== undefined) yield* podsBehind(view, service, port);
  }
}

/** Each endpoint of the Service, at the port of the annotation: Prometheus asks the Pods themselves. */
function* podsBehind(view: ClusterView, service: Service, port: number): Generator<Target> {
  if (!selectsPods(service)) return;
  const workloads = view.workloadsSelectedBy(service.spec.selector, service.metadata.namespace);
  for (const workload of preferringPods(workloads)) if (workload.pod.scrapePort === undefined) yield { workload, port };
}
