/** Entries of a policy's peers that stand as two and may be meant as one: a namespaceSelector beside a podSelector. */
import type { FieldPath } from '../kube/field-path.ts';
import { selectsEverything } from '../kube/labels.ts';
import type { NetworkPolicyPeer } from '../kube/policy-parts.ts';
import type { LabelSelector, NetworkPolicy, Workload } from '../kube/resources.ts';
import { asBackends } from './backends.ts';
import type { Elsewhere } from './elsewhere.ts';
import { isOffer, meansSomebody, namespacesMeant, rulesInForce } from './policy-peers.ts';
import { selects } from './traffic/selecting.ts';
import type { ClusterView } from './view.ts';

/** Two entries side by side, of which one has a namespaceSelector and the other a podSelector, and nothing else. */
export interface PeerPair {
  readonly namespaceSelector: LabelSelector;
  readonly podSelector: LabelSelector;
  /** Where the entries stand. */
  readonly list: FieldPath;
  readonly podsAt: number;
}

export function* pairsIn(policy: NetworkPolicy, cluster: ClusterView): Generator<PeerPair> {
  for (const { peers = [], path, peersKey } of rulesInForce(policy, cluster))
    for (const index of peers.keys()) {
      cluster.step();
      const pair = pairAt(peers, index, [...path, peersKey]);
      if (pair !== undefined) yield pair;
    }
}

/** The entry before this one, and this one, where they are such a pair. */
function pairAt(peers: readonly NetworkPolicyPeer[], index: number, list: FieldPath): PeerPair | undefined {
  const [before, here] = [peers[index - 1], peers[index]];
  const isInOrder = before?.namespaceSelector !== undefined;
  const [namespaces, pods] = isInOrder ? [before, here] : [here, before];
  const { namespaceSelector } = namespaces ?? {};
  const { podSelector } = pods ?? {};
  if (namespaceSelector === undefined || namespaces?.podSelector !== undefined) return undefined;
  if (podSelector === undefined || pods?.namespaceSelector !== undefined || selectsEverything(podSelector)) return undefined;
  return { namespaceSelector, podSelector, list, podsAt: isInOrder ? index : index - 1 };
}

/** What the pair allows, in workloads that the reader may list. */
export interface Sizes {
  readonly asWritten: number;
  readonly asOne: number;
}

/** Undefined where no such Pods are in the namespaces either, or the reader may not list them: then nothing tells what was meant. */
export function sizesOf(
  { namespaceSelector, podSelector }: PeerPair,
  cluster: ClusterView,
  elsewhere: Elsewhere,
  known: ClusterView,
): Sizes | undefined {
  // Whoever puts such a label on is let in: here as well as there.
  if (isOffer(podSelector)) return undefined;
  cluster.list('Namespace', '');
  const namespaces = new Set(namespacesMeant(elsewhere, namespaceSelector));
  // Looked for by the index first: of what is not there nobody need be asked.
  const mayBe = [...namespaces].some((name) => {
    cluster.step();
    return meansSomebody(known, podSelector, name);
  });
  if (!mayBe) return undefined;
  const those = (matches: (one: Workload) => boolean): number => {
    const isMeant = (one: Workload): boolean => {
      cluster.step();
      return namespaces.has(one.metadata.namespace) && matches(one);
    };
    return asBackends([...elsewhere.those('Template', isMeant), ...elsewhere.those('Pod', isMeant)], elsewhere).length;
  };
  const asOne = those((one) => selects(podSelector, one) === true);
  return asOne === 0 ? undefined : { asOne, asWritten: those(() => true) };
}
