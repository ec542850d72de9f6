/** What stands behind a Service, as people know it: a Deployment and its Pods are one thing, whatever objects lie between. */

import { listed } from '../kube/listed.ts';
import { builtInWorkloads } from '../kube/normalize-workload.ts';
import { onceFor } from '../kube/once-for.ts';
import { type ContainerPort, formatRef, type ObjectRef, type PodShape, refOf, type Service, type Workload } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

export interface Backend {
  /** `Deployment web`, `Pod web-1 and 2 more`. */
  readonly title: string;
  readonly ref: ObjectRef;
  /** The template's, and those of the Pods that exist: injected containers stand in Pods only, coming ones in the template only. */
  readonly shapes: readonly PodShape[];
  /** How many Pods of it exist. */
  readonly pods: number;
  /** No Pod of it exists, and none is asked for. */
  readonly scaledToZero: boolean;
}

/** The backends that the Service selects; none if it has no endpoints of its own making: ExternalName, or no selector. */
export function backendsOf(service: Service, view: ClusterView): readonly Backend[] {
  if (!selectsPods(service)) return [];
  const workloads = view.workloadsSelectedBy(service.spec.selector, service.metadata.namespace);
  const backends = backendsBy.get(workloads) ?? asBackends(workloads, view);
  backendsBy.set(workloads, backends);
  return backends;
}

/** By the view's answer, which it gives to every rule that asks of one Service. */
const backendsBy = new WeakMap<readonly Workload[], readonly Backend[]>();

/**
 * Whether the EndpointSlice controller looks for Pods at all: not for an ExternalName, selector or not, and not without
 * a selector, where someone else writes the EndpointSlices (pkg/controller/endpointslice: syncService).
 */
export const selectsPods = ({ spec }: Service): boolean => spec.type !== 'ExternalName' && Object.keys(spec.selector).length > 0;

/** No virtual address: DNS answers with the Pods' own, and nothing translates ports. */
export const isHeadless = ({ spec }: Service): boolean => spec.clusterIPs.includes('None');

/** Workloads put together by what made them, in order of first appearance. */
export function asBackends(workloads: readonly Workload[], view: ClusterView): readonly Backend[] {
  const makers = new Map(workloads.filter(isTemplate).map((one) => [`${one.kind}/${one.metadata.name}`, one]));
  const groups = Map.groupBy(workloads, (workload) => {
    const maker = isTemplate(workload) ? workload : makers.get(workload.owner ?? '');
    // A Pod that nobody made has no maker's name in common with others: each shape is a thing of its own.
    return maker === undefined ? (workload.owner ?? workload) : (maker.owner ?? `${maker.kind}/${maker.metadata.name}`);
  });
  return [...groups.values()].map((members) => backendOf(members, view));
}

const isTemplate = ({ kind }: Workload): boolean => kind !== 'Pod';

function backendOf(members: readonly Workload[], view: ClusterView): Backend {
  const pods = members.reduce((sum, member) => sum + view.pods(member).count, 0);
  const templates = members.filter(isTemplate);
  const template = templates.find(({ owner }) => owner === undefined) ?? templates[0];
  const ref = template === undefined ? makerOrPod(members[0] as Workload, view) : refOf(template);
  const others = ref.kind === 'Pod' && pods > 1 ? ` and ${pods - 1} more` : '';
  return {
    title: formatRef({ ...ref, namespace: '' }) + others,
    ref,
    shapes: members.map(({ pod }) => pod),
    pods,
    scaledToZero: pods === 0 && template?.replicas === 0,
  };
}

/** The maker of Pods whose template is not known or does not match, if it is of a kind that we can address; else the first Pod. */
function makerOrPod(pod: Workload, view: ClusterView): ObjectRef {
  const { namespace } = pod.metadata;
  const [kind = '', name = ''] = (pod.owner ?? '').split('/');
  const known = builtInWorkloads.find((one) => one.kind === kind);
  if (known !== undefined) return { apiVersion: known.apiVersion, kind, namespace, name };
  return { apiVersion: 'v1', kind: 'Pod', namespace, name: view.pods(pod).names(1)[0] ?? pod.metadata.name };
}

/** The ports that the backends declare, each once, in the order in which Kubernetes looks for a name. Each finding of a Service names some of them. */
export const declaredPorts = onceFor(portsDeclaredBy);

function portsDeclaredBy(backends: readonly Backend[]): readonly ContainerPort[] {
  const found = new Map<string, ContainerPort>();
  for (const { shapes } of backends)
    for (const { ports } of shapes)
      for (const port of ports) {
        const key = `${port.name ?? ''}/${port.containerPort}/${port.protocol}`;
        if (!found.has(key)) found.set(key, port);
      }
  return [...found.values()];
}

/** Some of those that a selector selects: `Deployment web and Deployment api (2 of 6 workloads selected, 17 Pods)`. */
export function tallyOf(backends: readonly Backend[], of: number): string {
  const pods = backends.reduce((sum, backend) => sum + backend.pods, 0);
  const share = `${backends.length} of ${of} workload${of === 1 ? '' : 's'} selected`;
  return `${listed(backends.map(({ title }) => title))} (${share}${pods > 0 ? `, ${pods} Pod${pods === 1 ? '' : 's'}` : ''})`;
}
