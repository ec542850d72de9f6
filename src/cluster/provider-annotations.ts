/** Annotations of an Ingress that say where its certificate comes from. */

/** cert-manager's ingress-shim makes a Certificate for each TLS entry of an Ingress with one of these. */
const issuerAnnotations: readonly string[] = ['cert-manager.io/cluster-issuer', 'cert-manager.io/issuer'];
/** Something else brings the Secret, by what the value names. */
export const sourceAnnotations: readonly string[] = [
  ...issuerAnnotations,
  'cert.gardener.cloud/issuer',
  'kubernetes.azure.com/tls-cert-keyvault-uri',
  // Contour then looks in the namespace that it names.
  'projectcontour.io/tls-cert-namespace',
];
/** The load balancer or the controller takes its certificate from what the value names: no Secret ever comes. */
export const certificateAnnotations: readonly string[] = [
  'alb.ingress.kubernetes.io/certificate-arn',
  'appgw.ingress.kubernetes.io/appgw-ssl-certificate',
  'ingress.gcp.kubernetes.io/pre-shared-cert',
  'networking.gke.io/managed-certificates',
  'traefik.ingress.kubernetes.io/router.tls.certresolver',
];

export const acmeAnnotation = 'kubernetes.io/tls-acme';
export const gardenerAnnotation = 'cert.gardener.cloud/purpose';

/** All of them. */
export const providerAnnotations: readonly string[] = [...sourceAnnotations, ...certificateAnnotations, acmeAnnotation, gardenerAnnotation];
