/**
 * Which Pods and namespaces the selectors of a NetworkPolicy mean. One policy may hold tens of thousands of peers and a
 * cluster thousands of workloads, so each list is indexed by its labels, once for each view.
 */
import type { FieldPath } from '../kube/field-path.ts';
import { everything, isRunTimeLabel, matchesSelector, nameLabel, selectsEverything } from '../kube/labels.ts';
import { onceFor } from '../kube/once-for.ts';
import type { NetworkPolicyPeer } from '../kube/policy-parts.ts';
import type { LabelSelector, Labels, NetworkPolicy, Workload } from '../kube/resources.ts';
import type { Direction } from './traffic/flow.ts';
import { type PolicyRule, rulesOf } from './traffic/policy-rules.ts';
import { selects } from './traffic/selecting.ts';
import type { ClusterView } from './view.ts';

/** A rule of a policy, where it stands. */
export interface PlacedRule extends PolicyRule {
  readonly direction: Direction;
  /** `spec.ingress[0]`. */
  readonly path: FieldPath;
  /** `from` or `to`. */
  readonly peersKey: 'from' | 'to';
}

/** The rules that count: those of a direction that `policyTypes` leaves out do nothing. */
export function* rulesInForce(policy: NetworkPolicy, view: ClusterView): Generator<PlacedRule> {
  for (const direction of ['Ingress', 'Egress'] as const) {
    if (!policy.spec.policyTypes.includes(direction)) continue;
    const list = direction === 'Egress' ? 'egress' : 'ingress';
    const peersKey = direction === 'Egress' ? 'to' : 'from';
    for (const [index, { peers, ports }] of rulesOf(policy, direction).entries()) {
      view.step();
      yield { peers, ports, direction, path: ['spec', list, index], peersKey };
    }
  }
}

/** A peer of a rule, where it stands: `spec.ingress[0].from[1]`. */
interface PlacedPeer {
  readonly peer: NetworkPolicyPeer;
  readonly path: FieldPath;
}

export function* peersInForce(policy: NetworkPolicy, view: ClusterView): Generator<PlacedPeer> {
  for (const { peers = [], path, peersKey } of rulesInForce(policy, view))
    for (const [index, peer] of peers.entries()) {
      view.step();
      yield { peer, path: [...path, peersKey, index] };
    }
}

/** Things by each pair of their labels. */
export class LabelIndex<T> {
  readonly all: readonly T[];
  private readonly byPair: ReadonlyMap<string, readonly T[]>;
  /** Of all labels. */
  readonly keys: ReadonlySet<string>;

  constructor(all: readonly T[], labelsOf: (one: T) => Labels) {
    const byPair = new Map<string, T[]>();
    const keys = new Set<string>();
    for (const one of all)
      for (const [key, value] of Object.entries(labelsOf(one))) {
        keys.add(key);
        const pair = `${key}=${value}`;
        const list = byPair.get(pair);
        if (list === undefined) byPair.set(pair, [one]);
        else list.push(one);
      }
    this.all = all;
    this.byPair = byPair;
    this.keys = keys;
  }

  /** All that can match the selector, and few others. A pair that only running Pods have says nothing of a template. */
  candidates({ matchLabels }: LabelSelector): readonly T[] {
    let fewest = this.all;
    for (const key in matchLabels) {
      if (isRunTimeLabel(key)) continue;
      const list = this.byPair.get(`${key}=${matchLabels[key]}`);
      if (list === undefined) return [];
      if (list.length < fewest.length) fewest = list;
    }
    return fewest;
  }
}

interface Indexes {
  readonly workloads: Map<string, LabelIndex<Workload>>;
  namespaces?: LabelIndex<{ readonly name: string; readonly labels: Labels }>;
  names?: readonly string[];
}

const indexesOf = onceFor((_view: ClusterView): Indexes => ({ workloads: new Map() }));

function workloadIndex(view: ClusterView, namespace: string): LabelIndex<Workload> {
  const { workloads } = indexesOf(view);
  const index = workloads.get(namespace) ?? new LabelIndex(view.workloads(namespace), ({ pod }) => pod.labels);
  workloads.set(namespace, index);
  return index;
}

/** Workloads of the namespace whose Pods the selector selects, or may select: with `label`, the running Pods will tell. */
export function* workloadsMeant(view: ClusterView, selector: LabelSelector, namespace: string): Generator<Workload> {
  for (const workload of workloadIndex(view, namespace).candidates(selector)) {
    view.step();
    if (selects(selector, workload) !== false) yield workload;
  }
}

