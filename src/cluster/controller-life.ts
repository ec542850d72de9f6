/**
 * Whether the controller behind a class is alive: which Pods it runs as, and whether its project goes on. Data, not code, read on
 * 2026-11-21 from the sources named. A controller that may run outside of the cluster it serves (a cloud's, the AWS Load Balancer
 * Controller, Traefik and HAProxy's own by their flags for that, Istio, Cilium) has no Pods here, and is never missing.
 */
import type { ObjectRef, Workload } from '../kube/resources.ts';
import type { ClusterView } from './view.ts';

export interface ControllerLife {
  /** As `ingress-controllers.ts` has it. */
  readonly title: string;
  /**
   * What stands in names or labels of its Pods, or of those of another controller that takes its classes. Wide on purpose: a Pod
   * that only looks like one of it keeps a rule silent, and one that looks like nothing would make it wrong.
   */
  readonly podWords: readonly string[];
  /** Where it usually is: looked at first. */
  readonly usualNamespace: string;
  /** Its project has ended: since when, and where that is said. */
  readonly ended?: { readonly month: string; readonly source: string };
  readonly source: string;
}

export const controllerLives: readonly ControllerLife[] = [
  {
    title: 'ingress-nginx',
    // Traefik takes the classes of ingress-nginx (providers.kubernetesIngressNGINX, controllerClass).
    podWords: ['ingress', 'nginx', 'traefik'],
    usualNamespace: 'ingress-nginx',
    ended: { month: 'March 2026', source: 'https://kubernetes.io/blog/2025/11/11/ingress-nginx-retirement/' },
    source: 'https://github.com/kubernetes/ingress-nginx/blob/main/deploy/static/provider/cloud/deploy.yaml',
  },
  {
    title: 'F5 NGINX Ingress Controller',
    podWords: ['ingress', 'nginx'],
    usualNamespace: 'nginx-ingress',
    source: 'https://github.com/nginx/kubernetes-ingress/blob/main/charts/nginx-ingress/templates/_helpers.tpl',
  },
  {
    title: 'HAProxy Ingress',
    podWords: ['ingress', 'haproxy'],
    usualNamespace: 'ingress-controller',
    source: 'https://haproxy-ingress.github.io/docs/getting-started/',
  },
  {
    title: 'Contour',
    podWords: ['ingress', 'contour'],
    usualNamespace: 'projectcontour',
    source: 'https://projectcontour.io/getting-started/',
  },
];

/** Something that is one of its Pods, or will make them; the first that is found. What a template with no replicas makes is nothing. */
export function podsOfController({ podWords, usualNamespace }: ControllerLife, view: ClusterView): ObjectRef | undefined {
  const isOne = (workload: Workload): boolean => workload.replicas !== 0 && podWords.some((word) => textOf(workload).includes(word));
  const found = view.workloads(usualNamespace).find(isOne) ?? view.listAll('Pod').find(isOne) ?? view.listAll('Template').find(isOne);
  return found && { apiVersion: found.apiVersion, kind: found.kind, ...found.metadata };
}

const textOf = ({ metadata, owner = '', pod }: Workload): string =>
  [metadata.name, owner, ...Object.values(pod.labels)].join(' ').toLowerCase();
