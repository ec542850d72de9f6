/** Whether two Ingresses of one class that claim the same host and path get each other's requests. */
import type { Ingress } from '../kube/resources.ts';
import { anyController, type IngressController } from './ingress-controllers.ts';
import { carriesAny } from './ingress-paths.ts';

export type Meeting = 'never' | 'perhaps' | 'surely';

/**
 * Only annotations of their controller count: whoever takes over a host would else add one of another controller, to which
 * nothing listens. Of a controller that nobody knows any may be its own, which proves nothing against another namespace; nor
 * does a rank, or a mark that only one of the two has. In one namespace both are written by the same people, who mean it.
 */
export function meetingOf(a: Ingress, b: Ingress, controller: IngressController | undefined): Meeting {
  const { sharesWhere = [], separatesBy = [], distinguishesBy = [] } = controller ?? anyController;
  const isApart =
    carriesAny(a, sharesWhere) ||
    carriesAny(b, sharesWhere) ||
    separatesBy.some((key) => haveNothingInCommon(markOf(a, key), markOf(b, key)));
  if (isApart && controller !== undefined) return 'never';
  const mayBeApart = isApart || [...separatesBy, ...distinguishesBy].some((key) => markOf(a, key) !== markOf(b, key));
  if (mayBeApart) return a.metadata.namespace === b.metadata.namespace ? 'never' : 'perhaps';
  return controller?.addresses === 'one' ? 'surely' : 'perhaps';
}

/** Whoever has the path too, the two do not meet, since their controller listens to what this one says. */
export const sharesForCertain = (ingress: Ingress, controller: IngressController | undefined): boolean =>
  carriesAny(ingress, controller?.sharesWhere ?? []);

const markOf = ({ metadata }: Ingress, key: string): string | undefined => metadata.annotations[key];

function haveNothingInCommon(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const values = new Set(listOf(a));
  return values.size > 0 && listOf(b).length > 0 && listOf(b).every((value) => !values.has(value));
}

const listOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
