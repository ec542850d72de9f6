/** What a class says of the controller behind it. */
import { matchesAnyGlob } from '../kube/glob.ts';
import type { Ingress, IngressClass } from '../kube/resources.ts';
import { classAnnotation, type IngressController, ingressControllers } from './ingress-controllers.ts';
import type { ClusterView } from './view.ts';

/** The class, as the field or the old annotation names it; both are read, the field first. */
export const classOf = ({ metadata, spec }: Ingress): string | undefined => spec.ingressClassName || metadata.annotations[classAnnotation];

/** A controller that is usually called so serves it without an IngressClass. */
export const matchedByName = (className: string): boolean =>
  ingressControllers.some(({ classNames, matchesByName }) => matchesByName === true && classNames.includes(className));

/** Whether it is known that the controller of this class takes no Ingress without a class. */
export function leavesUnset({ spec, isDefault }: IngressClass): boolean {
  const takes = controllerCalled(spec.controller)?.takesUnset;
  return takes === 'never' || (takes === 'whereDefault' && !isDefault);
}

const controllerCalled = (controller: string): IngressController | undefined =>
  ingressControllers.find(({ controllers }) => matchesAnyGlob(controllers, controller));

/** The controller of a class: what its IngressClass says, else who is usually called so. */
export function controllerOf(className: string, view: ClusterView): IngressController | undefined {
  const found = view.list('IngressClass', '').find(({ metadata }) => metadata.name === className);
  if (found !== undefined) return controllerCalled(found.spec.controller);
  return ingressControllers.find(({ classNames }) => classNames.includes(className));
}

/** The class of an Ingress, and the controller behind it: only by an IngressClass, since what stands behind a name alone is a guess. */
export function classBehind(
  ingress: Ingress,
  view: ClusterView,
): { readonly className: string; readonly spec: IngressClass['spec']; readonly controller: IngressController } | undefined {
  const className = classOf(ingress) ?? '';
  const found = className === '' ? undefined : view.get('IngressClass', '', className);
  const controller = found && controllerCalled(found.spec.controller);
  return found && controller && { className, spec: found.spec, controller };
}
