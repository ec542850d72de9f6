import { matchesAnyGlob } from '../kube/glob.ts';
import { matchesSelector } from '../kube/labels.ts';
import { selectorOf } from '../kube/normalize-networking.ts';
import type { Labels } from '../kube/resources.ts';
import type { NamespaceChoice } from './schema.ts';

export interface NamespaceFacts {
  readonly name: string;
  readonly labels: Labels;
}

/** Whether an entry of the configuration means a namespace: names and selector, where both are given, must both match. */
export function namespaceTest({ namespaces, namespaceSelector }: NamespaceChoice): (namespace: NamespaceFacts) => boolean {
  const selector = namespaceSelector && selectorOf(namespaceSelector);
  return ({ name, labels }) =>
    (namespaces === undefined || matchesAnyGlob(namespaces, name)) && (selector === undefined || matchesSelector(selector, labels));
}
