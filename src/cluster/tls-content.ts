/** What is in the Secrets that an Ingress names for TLS, and who will repair what is wrong with it. */
import type { FieldPath } from '../kube/field-path.ts';
import type { Ingress, Secret } from '../kube/resources.ts';
import type { TlsContent } from '../kube/tls-facts.ts';
import { providerByName, providerInNamespace, providerOnIngress, unreadableProviders } from './secret-providers.ts';
import { mostReads, secretRef, tlsSecretsOf } from './tls-secrets.ts';
import type { ClusterView } from './view.ts';
import type { Wanted } from './wanted.ts';

/** Its Secrets, to be read with their content. */
export const contentOf = (ingress: Ingress): readonly Wanted[] =>
  [...tlsSecretsOf(ingress).keys()].slice(0, mostReads).map((name) => ({ ...secretRef(ingress, name), content: true }));

/** A Secret that was read, with the fields that name it. */
export interface NamedContent {
  readonly secret: Secret;
  readonly content: TlsContent;
  readonly paths: readonly FieldPath[];
}

/**
 * Those whose content may be known, where the Ingress takes its certificates from Secrets at all. Ends the rule where one
 * could not be read, after those that could.
 */
export function* contentsOf(ingress: Ingress, cluster: ClusterView, known: ClusterView): Generator<NamedContent, void, undefined> {
  if (providerOnIngress(ingress, [])?.needsNoSecret) return;
  const entries = [...tlsSecretsOf(ingress)].slice(0, mostReads);
  const isAnswered = ([name]: (typeof entries)[number]): boolean =>
    !['unknown', 'unanswered'].includes(known.fetched(secretRef(ingress, name)) as string);
  for (const [name, paths] of [...entries.filter(isAnswered), ...entries.filter((entry) => !isAnswered(entry))]) {
    const found = cluster.fetched(secretRef(ingress, name));
    if (typeof found === 'object' && 'tls' in found && found.tls !== undefined)
      yield { secret: found as Secret, content: found.tls as TlsContent, paths };
  }
}

interface Asking {
  readonly cluster: ClusterView;
  readonly known: ClusterView;
  readonly shared: { readonly expectedSecrets: readonly string[] };
}

/** Who writes the Secret and so may write it anew: `Certificate web`. Also what may do so and cannot be seen. */
export function writerOf(ingress: Ingress, name: string, { cluster, known, shared }: Asking): string | undefined {
  const { namespace } = ingress.metadata;
  const provider =
    providerByName(shared.expectedSecrets, name) ?? providerOnIngress(ingress, []) ?? providerInNamespace(cluster, known, namespace, name);
  if (provider !== undefined) return provider.failing === undefined ? provider.title : `${provider.title} (not ready: ${provider.failing})`;
  const unreadable = unreadableProviders(known, namespace);
  return unreadable.length === 0 ? undefined : `a ${unreadable.join(' or ')} that may not be read`;
}
