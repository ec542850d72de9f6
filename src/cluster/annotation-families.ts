/**
 * Annotations of Ingresses by the controller that reads them. Data, not code: names alone, read on 2026-11-21 from the sources
 * named, at the newest version there was.
 */
const keysOf = (text: string): readonly string[] => text.trim().split(/\s+/);

export interface AnnotationFamily {
  /** Whose they are, as `ingress-controllers.ts` has it. */
  readonly title: string;
  /** With the slash. The keys mean the same under each of them. */
  readonly prefixes: readonly string[];
  /** What it reads below them; `*` for what its user names. */
  readonly keys: readonly string[];
  /** It reads them in upper and lower case alike; the keys are in lower case. */
  readonly ignoresCase?: true;
  readonly source: string;
}

export const annotationFamilies: readonly AnnotationFamily[] = [
  {
    title: 'ingress-nginx',
    prefixes: ['nginx.ingress.kubernetes.io/'],
    keys: keysOf(`
      affinity affinity-canary-behavior affinity-mode allowlist-source-range app-root auth-always-set-cookie auth-cache-duration
      auth-cache-key auth-keepalive auth-keepalive-requests auth-keepalive-share-vars auth-keepalive-timeout auth-method
      auth-proxy-set-headers auth-realm auth-request-redirect auth-response-headers auth-secret auth-secret-type auth-signin
      auth-signin-redirect-param auth-snippet auth-tls-error-page auth-tls-match-cn auth-tls-pass-certificate-to-upstream
      auth-tls-secret auth-tls-verify-client auth-tls-verify-depth auth-type auth-url backend-protocol canary canary-by-cookie
      canary-by-header canary-by-header-pattern canary-by-header-value canary-weight canary-weight-total client-body-buffer-size
      configuration-snippet connection-proxy-header cors-allow-credentials cors-allow-headers cors-allow-methods cors-allow-origin
      cors-expose-headers cors-max-age custom-headers custom-http-errors default-backend denylist-source-range
      disable-proxy-intercept-errors enable-access-log enable-cors enable-global-auth enable-modsecurity enable-opentelemetry
      enable-owasp-core-rules enable-rewrite-log fastcgi-index fastcgi-params-configmap force-ssl-redirect from-to-www-redirect
      http2-push-preload limit-allowlist limit-burst-multiplier limit-connections limit-rate limit-rate-after limit-rpm limit-rps
      limit-whitelist load-balance mirror-host mirror-request-body mirror-target modsecurity-snippet modsecurity-transaction-id
      opentelemetry-operation-name opentelemetry-trust-incoming-span permanent-redirect permanent-redirect-code
      preserve-trailing-slash proxy-body-size proxy-buffer-size proxy-buffering proxy-buffers-number proxy-busy-buffers-size
      proxy-connect-timeout proxy-cookie-domain proxy-cookie-path proxy-http-version proxy-max-temp-file-size proxy-next-upstream
      proxy-next-upstream-timeout proxy-next-upstream-tries proxy-read-timeout proxy-redirect-from proxy-redirect-to
      proxy-request-buffering proxy-send-timeout proxy-ssl-ciphers proxy-ssl-name proxy-ssl-protocols proxy-ssl-secret
      proxy-ssl-server-name proxy-ssl-verify proxy-ssl-verify-depth relative-redirects rewrite-target satisfy server-alias
      server-snippet service-upstream session-cookie-change-on-failure session-cookie-conditional-samesite-none
      session-cookie-domain session-cookie-expires session-cookie-max-age session-cookie-name session-cookie-path
      session-cookie-samesite session-cookie-secure ssl-ciphers ssl-passthrough ssl-prefer-server-ciphers ssl-redirect
      stream-snippet temporal-redirect temporal-redirect-code upstream-hash-by upstream-hash-by-subset upstream-hash-by-subset-size
      upstream-vhost use-port-in-redirects use-regex whitelist-source-range x-forwarded-prefix
    `),
    source: 'https://github.com/kubernetes/ingress-nginx/tree/main/internal/ingress/annotations',
  },
  {
    title: 'F5 NGINX Ingress Controller',
    prefixes: ['nginx.org/', 'nginx.com/'],
    keys: keysOf(`
      add-header add-header-inherit app-root basic-auth-realm basic-auth-secret client-body-buffer-size
      client-max-body-size custom-http-errors fail-timeout grpc-services health-checks health-checks-mandatory
      health-checks-mandatory-queue hsts hsts-behind-proxy hsts-include-subdomains hsts-max-age http-redirect-code       jwt-key jwt-login-url jwt-realm jwt-token keepalive lb-method limit-req-burst limit-req-delay limit-req-dry-run
      limit-req-key limit-req-log-level limit-req-no-delay limit-req-rate limit-req-reject-code limit-req-scale limit-req-zone-size
      listen-ports listen-ports-ssl location-snippets max-conns max-fails mergeable-ingress-type path-regex policies
      proxy-buffer-size proxy-buffering proxy-buffers proxy-busy-buffers-size proxy-connect-timeout proxy-hide-headers
      proxy-max-temp-file-size proxy-next-upstream proxy-next-upstream-timeout proxy-next-upstream-tries proxy-pass-headers
      proxy-read-timeout proxy-redirect-from proxy-redirect-to proxy-send-timeout proxy-set-headers redirect-to-https rewrite-target
      rewrites server-snippets server-tokens slow-start ssl-ciphers ssl-prefer-server-ciphers ssl-redirect ssl-services
      sticky-cookie-services upstream-zone-size use-cluster-ip waf-bundle websocket-services
    `),
    source: 'https://github.com/nginx/kubernetes-ingress/blob/main/internal/configs/annotations.go',
  },
  {
    title: 'Traefik',
    prefixes: ['traefik.ingress.kubernetes.io/'],
    ignoresCase: true,
    keys: keysOf(`
      router.entrypoints router.middlewares router.observability.accesslogs router.observability.metrics
      router.observability.traceverbosity router.observability.tracing router.pathmatcher router.priority router.rulesyntax
      router.tls router.tls.certresolver router.tls.domains.* router.tls.options service.middlewares service.nativelb
      service.nodeportlb service.passhostheader service.serversscheme service.serverstransport service.sticky.cookie
      service.sticky.cookie.domain service.sticky.cookie.httponly service.sticky.cookie.maxage service.sticky.cookie.name
      service.sticky.cookie.path service.sticky.cookie.samesite service.sticky.cookie.secure
    `),
    source: 'https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/ingress/',
  },
  {
    title: 'HAProxy Kubernetes Ingress Controller',
    prefixes: ['haproxy.org/', 'haproxy.com/'],
    keys: keysOf(`
      abortonclose allow-list auth-realm auth-secret auth-type backend-config-snippet blacklist check check-http check-interval
      clean-certs client-ca client-crt-optional client-strict-sni cookie-persistence cookie-persistence-no-dynamic
      cors-allow-credentials cors-allow-headers cors-allow-methods cors-allow-origin cors-enable cors-max-age
      cors-respond-to-options deny-list dontlognull forwarded-for frontend-config-snippet generate-certificates-signer
      global-config-snippet hard-stop-after http-connection-mode http-keep-alive http-server-close load-balance log-format
      log-format-tcp logasap maxconn nbthread path-rewrite pod-maxconn proxy-protocol quic-alt-svc-max-age rate-limit-period
      rate-limit-requests rate-limit-size rate-limit-status-code rate-limit-whitelist request-capture request-capture-len
      request-redirect request-redirect-code request-set-header response-set-header route-acl scale-server-slots send-proxy-protocol
      server-ca server-crt server-proto server-ssl set-host src-ip-header ssl-certificate ssl-passthrough ssl-redirect
      ssl-redirect-code ssl-redirect-port standalone-backend stats-config-snippet syslog-server timeout-check timeout-client
      timeout-client-fin timeout-connect timeout-http-keep-alive timeout-http-request timeout-queue timeout-server
      timeout-server-fin timeout-tunnel tls-alpn whitelist
    `),
    source: 'https://github.com/haproxytech/kubernetes-ingress/blob/master/documentation/annotations.md',
  },
  {
    title: 'HAProxy Ingress',
    prefixes: ['haproxy-ingress.github.io/'],
    keys: keysOf(`
      acme-preferred-chain affinity agent-check-addr agent-check-interval agent-check-port agent-check-send allowlist-source-header
      allowlist-source-range app-root assign-backend-server-id auth-external-placement auth-headers-fail auth-headers-request
      auth-headers-succeed auth-method auth-realm auth-secret auth-signin auth-tls-cert-header auth-tls-error-page auth-tls-secret
      auth-tls-strict auth-tls-verify-client auth-url backend-check-interval backend-protocol backend-server-naming
      backend-server-slots-increment balance-algorithm bind-fronting-proxy bind-http bind-http-passthrough bind-https
      bind-ip-addr-http blue-green-balance blue-green-cookie blue-green-deploy blue-green-header blue-green-mode cert-signer
      config-backend config-backend-early config-backend-late config-tcp-service cors-allow-credentials cors-allow-headers
      cors-allow-methods cors-allow-origin cors-allow-origin-regex cors-enable cors-expose-headers cors-max-age
      denylist-source-range dynamic-scaling fcgi-app headers health-check-addr health-check-fall-count health-check-interval
      health-check-port health-check-rise-count health-check-uri hsts hsts-include-subdomains hsts-max-age hsts-preload
      http-frontend http-header-match http-header-match-regex http-passthrough http-response-200 http-response-400 http-response-401
      http-response-403 http-response-405 http-response-407 http-response-408 http-response-410 http-response-413 http-response-421
      http-response-425 http-response-429 http-response-495 http-response-496 http-response-500 http-response-501 http-response-502
      http-response-503 http-response-504 initial-weight limit-connections limit-rps limit-whitelist maxconn-server maxqueue-server
      oauth oauth-headers oauth-uri-prefix path-type peers-table proxy-body-size proxy-protocol redirect-from redirect-from-code
      redirect-from-regex redirect-to redirect-to-code request-add-headers request-del-headers request-set-headers
      response-add-headers response-del-headers response-set-headers rewrite-target secure-backends secure-crt-secret secure-sni
      secure-verify-ca-secret secure-verify-hostname server-alias server-alias-regex service-upstream session-cookie-domain
      session-cookie-dynamic session-cookie-keywords session-cookie-name session-cookie-preserve session-cookie-same-site
      session-cookie-shared session-cookie-strategy session-cookie-value-strategy slots-min-free source-address-intf
      ssl-always-add-https ssl-always-follow-redirect ssl-cipher-suites ssl-cipher-suites-backend ssl-ciphers ssl-ciphers-backend
      ssl-fingerprint-lower ssl-fingerprint-sha2-bits ssl-options-backend ssl-options-host ssl-passthrough ssl-passthrough-http-port
      ssl-redirect tcp-service-log-format tcp-service-port tcp-service-proxy-protocol timeout-connect timeout-http-request
      timeout-keep-alive timeout-queue timeout-server timeout-server-fin timeout-tunnel tls-alpn use-forwarded-proto
      use-proxy-protocol use-resolver var-namespace waf waf-mode whitelist-source-range
    `),
    source: 'https://github.com/jcmoraisjr/haproxy-ingress/blob/master/pkg/converters/ingress/types/annotations.go',
  },
  {
    title: 'AWS Load Balancer Controller',
    prefixes: ['alb.ingress.kubernetes.io/'],
    keys: keysOf(`
      acm-pca-arn actions.* auth-idp-cognito auth-idp-oidc auth-on-unauthenticated-request auth-scope auth-session-cookie
      auth-session-timeout auth-type backend-protocol backend-protocol-version certificate-arn conditions.* create-acm-cert
      customer-owned-ipv4-pool dry-run-plan enable-frontend-nlb frontend-nlb-attributes frontend-nlb-eip-allocations
      frontend-nlb-healthcheck-healthy-threshold-count frontend-nlb-healthcheck-interval-seconds frontend-nlb-healthcheck-path
      frontend-nlb-healthcheck-port frontend-nlb-healthcheck-protocol frontend-nlb-healthcheck-success-codes
      frontend-nlb-healthcheck-timeout-seconds frontend-nlb-healthcheck-unhealthy-threshold-count frontend-nlb-listener-port-mapping
      frontend-nlb-scheme frontend-nlb-security-groups frontend-nlb-subnets frontend-nlb-tags group.name group.order
      healthcheck-interval-seconds healthcheck-path healthcheck-port healthcheck-protocol healthcheck-timeout-seconds
      healthy-threshold-count inbound-cidrs ip-address-type ipam-ipv4-pool-id jwt-validation listen-ports listener-attributes.*
      load-balancer-attributes load-balancer-name manage-backend-security-group-rules minimum-load-balancer-capacity
      multi-cluster-target-group mutual-authentication scheme security-group-prefix-lists security-groups shield-advanced-protection
      ssl-policy ssl-redirect subnets success-codes tags target-control-port.* target-group-attributes target-node-labels
      target-type transforms.* unhealthy-threshold-count use-regex-path-match waf-acl-id wafv2-acl-arn wafv2-acl-name web-acl-id
    `),
    source: 'https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/pkg/annotations/constants.go',
  },
];

/**
 * Annotations of controllers of which no keys are listed: an Ingress that has one was written for that controller, whatever else
 * it has for others.
 */
export const otherPrefixes: readonly (readonly [title: string, prefix: string])[] = [
  ['Kong', 'konghq.com/'],
  ['Contour', 'projectcontour.io/'],
  ['GKE Ingress', 'networking.gke.io/'],
  ['GKE Ingress', 'ingress.gcp.kubernetes.io/'],
  ['Application Gateway Ingress Controller', 'appgw.ingress.kubernetes.io/'],
  ['Cilium', 'ingress.cilium.io/'],
  ['Tailscale', 'tailscale.com/'],
  ['OpenShift router', 'haproxy.router.openshift.io/'],
  ['OpenShift router', 'route.openshift.io/'],
  // Contour and both of HAProxy read some of their keys here as well.
  ['Contour', 'ingress.kubernetes.io/'],
  ['HAProxy Ingress', 'ingress.kubernetes.io/'],
  ['HAProxy Kubernetes Ingress Controller', 'ingress.kubernetes.io/'],
];
