/** Who may exempt by annotation: a virtual resource that no API serves, so that RBAC alone speaks of it. */
import type { MayUse } from '../admission/rights.ts';
import { accessReview } from '../client/access-review.ts';
import { type KubeClient, KubeError } from '../client/kube-client.ts';
import type { Log } from '../server/log.ts';

const exemptions = { verb: 'use', group: 'portcullis.dev', resource: 'exemptions' } as const;

/** Without a cluster there is nobody who could be asked: then nobody has the right. */
export function exemptionRights(client: KubeClient | undefined, log: Log): MayUse {
  if (client === undefined) return async () => 'unknown';
  const ask = accessReview({ client, now: () => performance.now(), onFailure: failureLog(log) });
  return (requester, ruleId, namespace, signal) => ask(requester, { ...exemptions, namespace, name: ruleId }, signal);
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
      'may not create subjectaccessreviews.authorization.k8s.io: no exemption by annotation has effect until the role allows it',
    );
  };
}
