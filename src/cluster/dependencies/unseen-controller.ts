/**
 * What is said of Ingresses to who may not know where their controller runs. By the labels that a policy lets in, it would be
 * searched for: so nothing decides but the own namespace and the class. What lets in nobody of another namespace shuts the
 * controller out, wherever it is.
 */
import { labelsOf, matchesPairs } from '../../kube/labels.ts';
import type { Ingress, Workload } from '../../kube/resources.ts';
import { classBehind } from '../ingress-classes.ts';
import type { IngressController } from '../ingress-controllers.ts';
import { openersOf } from '../openness.ts';
import { isOfOwnNamespace } from '../policy-peers.ts';
import type { Destination, Flow, Verdict } from '../traffic/flow.ts';
import { isolating } from '../traffic/selecting.ts';
import type { ClusterView } from '../view.ts';
import type { Dependency } from './dependency.ts';
import { backendsOfIngress, type Serving } from './ingress-backends.ts';

/** Stands for the Pods of a controller: no namespace has its name. */
const unseen: Workload = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: '', name: 'controller' },
  pod: { labels: labelsOf({}), ports: [], probePorts: [], hostNetwork: false, dnsPolicy: 'ClusterFirst', nameservers: [] },
};

/** Undefined where no controller is known to serve the class from Pods, or where Pods of the own namespace may be those. */
export function unseenServing(view: ClusterView, ingress: Ingress): Serving | undefined {
  const controller = classBehind(ingress, view)?.controller;
  return controller && servingBy(view, controller, ingress.metadata.namespace);
}

function servingBy(view: ClusterView, controller: IngressController, namespace: string): Serving | undefined {
  if (controller.podLabels === undefined) return undefined;
  const labels = labelsOf(controller.podLabels);
  const isHere = view.workloads(namespace).some(({ pod }) => {
    view.step();
    return matchesPairs(labels, pod.labels);
  });
  return isHere ? undefined : { controller, pods: [unseen] };
}

/** The connections to the backends of the Ingresses of a namespace. */
export function* dependenciesOfUnseen(view: ClusterView, namespace: string): Generator<Dependency> {
  const servings = new Map<IngressController, Serving | undefined>();
  for (const ingress of view.list('Ingress', namespace)) {
    view.step();
    const controller = classBehind(ingress, view)?.controller;
    if (controller === undefined) continue;
    if (!servings.has(controller)) servings.set(controller, servingBy(view, controller, namespace));
    const serving = servings.get(controller);
    if (serving !== undefined) for (const { ways } of backendsOfIngress(view, ingress, serving, namespace)) yield* ways;
  }
}

export const isUnseen = ({ from }: Pick<Dependency, 'from'>): boolean => from === unseen;

/** Denied where certainly nobody of another namespace is let in; of what he may send, nothing is known. */
export function flowFromUnseen(view: ClusterView, to: Destination): Flow {
  const openers = openersOf(view, to.workload, 'Ingress', to.workload, to);
  const isShut = openers !== 'anybody' && openers.every(({ peer, namespace }) => isOfOwnNamespace(peer, namespace));
  const isolatedBy = isolating(view, to.workload, 'Ingress').map(({ policy }) => policy);
  const ingress: Verdict = { answer: isShut ? 'denied' : 'depends', isolatedBy, doubts: isShut ? [] : ['namespace'] };
  return { answer: ingress.answer, egress: { answer: 'allowed', isolatedBy: [], doubts: [] }, ingress, doubts: ingress.doubts };
}
