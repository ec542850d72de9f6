/**
 * Objects of which an operator makes others: Kibana a Service and Pods, a Tenant of MinIO Secrets. What those are called and
 * how they are labelled, each operator has its own ways: of all custom kinds it is assumed, but for those that only configure.
 * The groups and kinds below were looked up in their projects' documentation on 2026-11-21.
 */
import { groupOf } from '../kube/normalize.ts';
import { objectAt, stringAt } from '../kube/read.ts';
import type { RawObject } from '../kube/resources.ts';

/** All kinds of these groups configure proxies, networks, policies or scrapers, or bring Secrets that rules look for by name. */
const configuring: ReadonlySet<string> = new Set([
  'bitnami.com',
  'cert-manager.io',
  'cilium.io',
  'configuration.konghq.com',
  'crd.projectcalico.org',
  'elbv2.k8s.aws',
  'external-secrets.io',
  'getambassador.io',
  'metallb.io',
  'networking.gke.io',
  'networking.istio.io',
  'projectcalico.org',
  'projectcontour.io',
  'security.istio.io',
  'split.smi-spec.io',
  'telemetry.istio.io',
  'traefik.containo.us',
  'traefik.io',
]);

/** The same of single kinds in groups of which others make something; those with a Pod template in files are read as workloads. */
const configuringKinds: ReadonlySet<string> = new Set([
  'argoproj.io/AnalysisTemplate',
  'argoproj.io/AppProject',
  'argoproj.io/ClusterAnalysisTemplate',
  'argoproj.io/Rollout',
  'apps.kruise.io/CloneSet',
  'apps.kruise.io/DaemonSet',
  'apps.kruise.io/StatefulSet',
  'grafana.integreatly.org/GrafanaDashboard',
  'grafana.integreatly.org/GrafanaDatasource',
  'keda.sh/ScaledObject',
  'keda.sh/TriggerAuthentication',
  'kubevirt.io/VirtualMachine',
  'kubevirt.io/VirtualMachineInstance',
  'kubevirt.io/VirtualMachineInstanceReplicaSet',
  'monitoring.coreos.com/AlertmanagerConfig',
  'monitoring.coreos.com/PodMonitor',
  'monitoring.coreos.com/Probe',
  'monitoring.coreos.com/PrometheusRule',
  'monitoring.coreos.com/ScrapeConfig',
  'monitoring.coreos.com/ServiceMonitor',
]);

/** They deliver whole applications, to whatever namespace. */
const delivering: ReadonlySet<string> = new Set([
  'argoproj.io/Application',
  'argoproj.io/ApplicationSet',
  'fleet.cattle.io/Bundle',
  'fleet.cattle.io/GitRepo',
  'helm.cattle.io/HelmChart',
  'helm.toolkit.fluxcd.io/HelmRelease',
  'kustomize.toolkit.fluxcd.io/Kustomization',
]);

/** The one group of the project's own names, `*.k8s.io`, with a kind of which Pods and Services are made. */
const gateway = 'gateway.networking.k8s.io/Gateway';

/** The namespace in which more may be made of an object than files hold: `*` for all, undefined for an object that makes nothing. */
export function makesIn(raw: RawObject): string | undefined {
  const group = groupOf(stringAt(raw, 'apiVersion') ?? '');
  const kind = `${group}/${stringAt(raw, 'kind') ?? ''}`;
  const isBuiltIn = !group.includes('.') || (group.endsWith('.k8s.io') && kind !== gateway);
  if (isBuiltIn || configuring.has(group) || configuringKinds.has(kind)) return undefined;
  // One without a namespace belongs to the whole cluster, as far as a file can tell.
  return delivering.has(kind) ? '*' : (stringAt(objectAt(raw, 'metadata'), 'namespace') ?? '*');
}
