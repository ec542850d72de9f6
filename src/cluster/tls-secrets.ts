/** Which Secrets Ingresses name for TLS. */
import type { FieldPath } from '../kube/field-path.ts';
import type { Ingress } from '../kube/resources.ts';
import { nearestWord } from './near-miss.ts';
import type { ClusterView } from './view.ts';

/** What the API server takes for a Secret's name; `namespace/name`, which some controllers understand, is not ours to judge. */
const secretName = /^[a-z\d]([a-z\d.-]*[a-z\d])?$/;

/** Each Secret that the Ingress names, once, with the fields that name it. */
export function tlsSecretsOf({ spec }: Ingress): ReadonlyMap<string, readonly FieldPath[]> {
  const paths = new Map<string, FieldPath[]>();
  for (const [index, { secretName: name = '' }] of spec.tls.entries()) {
    if (!secretName.test(name)) continue;
    const path = ['spec', 'tls', index, 'secretName'];
    paths.set(name, [...(paths.get(name) ?? []), path]);
  }
  return paths;
}

/** Other Secrets that Ingresses of the namespace name, those first that look like one that this one names. */
export function candidatesFor(ingress: Ingress, known: ClusterView): readonly string[] {
  const own = tlsSecretsOf(ingress);
  const named = known.list('Ingress', ingress.metadata.namespace).flatMap((other) => [...tlsSecretsOf(other).keys()]);
  const others = new Set(named.filter((name) => !own.has(name)));
  const near = [...own.keys()].flatMap((name) => nearestWord(name, others) ?? []);
  return [...new Set([...near, ...others])];
}
