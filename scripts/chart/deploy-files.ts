/** The plain manifests of deploy/: what the chart renders with its defaults, sorted into files, with a Namespace in front. */
import { execFileSync } from 'node:child_process';
import type { Page } from '../docs/pages.ts';

const kindsOf: Readonly<Record<string, readonly string[]>> = {
  '10-rbac.yaml': ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  '20-config.yaml': ['ConfigMap'],
  '25-state.yaml': ['Secret', 'Lease'],
  '30-deployment.yaml': ['Deployment', 'PodDisruptionBudget'],
  '40-service.yaml': ['Service', 'NetworkPolicy'],
  '50-webhook.yaml': ['ValidatingWebhookConfiguration'],
};

const namespace = `apiVersion: v1
kind: Namespace
metadata:
  name: portcullis
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

/** Throws with what Helm says, and where the chart renders a kind that has no place here. */
export function deployFiles(helm: string): readonly Page[] {
  const documents = render(helm);
  const files = Object.entries(kindsOf).map(([file, kinds]) => ({
    file: `deploy/${file}`,
    text: kinds.flatMap((kind) => documents.filter((one) => kindOf(one) === kind)).join('---\n'),
  }));
  const places = Object.values(kindsOf).flat();
  const homeless = documents.map(kindOf).filter((kind) => !places.includes(kind));
  if (homeless.length > 0) throw new Error(`scripts/chart/deploy-files.ts has no file for ${homeless.join(', ')}`);
  const all = [{ file: 'deploy/00-namespace.yaml', text: namespace }, ...files];
  const kustomization = { file: 'deploy/kustomization.yaml', text: kustomizationOf(all.map(({ file }) => file.replace('deploy/', ''))) };
  return [...all, kustomization].map(({ file, text }) => ({ file, text: `# Rendered from charts/portcullis (npm run deploy).\n${text}` }));
}

const kustomizationOf = (files: readonly string[]): string =>
  `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n${files.map((file) => `  - ${file}\n`).join('')}`;

const kindOf = (document: string): string => /^kind: (\w+)$/m.exec(document)?.[1] ?? '';

function render(helm: string): readonly string[] {
  // Any version that the chart takes: without a cluster, Helm 3 guesses an old one.
  const args = ['template', 'portcullis', 'charts/portcullis', '--namespace', 'portcullis', '--skip-tests', '--kube-version', '1.30.0'];
  const documents = execFileSync(helm, args, { encoding: 'utf8' }).split(/^---\n# Source: .*\n/m);
  return documents.map((one) => `${one.replaceAll(ofHelm, '').trim()}\n`).filter((one) => one.trim() !== '');
}

/** Labels that would say of these objects what is not so. */
const ofHelm = /^ +(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm;
