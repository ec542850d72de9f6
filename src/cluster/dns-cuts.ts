/** Whom a write of a policy keeps from the cluster's DNS. */
import type { Workload } from '../kube/resources.ts';
import { areCut, flowsToDns, hasPartIn, sendToAddresses } from './dns-access.ts';
import { dnsFaultOf, mayNotAsk, selectedBy } from './dns-rules.ts';
import { desertedBy, type PolicyWrite } from './policy-write.ts';
import { asksResolver, type Resolver } from './resolver.ts';

/** What is to be said of such Pods: the name of a message. */
export type DnsCut = readonly [
  'podsCannotResolve' | 'podsStillCannotResolve' | 'onlyAddressesAllowed' | 'removalCutsPods',
  readonly Workload[],
];

/** Those that have lost what the policy let them do, and those that it isolates itself. */
export function cutsFromDns(write: PolicyWrite, operation: 'WRITE' | 'DELETE', resolver: Resolver): readonly DnsCut[] {
  const { policy, before, cluster } = write;
  const selected = selectedBy(cluster, policy);
  // Where a rule of this policy is meant for DNS and fails, that is the nearer cause, for other rules to name.
  const fault = operation === 'WRITE' ? dnsFaultOf(cluster, policy, resolver) : undefined;
  const isCut = (workload: Workload): boolean => asksResolver(workload, resolver) && areCut(flowsToDns(cluster, workload, resolver));
  const isItsDoing = (workload: Workload): boolean => {
    const flows = flowsToDns(cluster, workload, resolver);
    return hasPartIn(policy, flows) && !(fault !== undefined && mayNotAsk(flows));
  };
  const answersBefore = (workload: Workload) => flowsToDns((before ?? (() => cluster))(), workload, resolver).map(({ answer }) => answer);
  // Taking a policy away has cut only what certainly worked before it.
  const lost = (operation === 'DELETE' ? selected : desertedBy(write, 'Egress')).filter(
    (workload) => isCut(workload) && (before === undefined || answersBefore(workload).includes('allowed')),
  );
  const verdict = verdictOn(
    operation === 'DELETE' ? [] : selected.filter((workload) => isCut(workload) && isItsDoing(workload)),
    (workload) => before === undefined || answersBefore(workload).some((answer) => answer !== 'denied'),
    (workload) => sendToAddresses(flowsToDns(cluster, workload, resolver)),
  );
  return [...(lost.length === 0 ? [] : [['removalCutsPods', lost] as const]), ...(verdict === undefined ? [] : [verdict])];
}

/** First those that this write has cut and that need names. */
function verdictOn(
  cut: readonly Workload[],
  couldResolve: (workload: Workload) => boolean,
  needsNoNames: (workload: Workload) => boolean,
): DnsCut | undefined {
  const fresh = cut.filter(couldResolve);
  if (cut.length === 0) return undefined;
  const certain = fresh.filter((workload) => !needsNoNames(workload));
  if (certain.length > 0) return ['podsCannotResolve', certain];
  return fresh.length > 0 ? ['onlyAddressesAllowed', fresh] : ['podsStillCannotResolve', cut];
}
