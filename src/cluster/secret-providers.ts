/** What will bring a TLS Secret that is not there yet, or makes it needless: then it is pending, not missing. */
import { matchesAnyGlob } from '../kube/glob.ts';
import type { Ingress, SecretSource } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

/** cert-manager's ingress-shim makes a Certificate for each TLS entry of an Ingress with one of these. */
const issuerAnnotations: readonly string[] = ['cert-manager.io/cluster-issuer', 'cert-manager.io/issuer'];
/** Something else brings the Secret, by what the value names. */
const sourceAnnotations: readonly string[] = [
  ...issuerAnnotations,
  'cert.gardener.cloud/issuer',
  'kubernetes.azure.com/tls-cert-keyvault-uri',
  // Contour then looks in the namespace that it names.
  'projectcontour.io/tls-cert-namespace',
];
/** The load balancer or the controller takes its certificate from what the value names: no Secret ever comes. */
const certificateAnnotations: readonly string[] = [
  'alb.ingress.kubernetes.io/certificate-arn',
  'appgw.ingress.kubernetes.io/appgw-ssl-certificate',
  'ingress.gcp.kubernetes.io/pre-shared-cert',
  'networking.gke.io/managed-certificates',
  'traefik.ingress.kubernetes.io/router.tls.certresolver',
];
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

/** What on the Ingress itself says that the certificate comes from elsewhere. */
export function providerOnIngress({ metadata: { annotations } }: Ingress, more: readonly string[]): Provider | undefined {
  const key = [...sourceAnnotations, ...more, ...certificateAnnotations].find((one) => annotations[one]);
  if (key !== undefined)
    return { title: `annotation ${key}=${annotations[key]}`, ...(certificateAnnotations.includes(key) && { needsNoSecret: true }) };
  const acme = annotations['kubernetes.io/tls-acme'];
  if (acme !== undefined && truths.includes(acme)) return { title: `annotation kubernetes.io/tls-acme=${acme}` };
  return annotations['cert.gardener.cloud/purpose'] === 'managed' ? { title: 'annotation cert.gardener.cloud/purpose=managed' } : undefined;
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
