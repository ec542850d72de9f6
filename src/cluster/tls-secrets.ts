/** Which Secrets Ingresses name for TLS. */
import type { FieldPath } from '../kube/field-path.ts';
import { onceFor } from '../kube/once-for.ts';
import type { Ingress, ObjectRef } from '../kube/resources.ts';
import type { Elsewhere } from './elsewhere.ts';
import { indexOfIngresses } from './ingress-index.ts';
import { nearestWords } from './near-miss.ts';
import type { ClusterView } from './view.ts';

/** What the API server takes for a Secret's name; `namespace/name`, which some controllers understand, is not ours to judge. */
const secretName = /^[a-z\d]([a-z\d.-]*[a-z\d])?$/;

/** Each Secret that the Ingress names, once, with the fields that name it. Neighbours are asked for theirs, and one may name 40,000. */
export const tlsSecretsOf = onceFor(namedBy);

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

/** Reads by name for one Ingress, its own Secrets and candidates together. */
export const mostReads = 10;

/** Candidates that are looked at for a slip of the pen. */
const mostCompared = 1_000;

const namedIn = indexOfIngresses((ingresses, step): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const ingress of ingresses)
    for (const name of tlsSecretsOf(ingress).keys()) {
      step();
      names.add(name);
    }
  return names;
});

/**
 * The Secrets to read for an Ingress: its own, then of those that Ingresses of the namespace name the ones that look like
 * one of its own, then others. Files may hold Secrets themselves; of a cluster they are never listed.
 */
export function secretsToRead(ingress: Ingress, known: ClusterView): readonly string[] {
  const { namespace } = ingress.metadata;
  const own = tlsSecretsOf(ingress);
  const names = [...own.keys().take(mostReads)];
  if (names.length === mostReads) return names;
  const named = namedIn(namespace, known);
  const held = known.list('Secret', namespace).map(({ metadata }) => metadata.name);
  const others = [...new Set([...held.slice(0, mostCompared), ...named.values().take(mostCompared)])].filter((name) => !own.has(name));
  const nearest = nearestWords();
  const near = names.flatMap((name) => nearest(name, others) ?? []);
  return [...new Set([...names, ...near, ...others.filter((name) => named.has(name))].slice(0, 2 * mostReads))].slice(0, mostReads);
}

export const secretRef = ({ metadata }: Ingress, name: string): ObjectRef => ({
  apiVersion: 'v1',
  kind: 'Secret',
  namespace: metadata.namespace,
  name,
});

/** Which of those were found. */
export function existingNames(ingress: Ingress, known: ClusterView): readonly string[] {
  const exists = (name: string): boolean => typeof known.fetched(secretRef(ingress, name)) === 'object';
  return secretsToRead(ingress, known).filter(exists);
}

/** Other namespaces with a Secret of that name, as far as the reader may know. */
export const namespacesWith = (name: string, own: string, elsewhere: Elsewhere | undefined): readonly string[] =>
  (elsewhere?.those('Secret', ({ metadata }) => metadata.name === name && metadata.namespace !== own) ?? []).map(
    ({ metadata }) => metadata.namespace,
  );
