/** How an object of the installation that is gone comes back: from Helm's record of the release, or from deploy/. */
import { annotationsIn, deploymentOf, type Facts, listOf, seenIn } from './facts.ts';
import { word } from './problem.ts';

/** The release that Helm knows, by the annotations that it writes on all that it installs. */
export function releaseOf(facts: Facts): { readonly name: string; readonly namespace: string } | undefined {
  const objects = [deploymentOf(facts), seenIn(facts.service), seenIn(facts.registration), ...listOf(facts.budgets)];
  for (const object of objects) {
    const annotations = object === undefined ? {} : annotationsIn(object);
    const [name, namespace] = [annotations['meta.helm.sh/release-name'], annotations['meta.helm.sh/release-namespace']];
    if (name !== undefined && namespace !== undefined) return { name, namespace };
  }
  return undefined;
}

/** `path`: where the object stands in the repository. */
export function reinstall(facts: Facts, path: 'deploy/' | 'deploy/10-rbac.yaml' | 'deploy/50-webhook.yaml'): string {
  const release = releaseOf(facts);
  if (release === undefined) return `${facts.kubectl} apply ${path.endsWith('/') ? '-k' : '-f'} ${path}`;
  // Server-side, since Helm leaves no last-applied configuration to compare with. In Helm's name, or the fields would be
  // kubectl's, and the next `helm upgrade` (Helm 4 applies server-side too) would end with conflicts.
  return `helm get manifest ${word(release.name)} -n ${word(release.namespace)} | ${facts.kubectl} apply --server-side --field-manager=helm --force-conflicts -f -`;
}
