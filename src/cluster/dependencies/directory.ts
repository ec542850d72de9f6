/**
 * Who takes part in declared connections. Found once for the workloads of a namespace: a write of a policy leaves all of them
 * as they are, and any other one those of all namespaces but its own.
 */
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
  private readonly parts: ReadonlyMap<string, Part>;
  private readonly makers = new Map<object, readonly Workload[]>();

  private constructor(templates: readonly Workload[], pods: readonly Workload[], last: Directory | undefined) {
    this.templates = templates;
    this.pods = pods;
    this.parts = partsOf(templates, pods, last?.parts);
  }

  /** The same one for states that differ in other things than workloads. Reads all of them. */
  static of(view: ClusterView): Directory {
    const [templates, pods] = [view.listAll('Template'), view.listAll('Pod')];
    const version = view.version('Namespace');
    const last = lastOf.get(version);
    if (last !== undefined && isSameList(last.templates, templates) && isSameList(last.pods, pods)) return last;
    const directory = new Directory(templates, pods, last);
    lastOf.set(version, directory);
    return directory;
  }

  /** What carries the labels, if one maker has made it all: of several, nobody here knows which one is asked. */
  soleMaker(labels: Labels): readonly Workload[] {
    const known = this.makers.get(labels);
    if (known !== undefined) return known;
    const found = [...this.parts.values()].flatMap((part) => part.carrying(labels));
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
    return [...this.parts.values()].flatMap((part) => part.askersOf(namespace));
  }

  get namespaces(): Iterable<string> {
    return this.parts.keys();
  }
}

const lastOf = new WeakMap<object, Directory>();

/** What the workloads of one namespace tell. */
class Part {
  readonly workloads: readonly Workload[];
  private readonly byLabels = new Map<object, readonly Workload[]>();
  private askers: ReadonlyMap<string, readonly Workload[]> | undefined;

  constructor(workloads: readonly Workload[]) {
    this.workloads = workloads;
  }

  carrying(labels: Labels): readonly Workload[] {
    const known = this.byLabels.get(labels);
    if (known !== undefined) return known;
    const found = this.workloads.filter(({ pod }) => matchesPairs(labels, pod.labels) && pod.labels[operatorLabel] === undefined);
    this.byLabels.set(labels, found);
    return found;
  }

  /** Those that are told of something in another namespace. */
  askersOf(namespace: string): readonly Workload[] {
    this.askers ??= askersIn(this.workloads);
    return this.askers.get(namespace) ?? nobody;
  }
}

const nobody: readonly Workload[] = [];

/** In order of namespace. Those in which nothing differs stay. */
function partsOf(
  templates: readonly Workload[],
  pods: readonly Workload[],
  last: ReadonlyMap<string, Part> | undefined,
): ReadonlyMap<string, Part> {
  const groups = Map.groupBy([...templates, ...pods], ({ metadata }) => metadata.namespace);
  const inOrder = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    inOrder.map(([namespace, workloads]) => {
      const part = last?.get(namespace);
      return [namespace, part !== undefined && isSameList(part.workloads, workloads) ? part : new Part(workloads)];
    }),
  );
}

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
