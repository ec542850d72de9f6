/** Which namespaces an option means, by name or by label. */
import { matchesAnyGlob } from '../kube/glob.ts';
import { labelsOf, matchesPairs } from '../kube/labels.ts';
import type { Labels } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

export interface NamespaceChoice {
  /** Names, with `*` for any characters. */
  readonly namespaces?: readonly string[] | undefined;
  readonly namespaceSelector?: { readonly matchLabels: Labels } | undefined;
}

/** Where both are given, both must match. Looks the namespace up only for its labels. */
export function choosesNamespace({ namespaces, namespaceSelector }: NamespaceChoice, namespace: string, view: ClusterView): boolean {
  if (namespaces !== undefined && !matchesAnyGlob(namespaces, namespace)) return false;
  if (namespaceSelector === undefined) return true;
  return matchesPairs(labelsOf(namespaceSelector.matchLabels), namespaceLabelsIn(view, namespace));
}

/** None, where the view does not hold the namespace. */
export const namespaceLabelsIn = (view: ClusterView, namespace: string): Labels =>
  view.get('Namespace', '', namespace)?.metadata.labels ?? labelsOf({});
