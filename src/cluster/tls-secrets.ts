/** Which Secrets Ingresses name for TLS. */
import type { FieldPath } from '../kube/field-path.ts';
import type { Ingress, ObjectRef } from '../kube/resources.ts';
import type { Elsewhere } from './elsewhere.ts';
import { nearestWord } from './near-miss.ts';
import type { ClusterView } from './view.ts';

/** What the API server takes for a Secret's name; `namespace/name`, which some controllers understand, is not ours to judge. */
const secretName = /^[a-z\d]([a-z\d.-]*[a-z\d])?$/;

/** Made once for each: neighbours are asked for theirs, and one may name 40,000. */
const byIngress = new WeakMap<Ingress, ReadonlyMap<string, readonly FieldPath[]>>();

/** Each Secret that the Ingress names, once, with the fields that name it. */
export function tlsSecretsOf(ingress: Ingress): ReadonlyMap<string, readonly FieldPath[]> {
  const known = byIngress.get(ingress) ?? namedBy(ingress);
  byIngress.set(ingress, known);
  return known;
}

function namedBy({ spec }: Ingress): ReadonlyMap<string, readonly FieldPath[]> {
  const paths = new Map<string, FieldPath[]>();
  for (const [index, { secretName: name = '' }] of spec.tls.entries()) {
    if (!secretName.test(name)) continue;
    const path = ['spec', 'tls', index, 'secretName'];
    const others = paths.get(name);
    if (others === undefined) paths.set(name, [path]);
    else others.push(path);
  }
  return paths;
}

/**
 * Other Secrets that Ingresses of the namespace name, and before them those that look like one that this one names. Files
 * may hold Secrets themselves; of a cluster they are never listed.
 */
export function candidatesFor(ingress: Ingress, known: ClusterView): readonly string[] {
  const own = tlsSecretsOf(ingress);
  const named = known.list('Ingress', ingress.metadata.namespace).flatMap((other) => [...tlsSecretsOf(other).keys()]);
  const others = new Set(named.filter((name) => !own.has(name)));
  const held = known.list('Secret', ingress.metadata.namespace).map(({ metadata }) => metadata.name);
  const all = new Set([...others, ...held.filter((name) => !own.has(name))]);
  const near = [...own.keys()].flatMap((name) => nearestWord(name, all) ?? []);
  return [...new Set([...near, ...others])];
}

export const secretRef = ({ metadata }: Ingress, name: string): ObjectRef => ({
  apiVersion: 'v1',
  kind: 'Secret',
  namespace: metadata.namespace,
  name,
});

/** Which of them all were found. */
export function existingNames(ingress: Ingress, known: ClusterView): readonly string[] {
  const exists = (name: string): boolean => typeof known.fetched(secretRef(ingress, name)) === 'object';
  return [...tlsSecretsOf(ingress).keys(), ...candidatesFor(ingress, known)].filter(exists);
}

/** Other namespaces with a Secret of that name, as far as the reader may know. */
export const namespacesWith = (name: string, own: string, elsewhere: Elsewhere | undefined): readonly string[] =>
  (elsewhere?.those('Secret', ({ metadata }) => metadata.name === name && metadata.namespace !== own) ?? []).map(
    ({ metadata }) => metadata.namespace,
  );
