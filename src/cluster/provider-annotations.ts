/** Annotations of an Ingress that say where its certificate comes from, and where its TLS ends. */
import type { Labels } from '../kube/resources.ts';

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

/**
 * TLS ends before the controller, behind it, or for every host alike, whatever `spec.tls` says. Read on 2026-11-21:
 * kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations (force-ssl-redirect is for TLS that ends
 * before it, ssl-passthrough for TLS that ends in the Pods), doc.traefik.io/traefik/reference/routing-configuration/kubernetes/ingress
 * (router.tls), haproxy-ingress.github.io/docs/configuration/keys (ssl-passthrough).
 */
const switchAnnotations: readonly string[] = [
  'haproxy-ingress.github.io/ssl-passthrough',
  'haproxy.org/ssl-passthrough',
  'nginx.ingress.kubernetes.io/force-ssl-redirect',
  'nginx.ingress.kubernetes.io/ssl-passthrough',
  'traefik.ingress.kubernetes.io/router.tls',
];
/** ingress-nginx serves more hosts than the rules name: aliases, and `www.` before one or without it. */
const aliasAnnotations: readonly string[] = [
  'nginx.ingress.kubernetes.io/from-to-www-redirect',
  'nginx.ingress.kubernetes.io/server-alias',
];

/** All that says where TLS ends, or for which hosts. */
export const tlsAnnotations: readonly string[] = [...certificateAnnotations, ...switchAnnotations, ...aliasAnnotations];

/** The annotation by which the Ingress has TLS without naming it in `spec.tls`. */
export const tlsElsewhere = (annotations: Labels, more: readonly string[] = []): string | undefined =>
  [...certificateAnnotations, ...more].find((key) => annotations[key]) ?? switchAnnotations.find((key) => annotations[key] === 'true');

/** Whether it serves hosts by annotation. */
export const hasAliases = (annotations: Labels): boolean =>
  aliasAnnotations.some((key) => annotations[key] && annotations[key] !== 'false');
