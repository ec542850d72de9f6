/** Who takes part in declared connections, found once for a state of the cluster's workloads: a write of a policy leaves them as they are. */
import { labelsOf, matchesPairs } from '../../kube/labels.ts';
import type { Labels, Workload } from '../../kube/resources.ts';
import { isSameList } from '../traffic/roll.ts';
import type { ClusterView } from '../view.ts';
import { keyOf, preferringPods } from './dependency.ts';
import { namespacesAsked } from './told-hosts.ts';

const prometheusLabels = labelsOf({ 'app.kubernetes.io/name': 'prometheus' });

/** That of prometheus-operator reads ServiceMonitors and PodMonitors, and no annotations (pkg/prometheus/common.go: its Pods' labels). */
const operatorLabel = 'operator.prometheus.io/name';

export class Directory {
  private readonly templates: readonly Workload[];
  private readonly pods: readonly Workload[];
  private readonly makers = new Map<object, readonly Workload[]>();
  private askers: ReadonlyMap<string, readonly Workload[]> | undefined;

  private constructor(templates: readonly Workload[], pods: readonly Workload[]) {
    this.templates = templates;
    this.pods = pods;
  }

  /** The same one for states that differ in other things than workloads. Reads all of them. */
  static of(view: ClusterView): Directory {
    const [templates, pods] = [view.listAll('Template'), view.listAll('Pod')];
    const version = view.version('Namespace');
    const last = lastOf.get(version);
    if (last !== undefined && isSameList(last.templates, templates) && isSameList(last.pods, pods)) return last;
    const directory = new Directory(templates, pods);
    lastOf.set(version, directory);
    return directory;
  }

  /** What carries the labels, if one maker has made it all: of several, nobody here knows which one is asked. */
  soleMaker(labels: Labels): readonly Workload[] {
    const known = this.makers.get(labels);
    if (known !== undefined) return known;
    const found = this.all().filter(({ pod }) => matchesPairs(labels, pod.labels) && pod.labels[operatorLabel] === undefined);
    const made = new Set(found.map(keyOf)).size === 1 ? preferringPods(found) : [];
    this.makers.set(labels, made);
    return made;
  }

  /** The Pods of the one Prometheus that scrapes by annotations; none where there is none or several. */
  get prometheus(): readonly Workload[] {
    return this.soleMaker(prometheusLabels);
  }

  /** Workloads of other namespaces that are told of something in this one. */
  askersOf(namespace: string): readonly Workload[] {
    this.askers ??= askersIn(this.all());
    return this.askers.get(namespace) ?? [];
  }

  get namespaces(): ReadonlySet<string> {
    return new Set(this.all().map(({ metadata }) => metadata.namespace));
  }

  private all(): readonly Workload[] {
    return [...this.templates, ...this.pods];
  }
}

const lastOf = new WeakMap<object, Directory>();

function askersIn(workloads: readonly Workload[]): ReadonlyMap<string, readonly Workload[]> {
  const askers = new Map<string, Workload[]>();
  for (const workload of preferringPods(workloads))
    for (const namespace of namespacesAsked(workload)) {
      if (namespace === workload.metadata.namespace) continue;
      const those = askers.get(namespace);
      if (those === undefined) askers.set(namespace, [workload]);
      else those.push(workload);
    }
  return askers;
}
