/** The annotation in which `kubectl apply` keeps the manifest that it applied, where the object has not been changed since. */
import { normalizeNetworkPolicy } from './normalize-networking.ts';
import type { PolicyOmissions } from './policy-parts.ts';
import { isObject } from './read.ts';
import type { NetworkPolicy, RawObject } from './resources.ts';

const none: PolicyOmissions = { protocols: [], emptyPeers: [] };

/** Of the policy as it was written: in a file, or as kubectl applied it. */
export const omissionsIn = (policy: NetworkPolicy): PolicyOmissions => policy.omits ?? lastApplied(policy)?.omits ?? none;

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';

function lastApplied({ metadata, spec }: NetworkPolicy): NetworkPolicy | undefined {
  const text = metadata.annotations[annotation];
  const raw = text === undefined ? undefined : parsed(text);
  if (raw === undefined) return undefined;
  const applied = normalizeNetworkPolicy(raw, metadata);
  return JSON.stringify(applied.spec) === JSON.stringify(spec) ? applied : undefined;
}

/** Whoever may write the object may write anything here. */
function parsed(text: string): RawObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
