/**
 * Whether one tool, or one controller, keeps both objects: whoever takes one away or changes it does so with the other in
 * the same go, in an order of his own (`helm uninstall` one by one, `helm upgrade` Services before Ingresses).
 */
import type { JudgedResource, Labels, ObjectMeta } from '../kube/resources.ts';

interface Mark {
  readonly tool: string;
  readonly on: 'labels' | 'annotations';
  /** Equal on all that is kept together, and all there. */
  readonly keys: readonly [string, ...string[]];
  /** Where only the beginning of the value says so: up to this. */
  readonly upTo?: string;
  readonly source: string;
}

/** Looked up on 2026-11-21. Argo CD's older mark, `app.kubernetes.io/instance`, says nothing: people set it by hand. */
const marks: readonly Mark[] = [
  {
    tool: 'Helm',
    on: 'annotations',
    keys: ['meta.helm.sh/release-name', 'meta.helm.sh/release-namespace'],
    source: 'helm.sh/helm/v3 pkg/action/validate.go',
  },
  {
    tool: 'Argo CD, by annotation: `app:group/Kind:namespace/name`',
    on: 'annotations',
    keys: ['argocd.argoproj.io/tracking-id'],
    upTo: ':',
    source: 'argo-cd docs/user-guide/resource_tracking.md',
  },
  {
    tool: 'Argo CD, by label, where set so',
    on: 'labels',
    keys: ['argocd.argoproj.io/instance'],
    source: 'argo-cd docs/user-guide/resource_tracking.md',
  },
  {
    tool: 'Flux, a Kustomization',
    on: 'labels',
    keys: ['kustomize.toolkit.fluxcd.io/name', 'kustomize.toolkit.fluxcd.io/namespace'],
    source: 'fluxcd/pkg ssa/manager.go (SetOwnerLabels)',
  },
  {
    tool: 'Flux, a HelmRelease',
    on: 'labels',
    keys: ['helm.toolkit.fluxcd.io/name', 'helm.toolkit.fluxcd.io/namespace'],
    source: 'fluxcd/helm-controller internal/postrender/origin_labels.go',
  },
];

/** The annotations among them, for the rules that ask. */
export const keeperAnnotations: readonly string[] = marks.filter(({ on }) => on === 'annotations').flatMap(({ keys }) => keys);

export function areKeptTogether({ metadata: a }: JudgedResource, { metadata: b }: JudgedResource): boolean {
  if (a.owner !== undefined && a.owner === b.owner && a.namespace === b.namespace) return true;
  return marks.some((mark) => {
    const value = valueUnder(mark, a);
    return value !== undefined && value === valueUnder(mark, b);
  });
}

function valueUnder({ on, keys, upTo }: Mark, metadata: ObjectMeta): string | undefined {
  const given: Labels = metadata[on];
  const values = keys.map((key) => given[key]);
  if (values.some((value) => value === undefined || value === '')) return undefined;
  return values.map((value) => (upTo === undefined ? value : value?.split(upTo)[0])).join('/');
}
