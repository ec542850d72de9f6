/**
 * The resource of an object in a file. A cluster is asked for the kinds that the configuration names, and holds the Pods of all
 * others; files hold no Pods, so each object that makes some counts there, of whatever kind.
 */
import { groupOf, type NormalizeOptions, normalize } from '../kube/normalize.ts';
import type { WorkloadKind } from '../kube/normalize-workload.ts';
import { objectAt, stringAt } from '../kube/read.ts';
import type { RawObject, Resource } from '../kube/resources.ts';
import { withOperatedPods } from './operated-pods.ts';

export function fileResource(raw: RawObject, options: NormalizeOptions): Resource | undefined {
  const object = withOperatedPods(raw);
  return normalize(object, { ...options, workloads: [...(options.workloads ?? []), ...customWorkload(object)] });
}

const template = ['spec', 'template'];

/** A custom kind that has its Pod template where Deployments have it: Rollout of Argo, Service of Knative, CloneSet of OpenKruise. */
function customWorkload(raw: RawObject): readonly WorkloadKind[] {
  const apiVersion = stringAt(raw, 'apiVersion') ?? '';
  const { containers } = objectAt(template.reduce(objectAt, raw), 'spec');
  const isCustom = groupOf(apiVersion).includes('.') && Array.isArray(containers) && containers.length > 0;
  return isCustom ? [{ apiVersion, kind: stringAt(raw, 'kind') ?? '', resource: '', template }] : [];
}
