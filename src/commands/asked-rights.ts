/** What requesters may do, asked of the API server: exempt by annotation, and list what a text would tell of another namespace. */
import type { MayList, MayUse } from '../admission/rights.ts';
import { accessReview } from '../client/access-review.ts';
import { type KubeClient, KubeError } from '../client/kube-client.ts';
import type { Listing } from '../cluster/elsewhere.ts';
import { groupOf } from '../kube/normalize.ts';
import type { WorkloadKind } from '../kube/normalize-workload.ts';
import type { Log } from '../server/log.ts';
import { watchedKinds } from '../sources/watched.ts';

/** A virtual resource that no API serves, so that RBAC alone speaks of it. */
const exemptions = { verb: 'use', group: 'portcullis.dev', resource: 'exemptions' } as const;

export interface AskedRights {
  readonly mayUse: MayUse;
  readonly mayList: MayList;
}

/** Without a cluster there is nobody who could be asked: then nobody has a right. */
export function askedRights(client: KubeClient | undefined, workloads: () => readonly WorkloadKind[], log: Log): AskedRights {
  if (client === undefined) return { mayUse: async () => 'unknown', mayList: async () => 'unknown' };
  const ask = accessReview({ client, now: () => performance.now(), onFailure: failureLog(log) });
  return {
    mayUse: (requester, ruleId, namespace, signal) => ask(requester, { ...exemptions, namespace, name: ruleId }, signal),
    async mayList(requester, { group, kind, namespace }, signal) {
      const resource = resourceOf(group, kind, workloads());
      return resource === undefined ? 'unknown' : ask(requester, { verb: 'list', group, resource, namespace }, signal);
    },
  };
}

/** The name by which RBAC knows a kind. Secrets are not watched, and files alone hold some. */
function resourceOf(group: string, kind: Listing['kind'], workloads: readonly WorkloadKind[]): string | undefined {
  if (group === '' && kind === 'Secret') return 'secrets';
  return watchedKinds(workloads).find((one) => one.kind === kind && groupOf(one.apiVersion) === group)?.resource;
}

/** That our own role lacks a rule is said once, with the rule; what passes, as a debug line. */
function failureLog(log: Log): (cause: unknown) => void {
  let told = false;
  return (cause) => {
    const isForbidden = cause instanceof KubeError && cause.status === 403;
    if (!isForbidden || told) return log.debug({ err: cause }, 'a right could not be asked for');
    told = true;
    log.warn(
      { why: cause.message },
      'may not create subjectaccessreviews.authorization.k8s.io: until the role allows it, no exemption by annotation that asks for a right has effect, and no text tells of other namespaces',
    );
  };
}