/** Whether there is one. */
export const meansSomebody = (view: ClusterView, selector: LabelSelector, namespace: string): boolean =>
  workloadsMeant(view, selector, namespace).next().done !== true;

/** Names of the namespaces that the selector selects. */
export function namespacesMeant(view: ClusterView, selector: LabelSelector): readonly string[] {
  const indexes = indexesOf(view);
  if (selectsEverything(selector)) return namesOfNamespaces(view);
  indexes.namespaces ??= new LabelIndex(
    view.list('Namespace', '').map(({ metadata: { name, labels } }) => ({ name, labels })),
    ({ labels }) => labels,
  );
  const matching = indexes.namespaces.candidates(selector).filter(({ labels }) => {
    view.step();
    return matchesSelector(selector, labels);
  });
  return matching.map(({ name }) => name);
}

/** Of those that the view tells of; asked once. */
function namesOfNamespaces(view: ClusterView): readonly string[] {
  const indexes = indexesOf(view);
  indexes.names ??= view.list('Namespace', '').map(({ metadata }) => metadata.name);
  return indexes.names;
}

/** The one namespace that the selector can mean, by the label that the API server keeps equal to the name. */
function namespaceNamedBy({ matchLabels, matchExpressions }: LabelSelector): string | undefined {
  if (matchLabels[nameLabel] !== undefined) return matchLabels[nameLabel];
  const named = matchExpressions.find(({ key, operator, values }) => key === nameLabel && operator === 'In' && values.length === 1);
  return named?.values[0];
}

/** A peer that can only mean Pods of the policy's own namespace: without a namespaceSelector, or with its name and nothing else. */
export function isOfOwnNamespace({ namespaceSelector, ipBlock }: NetworkPolicyPeer, own: string): boolean {
  if (ipBlock !== undefined) return false;
  if (namespaceSelector === undefined) return true;
  const { matchLabels, matchExpressions } = namespaceSelector;
  return Object.keys(matchLabels).length + matchExpressions.length === 1 && namespaceNamedBy(namespaceSelector) === own;
}

/** Words that grant something to whoever puts the label on. */
const granting = /^(true|yes|on|enabled?|allow(ed)?|granted)$/i;

/**
 * Whether the labels are there to be put on by those who want in, such as `postgresql-client=true`: that nobody has done so
 * yet is no mistake (rules.md D.9, 77).
 */
export const isOffer = ({ matchLabels, matchExpressions }: LabelSelector): boolean =>
  Object.values(matchLabels).some((value) => granting.test(value)) ||
  matchExpressions.some(
    ({ operator, values }) => operator === 'Exists' || (operator === 'In' && values.some((value) => granting.test(value))),
  );

/** Workloads of the policy's namespace that these peers select by their labels. */
export const heldHere = (peers: readonly NetworkPolicyPeer[], own: string, view: ClusterView): ReadonlySet<Workload> =>
  new Set(peers.flatMap((peer) => (isOfOwnNamespace(peer, own) ? [...workloadsMeant(view, peer.podSelector ?? everything, own)] : [])));

/** Why a peer selects nobody: no Pod of its own namespace, no namespace, or no Pod of the namespaces that it selects. */
type Gap =
  | { readonly part: 'here' }
  | { readonly part: 'namespaces'; readonly of: number }
  | { readonly part: 'pods'; readonly namespaces: readonly string[] };

/** Undefined where it selects somebody, or nobody may tell. Of other namespaces only what the reader may list counts. */
function gapOf(peer: NetworkPolicyPeer, own: string, cluster: ClusterView, elsewhere: ClusterView | undefined): Gap | undefined {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  // An address block is for what is outside the cluster, and nobody here can count that.
  if (ipBlock !== undefined) return undefined;
  const wanted = podSelector === undefined || selectsEverything(podSelector) || isOffer(podSelector) ? undefined : podSelector;
  if (namespaceSelector !== undefined && !isOfOwnNamespace(peer, own)) return gapElsewhere(namespaceSelector, wanted, cluster, elsewhere);
  return wanted === undefined || meansSomebody(cluster, wanted, own) ? undefined : { part: 'here' };
}

