/** What is known of all Ingresses of a namespace together, gone through once for a state of them, however many ask. */
import type { Ingress } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

/** By namespace. Of thousands of Ingresses each is judged by what the others are: to go through them for each would be a square. */
export function indexOfIngresses<Index>(
  make: (ingresses: readonly Ingress[], step: () => void) => Index,
): (namespace: string, view: ClusterView) => Index {
  const byVersion = new WeakMap<object, Map<string, Index>>();
  return (namespace, view) => {
    const ingresses = view.list('Ingress', namespace);
    // No version of its own, so that nothing would ever forget it.
    if (ingresses.length === 0) return make([], () => {});
    const version = view.version('Ingress');
    const known = byVersion.get(version) ?? new Map<string, Index>();
    byVersion.set(version, known);
    const index = known.get(namespace) ?? make(ingresses, () => view.step());
    known.set(namespace, index);
    return index;
  };
}
