/** What will bring a TLS Secret that is not there yet, or makes it needless: then it is pending, not missing. */
import { matchesAnyGlob } from '../kube/glob.ts';
import type { Ingress, SecretSource } from '../kube/resources.ts';
import { acmeAnnotation, certificateAnnotations, gardenerAnnotation, sourceAnnotations } from './provider-annotations.ts';
import { tlsSecretsOf } from './tls-secrets.ts';
import type { ClusterView } from './view.ts';

/** Go's strconv.ParseBool, as cert-manager reads it. */
const truths: readonly string[] = ['1', 't', 'T', 'TRUE', 'true', 'True'];

const sourceCollections = ['Certificate', 'ExternalSecret', 'SealedSecret'] as const;
type SourceCollection = (typeof sourceCollections)[number];

/** Who brings it, and, where that is known, why it has not done so. */
export interface Provider {
  /** `Certificate web`, `annotation cert-manager.io/issuer=letsencrypt`, `the configuration`. */
  readonly title: string;
  readonly failing?: string;
  /** It takes the Secret's place. */
  readonly needsNoSecret?: true;
  readonly source?: SecretSource;
}

/** What the configuration says of who brings Secrets. */
interface Expected {
  readonly names: readonly string[];
  readonly annotations: readonly string[];
}

/** Who brings this Secret of an Ingress: what is nearest to it comes first. */
export const providerOf = (
  secretName: string,
  ingress: Ingress,
  view: ClusterView,
  known: ClusterView,
  { names, annotations }: Expected,
): Provider | undefined =>
  providerByName(names, secretName) ??
  providerOnIngress(ingress, annotations) ??
  providerInNamespace(view, known, ingress.metadata.namespace, secretName) ??
  providerOnOthers(view, ingress, secretName, annotations);

/** What on the Ingress itself says that the certificate comes from elsewhere. */
export function providerOnIngress({ metadata: { annotations } }: Ingress, more: readonly string[]): Provider | undefined {
  const key = [...sourceAnnotations, ...more, ...certificateAnnotations].find((one) => annotations[one]);
  if (key !== undefined)
    return { title: `annotation ${key}=${annotations[key]}`, ...(certificateAnnotations.includes(key) && { needsNoSecret: true }) };
  const acme = annotations[acmeAnnotation];
  if (acme !== undefined && truths.includes(acme)) return { title: `annotation ${acmeAnnotation}=${acme}` };
  return annotations[gardenerAnnotation] === 'managed' ? { title: `annotation ${gardenerAnnotation}=managed` } : undefined;
}

/**
 * The same on another Ingress that names the Secret: cert-manager makes a Certificate for an annotated Ingress, and those beside
 * it, often of the same host, use what that brings.
 */
function providerOnOthers(view: ClusterView, ingress: Ingress, secretName: string, more: readonly string[]): Provider | undefined {
  for (const other of view.list('Ingress', ingress.metadata.namespace)) {
    view.step();
    if (other.metadata.name === ingress.metadata.name) continue;
    const provider = providerOnIngress(other, more);
    if (provider === undefined || provider.needsNoSecret || !tlsSecretsOf(other).has(secretName)) continue;
    return { title: `${provider.title} of Ingress ${other.metadata.name}` };
  }
  return undefined;
}

/** The object in the namespace whose controller writes this Secret. */
export function providerInNamespace(view: ClusterView, known: ClusterView, namespace: string, secretName: string): Provider | undefined {
  for (const collection of sourceCollections) {
    if (known.coverage(collection, namespace) !== 'complete') continue;
    const source = view.list(collection, namespace).find((one) => one.secretName === secretName);
    if (source === undefined) continue;
    const title = `${source.kind} ${source.metadata.name}`;
    return { title, source, ...(source.notReady !== undefined && { failing: source.notReady }) };
  }
  return undefined;
}

/** Kinds of provider that the cluster serves and that may not be read, so that the Secret may be on its way unseen. */
export const unreadableProviders = (known: ClusterView, namespace: string): readonly SourceCollection[] =>
  sourceCollections.filter((one) => ['forbidden', 'unsynced'].includes(known.coverage(one, namespace)));

export const providerByName = (expected: readonly string[], secretName: string): Provider | undefined =>
  matchesAnyGlob(expected, secretName) ? { title: 'the configuration (secrets.expected)' } : undefined;
