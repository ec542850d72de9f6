/**
 * Whether anybody outside its namespace reaches the cluster's DNS. One policy may hold ten thousand peers and a cluster hundreds of
 * namespaces: what each peer asks for is looked up by its labels, and never held against all of them.
 */
import { isRunTimeLabel, labelsOf, matchesSelector, nameLabel, podNameLabel, selectsEverything } from '../kube/labels.ts';
import type { NetworkPolicyPeer } from '../kube/policy-parts.ts';
import type { LabelSelector, Labels, Workload } from '../kube/resources.ts';
import { LabelIndex } from './policy-peers.ts';
import { isUdp, type Resolver } from './resolver.ts';
import type { Destination } from './traffic/flow.ts';
import { namespaceMatches } from './traffic/peers.ts';
import { rulesOf } from './traffic/policy-rules.ts';
import { portMatches } from './traffic/ports.ts';
import { isolating, selects } from './traffic/selecting.ts';
import type { ClusterView } from './view.ts';

/** Whether a Pod of another namespace reaches the resolver, or may; false only where certainly none does. */
export function isOpenToOthers(view: ClusterView, resolver: Resolver): boolean {
  const admitted = admittedTo(view, resolver);
  return admitted === 'anybody' || admitted.some(isForAnybody) || holdSomeone(view, admitted, namespaceOf(resolver));
}

/** Those of the namespaces of which certainly no Pod reaches the resolver. */
export function shutOut(view: ClusterView, resolver: Resolver, namespaces: readonly string[]): readonly string[] {
  const admitted = admittedTo(view, resolver);
  if (admitted === 'anybody' || admitted.some(({ ipBlock }) => ipBlock !== undefined)) return [];
  const shut = new Set(namespaces);
  const places = namespaces.map((name): Place => ({ name, labels: view.get('Namespace', '', name)?.metadata.labels }));
  const known = new LabelIndex(places, ({ name, labels }) => ({ ...labels, [nameLabel]: name }));
  const unknown = places.filter(({ labels }) => labels === undefined);
  for (const { namespaceSelector } of admitted) {
    if (shut.size === 0) return [];
    if (namespaceSelector === undefined) continue;
    view.step();
    for (const { name } of [...candidatesIn(known, namespaceSelector), ...unknown]) {
      if (!shut.has(name)) continue;
      view.step();
      if (namespaceMatches(view, namespaceSelector, name) !== false) shut.delete(name);
    }
  }
  return [...shut];
}

interface Place {
  readonly name: string;
  readonly labels: Labels | undefined;
}

const namespaceOf = ({ destinations }: Resolver): string | undefined => destinations[0]?.workload.metadata.namespace;

/** Whom the policies of the resolver's Pods let in, each peer once. With agents on the nodes, those ask in place of the Pods: any rule may be meant for them. */
function admittedTo(view: ClusterView, { destinations, nodeAgents }: Resolver): 'anybody' | readonly NetworkPolicyPeer[] {
  const admitted = new Map<string, NetworkPolicyPeer>();
  for (const destination of destinations.filter(isUdp)) {
    const lists = listsAt(view, destination);
    if (lists === 'anybody' || lists.some((peers) => peers === undefined || nodeAgents.length > 0)) return 'anybody';
    for (const peer of lists.flatMap((peers) => peers ?? [])) admitted.set(JSON.stringify(peer), peer);
  }
  return [...admitted.values()];
}

/** The lists of peers of the rules that open the port; `anybody` where nothing certainly isolates. */
function listsAt(view: ClusterView, destination: Destination): 'anybody' | readonly (readonly NetworkPolicyPeer[] | undefined)[] {
  const { workload } = destination;
  const bindings = isolating(view, workload, 'Ingress');
  if (workload.pod.hostNetwork || !bindings.some(({ selected }) => selected === true)) return 'anybody';
  return bindings
    .flatMap(({ policy }) => rulesOf(policy, 'Ingress'))
    .filter(({ ports }) => {
      view.step();
      return portMatches(ports, workload, destination);
    })
    .map(({ peers }) => peers);
}

/**
 * A block may hold the address of any Pod, also of one that is yet to come. Who asks for no label lets every namespace in, known
 * or not: files of one namespace tell of no other.
 */
const isForAnybody = ({ ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer): boolean =>
  ipBlock !== undefined || (namespaceSelector !== undefined && selectsEverything(namespaceSelector) && isForAnyPod(podSelector));

/** Any Pod will do for a selector that asks for no label. */
const isForAnyPod = (selector: LabelSelector | undefined): boolean => selector === undefined || matchesSelector(selector, labelsOf({}));

/** Whether some peer holds a namespace other than the own one, and a Pod in it that is there, or a template to which the labels may come. */
function holdSomeone(view: ClusterView, peers: readonly NetworkPolicyPeer[], own: string | undefined): boolean {
  // Files hold namespaces in part: they are not asked for where no peer is about another one.
  if (peers.every(({ namespaceSelector }) => namespaceSelector === undefined)) return false;
  const namespaces = view.list('Namespace', '').filter(({ metadata }) => metadata.name !== own);
  const byLabels = new LabelIndex(namespaces, ({ metadata }) => metadata.labels);
  const namesOf = namesBy((selector) =>
    candidatesIn(byLabels, selector).flatMap(({ metadata: { name, labels } }) => {
      view.step();
      return matchesSelector(selector, labels) ? [name] : [];
    }),
  );
  let made: LabelIndex<Workload> | undefined;
  return peers.some(({ namespaceSelector, podSelector }) => {
    view.step();
    if (namespaceSelector === undefined) return false;
    const names = namesOf(namespaceSelector);
    if (names.size === 0 || podSelector === undefined || isForAnyPod(podSelector)) return names.size > 0;
    made ??= new LabelIndex(
      namespaces.flatMap(({ metadata }) => view.workloads(metadata.name)),
      ({ pod }) => pod.labels,
    );
    return candidatesIn(made, podSelector).some((workload) => {
      view.step();
      const { namespace } = workload.metadata;
      return names.has(namespace) && selects(podSelector, workload) !== false && hasPod(view, podSelector, namespace);
    });
  });
}

/** Found out once for selectors that are alike. */
function namesBy(find: (selector: LabelSelector) => readonly string[]): (selector: LabelSelector) => ReadonlySet<string> {
  const found = new Map<string, ReadonlySet<string>>();
  return (selector) => {
    const text = JSON.stringify(selector);
    const names = found.get(text) ?? new Set(find(selector));
    found.set(text, names);
    return names;
  };
}

/** All that can match, and few others: also by the keys and values for which expressions ask. */
function candidatesIn<T>(index: LabelIndex<T>, selector: LabelSelector): readonly T[] {
  const asking = selector.matchExpressions.filter(
    ({ key, operator }) => (operator === 'In' || operator === 'Exists') && !isRunTimeLabel(key),
  );
  if (asking.some(({ key }) => !index.keys.has(key))) return [];
  const one = asking.find(({ operator }) => operator === 'In');
  if (one === undefined) return index.candidates(selector);
  return [...new Set(one.values)].flatMap((value) =>
    index.candidates({ matchLabels: labelsOf({ ...selector.matchLabels, [one.key]: value }), matchExpressions: [] }),
  );
}

/** Whether one is there that running Pods do not contradict. */
const hasPod = (view: ClusterView, selector: LabelSelector, namespace: string): boolean =>
  view
    .workloadsSelectedBy(
      labelsOf(selector.matchLabels, (key) => key === podNameLabel || !isRunTimeLabel(key)),
      namespace,
    )
    .some((workload) => selects(selector, workload) !== false);
