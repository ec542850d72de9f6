/** Ingress controllers send requests to the Pods behind the Services that Ingresses name. */
import { matchesPairs } from '../../kube/labels.ts';
import type { Ingress, Workload } from '../../kube/resources.ts';
import { portBehind } from '../chain.ts';
import { classOf, controllerOf } from '../ingress-classes.ts';
import { type IngressController, ingressControllers } from '../ingress-controllers.ts';
import { type WantedService, wantedServices } from '../ingress-services.ts';
import type { ClusterView } from '../view.ts';
import { type AskedPort, type Dependency, destinationsBehind, qualified, titleOfPort } from './dependency.ts';
import { Directory } from './directory.ts';

/** Who serves an Ingress. */
export interface Serving {
  readonly controller: IngressController;
  readonly pods: readonly Workload[];
}

/**
 * Who serves an Ingress, as far as it is certain: one controller of that make runs, and carries the labels of its own chart.
 * Who asks of many gives the directory.
 */
export function servingOf(view: ClusterView, ingress: Ingress, directory?: Directory): Serving | undefined {
  const name = classOf(ingress);
  const controller = name === undefined ? undefined : controllerOf(name, view);
  if (controller?.podLabels === undefined) return undefined;
  const pods = (directory ?? Directory.of(view)).soleMaker(controller.podLabels);
  return pods.length === 0 ? undefined : { controller, pods };
}

/** Whether such Pods look like those of some controller: then Ingresses of every namespace may depend on them. */
export const mayServe = ({ pod }: Workload): boolean =>
  ingressControllers.some(({ podLabels }) => podLabels !== undefined && matchesPairs(podLabels, pod.labels));

/** A backend of an Ingress, and the ways to it. */
export interface BackendWays {
  readonly asked: AskedPort;
  /** The fields of the Ingress that name it. */
  readonly paths: WantedService['paths'];
  readonly ways: readonly Dependency[];
}

/** The connections from such Pods to each backend of an Ingress that a Service of the cluster stands for. */
export function* backendsOfIngress(view: ClusterView, ingress: Ingress, { pods }: Serving, own: string): Generator<BackendWays> {
  const { metadata } = ingress;
  for (const { name, port, paths } of wantedServices(ingress)) {
    view.step();
    const asked = portBehind({ service: { name, port } }, metadata.namespace, view);
    if ('end' in asked) continue;
    const title = `Ingress ${qualified(metadata, own)} to ${titleOfPort(asked, own)}`;
    const ways = destinationsBehind(asked, view).flatMap((to) => pods.map((from): Dependency => ({ kind: 'ingress', from, to, title })));
    yield { asked, paths, ways };
  }
}
