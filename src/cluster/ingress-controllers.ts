/**
 * What is known of Ingress controllers. Data, not code: each entry has its source, read on 2026-11-21. What is not known of
 * one is left out, and no rule concludes anything from that.
 */

export interface IngressController {
  readonly title: string;
  /** `spec.controller` of its IngressClasses, with `*` for any characters. */
  readonly controllers: readonly string[];
  /** Names of classes by which it is usually called, in the field or in the annotation. */
  readonly classNames: readonly string[];
  /** It compares the class's name with its own, so that no IngressClass need be there. */
  readonly matchesByName?: true;
  /**
   * `one`: all its Ingresses share an address, and of equal hosts and paths one gets what is the other's, for certain; not
   * of a controller that tells them apart by what no Ingress says, such as annotations of Services. `each`: every Ingress
   * has its own.
   */
  readonly addresses?: 'one' | 'each';
  /** Whether it takes Ingresses without a class, as it is installed by default. */
  readonly takesUnset?: 'always' | 'whereDefault' | 'never';
  /** Annotations under which it reads paths as regular expressions, whatever their type; a value, where only that one does so. */
  readonly regexWhere?: readonly (readonly [key: string, value?: string])[];
  /** It takes `*` at the end of a path for what Prefix means. */
  readonly readsStars?: true;
  /** Annotations by which a host without paths answers, or is there for another purpose. */
  readonly answersWhere?: readonly string[];
  /** What its Pods carry that send requests to backends, as its own chart or manifest installs it. */
  readonly podLabels?: Readonly<Record<string, string>>;
  /**
   * Annotations of Ingresses that are meant to have their hosts and paths in common with others, or have an address of their
   * own; a value, where only that one says so.
   */
  readonly sharesWhere?: readonly (readonly [key: string, value?: string])[];
  /** Annotations of which different values, or lists of values with commas, are different requests: methods, ports, entry points. */
  readonly separatesBy?: readonly string[];
  /** Annotations by which it treats Ingresses of equal hosts and paths differently, such as by rank: one of them may lose all the same. */
  readonly distinguishesBy?: readonly string[];
  /** It reads the type ImplementationSpecific as Prefix. */
  readonly readsOwnTypeAsPrefix?: true;
  /** Of two equal hosts and paths, that of the Ingress with the older `creationTimestamp` counts. */
  readonly olderWins?: true;
  /** Where the six about equal hosts and paths are from, if not from `source`. */
  readonly claimsSource?: string;
  readonly source: string;
}