/** A peer that selects nobody, where it stands; `isAlone` where none beside it in its list lets anybody in or out either. */
interface PlacedGap extends PlacedPeer {
  readonly gap: Gap;
  /** All peers of its list. */
  readonly list: readonly NetworkPolicyPeer[];
  readonly isAlone: boolean;
}

/** A peer beside it of which nobody may tell counts as one that does: that it might not is no evidence. */
export function* gapsInForce(policy: NetworkPolicy, cluster: ClusterView, elsewhere: ClusterView | undefined): Generator<PlacedGap> {
  for (const { peers = [], path, peersKey } of rulesInForce(policy, cluster)) {
    const gaps = peers.map((peer) => {
      cluster.step();
      return gapOf(peer, policy.metadata.namespace, cluster, elsewhere);
    });
    const isAlone = !gaps.includes(undefined);
    for (const [index, peer] of peers.entries()) {
      const gap = gaps[index];
      if (gap !== undefined) yield { peer, path: [...path, peersKey, index], gap, list: peers, isAlone };
    }
  }
}

function gapElsewhere(
  namespaceSelector: LabelSelector,
  wanted: LabelSelector | undefined,
  cluster: ClusterView,
  elsewhere: ClusterView | undefined,
): Gap | undefined {
  // One that selects every namespace selects the policy's own.
  if (wanted === undefined && selectsEverything(namespaceSelector)) return undefined;
  const of = namesOfNamespaces(cluster).length;
  if (elsewhere === undefined || !mayListNamespaces(elsewhere)) return undefined;
  const namespaces = namespacesMeant(cluster, namespaceSelector);
  if (namespaces.length === 0) return isOffer(namespaceSelector) ? undefined : { part: 'namespaces', of };
  if (wanted === undefined || !namespaces.every((name) => mayTellAbsence(elsewhere, name))) return undefined;
  return namespaces.some((name) => meansSomebody(cluster, wanted, name)) ? undefined : { part: 'pods', namespaces };
}

/** Who may list one namespace may list them all. */
const mayListNamespaces = (elsewhere: ClusterView): boolean => namesOfNamespaces(elsewhere).length > 0;

/** Whether the reader could see for himself that there are no such Pods. */
const mayTellAbsence = (elsewhere: ClusterView, namespace: string): boolean =>
  (['Pod', 'Template'] as const).every((collection) => elsewhere.coverage(collection, namespace) === 'complete');

/** All Pods that a rule's peers mean; `isForeign` where some are of other namespaces. */
export interface MeantPods {
  readonly workloads: readonly Workload[];
  readonly isForeign: boolean;
}

/** Undefined where not all of them are known: any peer, or namespaces of which the reader may not list all. */
export function podsOfPeers(
  peers: readonly NetworkPolicyPeer[] | undefined,
  own: string,
  cluster: ClusterView,
  elsewhere: ClusterView | undefined,
): MeantPods | undefined {
  if (peers === undefined) return undefined;
  const workloads = new Set<Workload>();
  for (const { podSelector = everything, namespaceSelector, ipBlock } of peers) {
    cluster.step();
    const namespaces = ipBlock === undefined ? namespacesOf(namespaceSelector, own, cluster, elsewhere) : [];
    if (namespaces === undefined) return undefined;
    for (const namespace of namespaces) for (const one of workloadsMeant(cluster, podSelector, namespace)) workloads.add(one);
  }
  return { workloads: [...workloads], isForeign: [...workloads].some(({ metadata }) => metadata.namespace !== own) };
}

/** Names of the namespaces that a peer means, if the reader may list all Pods in each. */
function namespacesOf(
  namespaceSelector: LabelSelector | undefined,
  own: string,
  cluster: ClusterView,
  elsewhere: ClusterView | undefined,
): readonly string[] | undefined {
  if (namespaceSelector === undefined || isOfOwnNamespace({ namespaceSelector }, own)) return [own];
  if (elsewhere === undefined || !mayListNamespaces(elsewhere)) return undefined;
  const names = namespacesMeant(cluster, namespaceSelector);
  return names.every((name) => name === own || mayTellAbsence(elsewhere, name)) ? names : undefined;
}

/** Workloads of the policy's namespace that it selects, or may select. */
export const meantBy = ({ metadata, spec }: NetworkPolicy, view: ClusterView): readonly Workload[] => [
  ...workloadsMeant(view, spec.podSelector, metadata.namespace),
];