export const ingressControllers: readonly IngressController[] = [
  {
    title: 'ingress-nginx',
    controllers: ['k8s.io/*nginx*'],
    classNames: ['nginx'],
    addresses: 'one',
    takesUnset: 'never',
    regexWhere: [['nginx.ingress.kubernetes.io/use-regex', 'true'], ['nginx.ingress.kubernetes.io/rewrite-target']],
    // internal/ingress/annotations/parser: strconv.ParseBool
    sharesWhere: ['1', 't', 'T', 'TRUE', 'true', 'True'].map((value) => ['nginx.ingress.kubernetes.io/canary', value] as const),
    readsOwnTypeAsPrefix: true,
    olderWins: true,
    claimsSource:
      'https://github.com/kubernetes/ingress-nginx/blob/main/internal/ingress/controller: controller.go (getBackendServers), store/store.go (sortIngressSlice), and internal/k8s/main.go (SetDefaultNGINXPathType)',
    answersWhere: [
      'nginx.ingress.kubernetes.io/app-root',
      'nginx.ingress.kubernetes.io/configuration-snippet',
      'nginx.ingress.kubernetes.io/default-backend',
      'nginx.ingress.kubernetes.io/permanent-redirect',
      'nginx.ingress.kubernetes.io/server-snippet',
      'nginx.ingress.kubernetes.io/temporal-redirect',
    ],
    podLabels: { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' },
    source: 'https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/',
  },
  {
    title: 'F5 NGINX Ingress Controller',
    controllers: ['nginx.org/ingress-controller'],
    classNames: [],
    addresses: 'one',
    takesUnset: 'never',
    regexWhere: [['nginx.org/path-regex']],
    sharesWhere: [['nginx.org/mergeable-ingress-type']],
    readsOwnTypeAsPrefix: true,
    olderWins: true,
    claimsSource:
      'https://docs.nginx.com/nginx-ingress-controller/configuration/host-and-listener-collisions/ and https://github.com/nginx/kubernetes-ingress/blob/main/internal/configs/ingress.go (generateIngressPath)',
    answersWhere: ['nginx.org/location-snippets', 'nginx.org/mergeable-ingress-type', 'nginx.org/server-snippets'],
    source: 'https://docs.nginx.com/nginx-ingress-controller/configuration/ingress-resources/advanced-configuration-with-annotations/',
  },
  {
    title: 'Traefik',
    controllers: ['traefik.io/ingress-controller'],
    classNames: ['traefik'],
    addresses: 'one',
    takesUnset: 'always',
    regexWhere: [['traefik.ingress.kubernetes.io/router.pathmatcher', 'PathRegexp']],
    separatesBy: ['traefik.ingress.kubernetes.io/router.entrypoints'],
    // A router with TLS takes requests over TLS alone, one without takes the others, if `spec.tls` and the entry points do not say else.
    distinguishesBy: [
      'traefik.ingress.kubernetes.io/router.pathmatcher',
      'traefik.ingress.kubernetes.io/router.priority',
      'traefik.ingress.kubernetes.io/router.rulesyntax',
      'traefik.ingress.kubernetes.io/router.tls',
      'traefik.ingress.kubernetes.io/router.tls.certresolver',
      'traefik.ingress.kubernetes.io/router.tls.domains.0.main',
      'traefik.ingress.kubernetes.io/router.tls.options',
    ],
    readsOwnTypeAsPrefix: true,
    claimsSource:
      'https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/ingress/ and https://github.com/traefik/traefik/blob/master/pkg/provider/kubernetes/ingress/kubernetes.go (loadRouter)',
    podLabels: { 'app.kubernetes.io/name': 'traefik' },
    source: 'https://doc.traefik.io/traefik/reference/install-configuration/providers/kubernetes/kubernetes-ingress/',
  },
  {
    title: 'HAProxy Kubernetes Ingress Controller',
    controllers: ['haproxy.org/ingress-controller*'],
    classNames: ['haproxy'],
    // No address: `route-acl`, on Services, adds conditions of any sort.
    claimsSource: 'https://github.com/haproxytech/kubernetes-ingress/blob/master/documentation/annotations.md',
    podLabels: { 'app.kubernetes.io/name': 'kubernetes-ingress' },
    source: 'https://www.haproxy.com/documentation/kubernetes-ingress/community/configuration-reference/ingress/',
  },
  {
    title: 'HAProxy Ingress',
    controllers: ['haproxy-ingress.github.io/controller*'],
    classNames: [],
    // No address: keys of the scope Path, and so http-header-match, may stand on Services too.
    separatesBy: ['haproxy-ingress.github.io', 'ingress.kubernetes.io'].flatMap((prefix) => [
      `${prefix}/http-header-match`,
      `${prefix}/http-header-match-regex`,
      `${prefix}/http-port`,
      `${prefix}/https-port`,
    ]),
    takesUnset: 'never',
    regexWhere: [
      ['haproxy-ingress.github.io/path-type', 'regex'],
      ['ingress.kubernetes.io/path-type', 'regex'],
    ],
    podLabels: { 'app.kubernetes.io/name': 'haproxy-ingress' },
    source: 'https://haproxy-ingress.github.io/docs/configuration/keys/',
  },
  {
    title: 'Kong',
    controllers: ['ingress-controllers.konghq.com/kong'],
    classNames: ['kong'],
    matchesByName: true,
    // No address: `konghq.com/headers.<name>` are annotations of any name, and an override is an object of its own.
    separatesBy: ['konghq.com/methods', 'konghq.com/protocols', 'konghq.com/snis'],
    distinguishesBy: ['konghq.com/override'],
    claimsSource: 'https://github.com/Kong/kubernetes-ingress-controller/blob/main/internal/annotations/annotations.go',
    takesUnset: 'whereDefault',
    podLabels: { 'app.kubernetes.io/name': 'kong', 'app.kubernetes.io/component': 'app' },
    source: 'https://developer.konghq.com/kubernetes-ingress-controller/reference/ingress-class/',
  },
  {
    title: 'Contour',
    controllers: ['projectcontour.io/*'],
    classNames: ['contour'],
    matchesByName: true,
    addresses: 'one',
    // The first two name the class in place of kubernetes.io/ingress.class; the third takes the routes off port 80.
    separatesBy: ['projectcontour.io/ingress.class', 'contour.heptio.com/ingress.class'],
    distinguishesBy: ['kubernetes.io/ingress.allow-http'],
    readsOwnTypeAsPrefix: true,
    claimsSource: 'https://github.com/projectcontour/contour/blob/main/internal/dag/ingress_processor.go',
    takesUnset: 'always',
    source: 'https://projectcontour.io/docs/main/config/ingress/',
  },
  {
    title: 'AWS Load Balancer Controller',
    controllers: ['ingress.k8s.aws/alb'],
    classNames: ['alb'],
    addresses: 'each',
    sharesWhere: [['alb.ingress.kubernetes.io/group.name']],
    source: 'https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/',
  },
  {
    title: 'GKE Ingress',
    controllers: [],
    classNames: ['gce', 'gce-internal'],
    matchesByName: true,
    addresses: 'each',
    takesUnset: 'always',
    source: 'https://cloud.google.com/kubernetes-engine/docs/concepts/ingress',
  },
  {
    title: 'Application Gateway Ingress Controller',
    controllers: ['azure/application-gateway'],
    classNames: ['azure-application-gateway', 'azure/application-gateway'],
    // No address: one with TLS and one without have listeners of their own, on 443 and on 80.
    separatesBy: ['appgw.ingress.kubernetes.io/override-frontend-port', 'appgw.ingress.kubernetes.io/use-private-ip'],
    readsStars: true,
    source: 'https://azure.github.io/application-gateway-kubernetes-ingress/annotations/',
  },
  {
    title: 'Istio',
    controllers: ['istio.io/ingress-controller'],
    classNames: ['istio'],
    addresses: 'one',
    claimsSource: 'https://github.com/istio/istio/blob/master/pilot/pkg/config/kube/ingress/conversion.go (ConvertIngressVirtualService)',
    source: 'https://istio.io/latest/docs/tasks/traffic-management/ingress/kubernetes-ingress/',
  },
  {
    title: 'Cilium',
    controllers: ['cilium.io/ingress-controller'],
    classNames: ['cilium'],
    matchesByName: true,
    // No address: one for all or one for each is how it was installed, where no annotation says so.
    sharesWhere: [['ingress.cilium.io/loadbalancer-mode', 'dedicated']],
    takesUnset: 'whereDefault',
    source: 'https://docs.cilium.io/en/stable/network/servicemesh/ingress/',
  },
  {
    title: 'Tailscale',
    controllers: ['tailscale.com/ts-ingress'],
    classNames: ['tailscale'],
    matchesByName: true,
    addresses: 'each',
    takesUnset: 'never',
    source: 'https://tailscale.com/docs/kubernetes-operator/ingress',
  },
  {
    title: 'OpenShift router',
    controllers: ['openshift.io/ingress-to-route'],
    classNames: ['openshift-default'],
    // No address: labels of Ingresses and of namespaces choose the router, whatever the class (shards).
    takesUnset: 'always',
    source: 'https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/ingress_and_load_balancing/',
  },
];

/** external-dns makes a record of the host, with this as its target: the Ingress may be there for nothing else. */
const dnsTargetAnnotation = 'external-dns.alpha.kubernetes.io/target';

/** Annotations by which a host without paths is there for some purpose. */
export const answeringAnnotations: readonly string[] = [
  dnsTargetAnnotation,
  ...ingressControllers.flatMap(({ answersWhere = [] }) => answersWhere),
];

/** Annotations under which paths are regular expressions, each with the value that says so, or with none. */
export const regexAnnotations = ingressControllers.flatMap(({ regexWhere = [] }) => regexWhere);

/** Whichever it is: all annotations that count to one of them where two Ingresses claim the same. */
export const anyController = {
  sharesWhere: ingressControllers.flatMap(({ sharesWhere = [] }) => sharesWhere),
  separatesBy: ingressControllers.flatMap(({ separatesBy = [] }) => separatesBy),
  distinguishesBy: ingressControllers.flatMap(({ distinguishesBy = [] }) => distinguishesBy),
} satisfies Partial<IngressController>;

/** cert-manager proves by such an Ingress, beside the real one, whose the host is (pkg/issuer/acme/http/ingress.go of cert-manager). */
export const solverLabel = 'acme.cert-manager.io/http01-solver';

/** Where the proof stands, below every host (RFC 8555, 8.3). */
export const challengePath = '/.well-known/acme-challenge/';

/** What the AWS Load Balancer Controller is to do in place of forwarding, or only under conditions, each with the name of a backend's Service. */
export const ruleAnnotationPrefixes: readonly string[] = ['alb.ingress.kubernetes.io/actions.', 'alb.ingress.kubernetes.io/conditions.'];

/** Before Kubernetes 1.18 the only way to name a class, and still read by most controllers. */
export const classAnnotation = 'kubernetes.io/ingress.class';
